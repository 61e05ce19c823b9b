"""What a judge says of pairs, one number each."""

import os

import numpy as np
from numpy.typing import NDArray

from vqapg.data.directory import DataDirectory
from vqapg.evaluation.given_pairs import Pairs, as_directory, given_pairs
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Judge, make_judge, score_triples


def score(
    data: str | os.PathLike[str] | DataDirectory,
    pairs: Pairs,
    *,
    judge: str | Judge,
    split: str | None = None,
) -> NDArray[np.float64]:
    """How sure a judge is that the answer of each pair is right.

        >>> import vqapg
        >>> pairs = [("test/images/7.png", "What color is the shape?", "blue")]
        >>> vqapg.score("data/easy", pairs, judge="truth:easy-vqa")

    Args:
        data: the data directory that the images are in
        pairs: as :func:`~vqapg.evaluation.given_pairs.given_pairs` takes them
        judge: as ``vqapg evaluate --judge`` takes it, or a
            :class:`~vqapg.judges.judge.Judge`
        split: of the images; None: any, and ``test`` for a file

    Shape:
        - returns ``[M]``, in the order of *pairs*; of a file, in the order of ids

    Returns:
        numbers in [0, 1]; NaN for a malformed pair, and where the judge cannot tell

    Raises:
        InputError: on what cannot be read or judged
    """
    directory = as_directory(data)
    given = given_pairs(pairs, directory, split)
    scores = np.full(len(given), np.nan)
    triples = {
        place: (pair.image, pair.question, pair.answer)
        for place, pair in enumerate(given)
        if pair.question is not None and pair.answer is not None
    }
    made = make_judge(judge, JudgeContext(directory, split))
    scores[list(triples)] = score_triples(made, list(triples.values()))
    return scores
