"""Generated pairs as read from a file: fairseq-generate's output, or JSON lines."""

import itertools
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from vqapg.data.directory import DataDirectory, tokenizer_version
from vqapg.data.picture_folder import PictureFolder
from vqapg.data.tokenizer import TOKENIZER_VERSION, detokenize, tokenize
from vqapg.errors import InputError
from vqapg.files import LARGEST_TEXT, check_readable_file
from vqapg.strict_json import MAX_ID, is_id, parse_json, read_lines
from vqapg.tokens import SEPARATOR

# H-<line number in the split>\t<score>\t<tokens>; every other line of the file is a log line or a
# stock line. Eighteen digits fit 64 bits, and pass Python's own bound on digits.
HYPOTHESIS = re.compile(r"H-([0-9]{1,18})\t([^\t]*)\t([^\t]*)")
# What begins the lines of one pair, before its hypotheses: S-<id>, or T-<id> where there is no
# source text.
PAIR = re.compile(r"[ST]-([0-9]{1,18})\t")
DECIMALS = 4  # of what people read
CURE = "give a generate-*.txt or a JSON lines file"


@dataclass(frozen=True)
class GeneratedPair:
    """One hypothesis.

    ``question`` and ``answer`` are space-joined tokens; both are None when the hypothesis is
    malformed (not exactly one ``<sep>``, or an empty side). ``score`` is the model's mean
    log-probability of a token in nats (fairseq-generate prints base 2), as a JSON line gives it,
    nan where it gives none. ``chosen_by`` is the name of the judge by whose scores ``vqapg sample``
    chose the pair, where a JSON line has it.
    """

    id: int
    image: str
    question: str | None
    answer: str | None
    score: float
    chosen_by: str | None = None

    @property
    def malformed(self):
        return self.question is None


class ReadPair(NamedTuple):
    """A pair, and the JSON object that it was read from; None where it was another form of line."""

    pair: GeneratedPair
    record: dict[str, Any] | None


def read_generated(
    path: str | os.PathLike[str], data: DataDirectory | PictureFolder, split: str = "test"
) -> list[GeneratedPair]:
    """Read every hypothesis of *path*, sorted by id (an n-best list keeps its order).

    The content of the file decides its form, not its name. A JSON line holds text for people, so it
    is tokenised again; without an ``id`` it takes its 0-based line number.

    Args:
        path: ``generate-<split>.txt`` as written by ``fairseq-generate --results-path``, or JSON
            lines with ``image``, ``question``, ``answer`` and optionally ``id`` and ``score``
        data: the data directory that was generated from, or the folder of the pictures, which
            takes JSON lines only
        split: the split that was generated from; a folder has none

    Raises:
        InputError: if the file cannot be read, holds no hypothesis, has a broken line, holds a run
            twice, or names a pair or an image that is not in *split* of *data*
    """
    pairs = [read.pair for read in read_records(path, data, split)]
    return sorted(pairs, key=lambda pair: pair.id)


def read_records(
    path: str | os.PathLike[str], data: DataDirectory | PictureFolder, split: str = "test"
) -> Iterator[ReadPair]:
    """As :func:`read_generated`, in the order of the file, each with what it was read from.

    Raises:
        InputError: as :func:`read_generated`, when the line at fault is reached
    """
    path = check_readable_file(path, CURE, LARGEST_TEXT)
    lines = read_lines(path, CURE)
    first = next(((number, line) for number, line in lines if line.strip()), (1, ""))
    lines, empty = itertools.chain([first], lines), True
    found: Iterator[ReadPair] = iter(())
    if first[1].lstrip().startswith("{"):
        found = _read_json_lines(path, lines, data, split)
    elif isinstance(data, DataDirectory):
        hypotheses = _read_hypotheses(path, lines, data, split)
        found = (ReadPair(pair, None) for pair in hypotheses)
    elif first[1]:
        raise InputError(
            f"{path}:{first[0]}: not a JSON object with image, question and answer; with --images "
            "give such lines. Only with its data directory can vqapg read what fairseq-generate "
            "wrote"
        )
    for pair in found:
        empty = False
        yield pair
    if empty:
        raise InputError(
            f"{path}: no pair in it (no line begins with H-, and it is not JSON lines); give JSON "
            "lines, or the generate-*.txt of a finished fairseq-generate run"
        )


def readable_records(pairs, scores=None):
    """The well-formed *pairs* as people read them, each a dict that JSON can hold.

    ``{"id", "image", "question", "answer", "score"}``, and ``"consistency"`` when *scores* gives a
    judge's score of each (image, question, answer). A score that is not known (nan) is None.
    ``"chosen_by"`` is there if a judge chose any of the pairs.
    """
    chosen = any(pair.chosen_by is not None for pair in pairs)
    for pair in pairs:
        if pair.malformed:
            continue
        record = {
            "id": pair.id,
            "image": pair.image,
            "question": detokenize(pair.question.split()),
            "answer": detokenize(pair.answer.split()),
            "score": _rounded(pair.score),
        }
        if scores is not None:
            record["consistency"] = _rounded(scores[pair.image, pair.question, pair.answer])
        if chosen:
            record["chosen_by"] = pair.chosen_by
        yield record


