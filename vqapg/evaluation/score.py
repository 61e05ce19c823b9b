"""What a judge says of pairs, one number each."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqapg.data.directory import DataDirectory
from vqapg.data.picture_folder import PictureFolder
from vqapg.data.tokenizer import detokenize
from vqapg.evaluation.generated import DECIMALS, GeneratedPair, ReadPair, read_records
from vqapg.evaluation.given_pairs import Data, Pairs, given_pairs, judge_context, place_of_images
from vqapg.evaluation.judge_verdict import verdict_on_chosen
from vqapg.judges.judge import Judge, make_judge, score_triples

# What stands at the end of each line that `vqapg score` writes.
MARK = ("consistency", "judge")


def score(
    data: Data | None = None,
    pairs: Pairs | None = None,
    *,
    judge: str | Judge,
    images: str | os.PathLike[str] | None = None,
    split: str | None = None,
    weights: str = "imagenet",
) -> NDArray[np.float64]:
    """How sure a judge is that the answer of each pair is right.

    Examples:
        >>> import vqapg
        >>> pairs = [("test/images/7.png", "What color is the shape?", "blue")]
        >>> vqapg.score("data/easy", pairs, judge="truth:easy-vqa")
        >>> vqapg.score(images="photos", pairs="pairs.jsonl", judge="evaluator:evaluator.pt")

    Args:
        data: the data directory that the images are in
        pairs: the path of ``generate-<split>.txt`` or of JSON lines; or pairs in memory, each a
            tuple of the texts image, question and answer, or a dict with these keys
        judge: as ``vqapg evaluate --judge`` takes it, or a ``Judge``
        images: instead of *data*, the folder that the pictures are in
        split: of the images; None: any, and ``test`` for a file
        weights: with *images*, of the backbone that made the features of a trained judge

    Shape:
        - returns ``[M]``

    Returns:
        numbers in [0, 1], in the order of *pairs*; of a file, in the order of ids; NaN for a
            malformed pair, and where the judge cannot tell

    Raises:
        InputError: on what cannot be read or judged
    """
    place = place_of_images(data, images, split)
    given = given_pairs(pairs, place, split)
    return _scores(given, make_judge(judge, judge_context(place, split, weights)))


class Scored(NamedTuple):
    """What ``vqapg score`` makes of a file.

    Attributes:
        lines: the lines of the output
        warning: what P by this judge is worth, where the judge itself chose pairs; else None
    """

    lines: list[dict[str, Any]]
    warning: str | None


def scored_lines(
    place: DataDirectory | PictureFolder,
    pairs: str | os.PathLike[str],
    *,
    judge: str,
    split: str | None = None,
    weights: str = "imagenet",
) -> Scored:
    """Each line of a file of pairs with its score: what ``vqapg score`` writes.

    A JSON line keeps all it has. The score stands at its end, under ``consistency`` as ``vqapg
    sample`` has it, and is None where there is none; the judge's name follows it.

    Args:
        place: of the images
        pairs: the file
        judge: as ``--judge`` takes it
        split, weights: as :func:`score`

    Raises:
        InputError: on what cannot be read or judged
    """
    read = list(read_records(pairs, place, split or "test"))
    made = make_judge(judge, judge_context(place, split, weights))
    given = [one.pair for one in read]
    verdict = verdict_on_chosen(made, [pair.chosen_by for pair in given])
    lines = list(_lines(read, _scores(given, made), made.name))
    return Scored(lines, None if verdict is None else verdict["text"])


def _lines(
    read: list[ReadPair], scores: NDArray[np.float64], judge: str
) -> Iterator[dict[str, Any]]:
    for (pair, record), value in zip(read, scores, strict=True):
        kept = {key: known for key, known in (record or _readable(pair)).items() if key not in MARK}
        yield kept | {
            "consistency": None if np.isnan(value) else round(float(value), DECIMALS),
            "judge": judge,
        }


def _readable(pair: GeneratedPair) -> dict[str, Any]:
    """A hypothesis as a JSON line. Of a malformed one both texts are empty, which reads as such."""
    question, answer = (detokenize((text or "").split()) for text in (pair.question, pair.answer))
    return {
        "id": pair.id,
        "image": pair.image,
        "question": question,
        "answer": answer,
        "score": round(pair.score, DECIMALS),
    }


def _scores(pairs: list[GeneratedPair], judge: Judge) -> NDArray[np.float64]:
    scores = np.full(len(pairs), np.nan)
    triples = {
        place: (pair.image, pair.question, pair.answer)
        for place, pair in enumerate(pairs)
        if pair.question is not None and pair.answer is not None
    }
    scores[list(triples)] = score_triples(judge, list(triples.values()))
    return scores
