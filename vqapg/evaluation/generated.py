"""Generated pairs as read from a file: fairseq-generate's output, or JSON lines."""

import json
import math
import re
import sys
from dataclasses import dataclass

from vqapg.data.tokenizer import detokenize, tokenize
from vqapg.errors import InputError
from vqapg.files import LARGEST_TEXT, check_readable_file
from vqapg.tokens import SEPARATOR

# H-<line number in the split>\t<score>\t<tokens>; every other line of the file is a log line or a stock line.
HYPOTHESIS = re.compile(r"H-(\d+)\t([^\t]*)\t([^\t]*)")
DECIMALS = 4  # of what people read
CURE = "give a generate-*.txt or a JSON lines file"


@dataclass(frozen=True)
class GeneratedPair:
    """One hypothesis.

    ``question`` and ``answer`` are space-joined tokens; both are None when the hypothesis is malformed (not
    exactly one ``<sep>``, or an empty side). ``score`` is the model's mean log-probability of a token in nats
    (fairseq-generate prints base 2), as a JSON line gives it, nan where it gives none.
    """

    id: int
    image: str
    question: str | None
    answer: str | None
    score: float

    @property
    def malformed(self):
        return self.question is None


def read_generated(path, data, split="test"):
    """Read every hypothesis of *path*, sorted by id (an n-best list keeps its order).

    *path* is ``generate-<split>.txt`` as written by ``fairseq-generate --results-path``, or JSON lines with
    ``image``, ``question``, ``answer`` and optionally ``id`` and ``score``; the content decides which, not
    the name. A JSON line holds text for people, so it is tokenised again; without an ``id`` it takes its
    0-based line number.

    Raises InputError for a file that cannot be read, holds no hypothesis, has a broken line, or names a pair
    or an image that is not in *split* of *data*.
    """
    path = check_readable_file(path, CURE, LARGEST_TEXT)
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error}); {CURE}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {CURE}") from None
    first = next((line for line in lines if line.strip()), "")
    read = _read_json_lines if first.lstrip().startswith("{") else _read_hypotheses
    pairs = list(read(path, lines, data, split))
    if not pairs:
        raise InputError(
            f"{path}: no hypothesis in it (no line begins with H-, and it is not JSON lines); "
            "give the generate-*.txt of a finished fairseq-generate run"
        )
    return sorted(pairs, key=lambda pair: pair.id)


def readable_records(pairs, scores=None):
    """The well-formed *pairs* as people read them, each a dict that JSON can hold.

    ``{"id", "image", "question", "answer", "score"}``, and ``"consistency"`` when *scores* gives the evaluator's score
    of each (image, question, answer). A score that is not known (nan) is None.
    """
    for pair in pairs:
        if pair.malformed:
            continue
        record = {
            "id": pair.id,
            "image": pair.image,
            "question": detokenize(pair.question.split()),
            "answer": detokenize(pair.answer.split()),
            "score": None if math.isnan(pair.score) else round(pair.score, DECIMALS),
        }
        if scores is not None:
            record["consistency"] = round(float(scores[pair.image, pair.question, pair.answer]), DECIMALS)
        yield record


def _read_hypotheses(path, lines, data, split):
    gold = data.pairs(split)
    without = set(range(len(gold)))
    for number, line in enumerate(lines, start=1):
        if not line.startswith("H-"):
            continue
        where = f"{path}:{number}"
        fields = HYPOTHESIS.fullmatch(line)
        if not fields:
            raise InputError(
                f"{where}: broken hypothesis line, expected H-<id>, <score> and <tokens> with tabs between; "
                "run fairseq-generate again"
            )
        id, score, text = int(fields[1]), _finite(fields[2], where) * math.log(2), fields[3]
        if id >= len(gold):
            raise InputError(
                f"{where}: id {id}, but split {split} of {data.path} has only {len(gold)} pairs; "
                "give the data directory and the split that were generated from"
            )
        without.discard(id)
        yield GeneratedPair(id, gold[id].image, *split_pair(text), score)
    if 0 < len(without) < len(gold):
        # fairseq-generate writes this file as it goes: a run that was killed leaves a shorter one.
        print(
            f"warning: {path}: has no hypothesis for {len(without):,} of the {len(gold):,} pairs of split {split}; where "
            "fairseq-generate was stopped, run it again",
            file=sys.stderr,
        )


def _read_json_lines(path, lines, data, split):
    images = {pair.image for pair in data.pairs(split)}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{where}: broken JSON ({error.msg}); every line must be a JSON object"
            ) from None
        if not isinstance(record, dict):
            raise InputError(f"{where}: not a JSON object with image, question and answer; make it one")
        for key in ("image", "question", "answer"):
            if not isinstance(record.get(key), str):
                raise InputError(f"{where}: no text under {key!r}; every line needs the three")
        id, score = record.get("id", number - 1), record.get("score")
        if type(id) is not int or id < 0:
            raise InputError(f"{where}: id {id!r} is no whole number from 0 up; correct or remove it")
        if record["image"] not in images:
            raise InputError(
                f"{where}: image {record['image']!r} is not in split {split} of {data.path}; "
                "give the data directory and the split that were generated from"
            )
        question, answer = (" ".join(tokenize(record[key])) for key in ("question", "answer"))
        if not question or not answer:
            question = answer = None
        score = math.nan if score is None else _finite(score, where)
        yield GeneratedPair(id, record["image"], question, answer, score)


def split_pair(text):
    """Tokens "question <sep> answer" as (question, answer); (None, None) when malformed."""
    tokens = text.split()
    if tokens.count(SEPARATOR) != 1:
        return None, None
    at = tokens.index(SEPARATOR)
    question, answer = tokens[:at], tokens[at + 1 :]
    return (" ".join(question), " ".join(answer)) if question and answer else (None, None)


def _finite(score, where):
    try:
        number = math.nan if isinstance(score, bool) else float(score)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{where}: score {score!r} is not a finite number; correct the line")
    return number