def _rounded(score: float) -> float | None:
    return None if math.isnan(score) else round(float(score), DECIMALS)


Lines = Iterable[tuple[int, str]]


def _read_hypotheses(
    path: Path, lines: Lines, data: DataDirectory, split: str
) -> Iterator[GeneratedPair]:
    gold = data.pairs(split)
    without = set(range(len(gold)))
    # Where the hypotheses of each id begin, and the id whose lines go on: those of an n-best list
    # stand together.
    begun: dict[int, int] = {}
    current = None
    for number, line in lines:
        head = PAIR.match(line)
        if head and int(head[1]) in begun:
            current = None  # a second block, even where it follows the first at once
        if not line.startswith("H-"):
            continue
        where = f"{path}:{number}"
        fields = HYPOTHESIS.fullmatch(line)
        if not fields:
            raise InputError(
                f"{where}: broken hypothesis line, expected H-<id>, <score> and <tokens> with "
                "tabs between; run fairseq-generate again"
            )
        id, score, text = int(fields[1]), _finite(fields[2], where) * math.log(2), fields[3]
        if id >= len(gold):
            raise InputError(
                f"{where}: id {id}, but split {split} of {data.path} has only {len(gold)} pairs; "
                "give the data directory and the split that were generated from"
            )
        if begun.setdefault(id, number) != number and id != current:
            raise InputError(
                f"{where}: pair {id} has hypotheses already, from line {begun[id]} on. Two outputs "
                "were joined, which would count pairs twice; give the output of one run"
            )
        current = id
        without.discard(id)
        yield GeneratedPair(id, gold[id].image, *split_pair(text), score)
    if 0 < len(without) < len(gold):
        # fairseq-generate writes this file as it goes: a run that was killed leaves a shorter one.
        print(
            f"warning: {path}: has no hypothesis for {len(without):,} of the {len(gold):,} pairs "
            f"of split {split}; where fairseq-generate was stopped, run it again",
            file=sys.stderr,
        )


def _read_json_lines(
    path: Path, lines: Lines, data: DataDirectory | PictureFolder, split: str
) -> Iterator[ReadPair]:
    image_named, place = images_of(data, split)
    if isinstance(data, DataDirectory) and tokenizer_version(data.manifest) != TOKENIZER_VERSION:
        print(
            f"warning: {data.path}: was made with another tokenizer than the one that now splits "
            f"{path}. A few texts differ for that reason alone, above all those with typographic "
            "quotes; make it anew with vqapg prepare",
            file=sys.stderr,
        )
    # The run of lines with one id in which a pair was met: an n-best list may hold equal pairs.
    met: dict[GeneratedPair, tuple[int, int]] = {}
    begins, current = 0, None
    for number, line in lines:
        if not line.strip():
            continue
        where = f"{path}:{number}"
        record = parse_json(
            line, where, "every line must be a JSON object with image, question and answer"
        )
        if not isinstance(record, dict):
            raise InputError(
                f"{where}: not a JSON object with image, question and answer; make it one"
            )
        for key in ("image", "question", "answer"):
            if not isinstance(record.get(key), str):
                raise InputError(f"{where}: no text under {key!r}; every line needs the three")
        id, score = record.get("id", number - 1), record.get("score")
        if not is_id(id):
            raise InputError(
                f"{where}: id {repr(id)[:40]} is no whole number from 0 to {MAX_ID}; "
                "correct or remove it"
            )
        image = image_named(record["image"])
        if image is None:
            raise InputError(f"{where}: image {record['image']!r} is not in {place}")
        question, answer = (" ".join(tokenize(record[key])) for key in ("question", "answer"))
        if not question or not answer:
            question = answer = None
        pair = GeneratedPair(id, image, question, answer, math.nan)
        if id != current:
            begins, current = number, id
        earlier = met.setdefault(pair, (begins, number))
        if earlier[0] != begins:
            raise InputError(
                f"{where}: id {id} has this pair already, at line {earlier[1]}. Two files were "
                "joined, which would count pairs twice; remove one of the lines, or its id"
            )
        score = math.nan if score is None else _finite(score, where)
        known = replace(pair, score=score, chosen_by=chooser_in(record))
        yield ReadPair(known, record)


def chooser_in(record: Mapping[str, Any]) -> str | None:
    """Which judge chose the pair of a JSON line, or of a dict; None where nobody says so."""
    chooser = record.get("chosen_by")
    return chooser if isinstance(chooser, str) else None


def images_of(
    data: DataDirectory | PictureFolder, split: str | None
) -> tuple[Callable[[str], str | None], str]:
    """How to find the image that a line names, and what to say where it is not found.

    Returns:
        (name in a line -> the image's id, or None; "PLACE; what to do")
    """
    if isinstance(data, PictureFolder):
        cure = "give the folder of its picture, and its path in it"
        return data.name_of, f"the folder {data.path}; {cure}"
    images = {name: name for name in data.image_ids(split)}
    cure = "give the data directory and the split that were generated from"
    return images.get, f"{f'split {split} of ' if split else ''}{data.path}; {cure}"


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
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(
            f"{where}: score {repr(score)[:40]} is not a finite number; correct the line"
        )
    return number
