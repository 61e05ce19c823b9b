"""Choosing a set of an image's pairs that is consistent *and* diverse.

Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998,
https://doi.org/10.1145/290941.291025): one after the other, the pair with the largest (1 - d) *
score - d * (its similarity to the kept pair that it is most alike). d, ``--diversity``, is the one
number of the trade-off: at 0 the score alone decides, at 1, after the first, only how unlike the
kept ones a pair is.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vqapg.sampling.options import DIVERSITY


def choose(
    scores: ArrayLike,
    similarity: NDArray[np.floating],
    keep: int | None = None,
    minimum: float | None = None,
    diversity: float = DIVERSITY,
    questions: Sequence[str] | None = None,
) -> list[int]:
    """Which pairs to keep: their indices, in the order they are chosen, the best score first.

    Args:
        scores: ``[M]``, how consistent each pair is, in [0, 1]; NaN, not known, is below every
            minimum, and else 0
        similarity: ``[M, M]``, in [0, 1]
        keep: how many at most; None: all
        minimum: none with a lower score is kept; None: no minimum
        diversity: d in [0, 1]
        questions: of each pair: of one question only the best-scored pair may be kept, as two
            answers contradict each other; None: any

    Of equals the earlier is kept.
    """
    given = np.asarray(scores, dtype=np.float64)
    left = np.full(len(given), True) if minimum is None else given >= minimum
    known = np.nan_to_num(given, nan=0.0)
    if questions is not None:
        left &= _best_of_each(questions, known)
    most_alike = np.zeros(len(known))
    chosen: list[int] = []
    while left.any() and (keep is None or len(chosen) < keep):
        # The first is the best one whatever d is: nothing is kept yet that it could be unlike.
        value = (1 - diversity) * known - diversity * most_alike if chosen else known
        best = int(np.argmax(np.where(left, value, -np.inf)))
        chosen.append(best)
        left[best] = False
        most_alike = np.maximum(most_alike, similarity[best])
    return chosen


def _best_of_each(questions: Sequence[str], scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which pairs have the best score of their question, ``[M]``; of equals the first."""
    best: dict[str, int] = {}
    for place, question in enumerate(questions):
        if question not in best or scores[place] > scores[best[question]]:
            best[question] = place
    return np.isin(np.arange(len(scores)), list(best.values()))


def pair_similarity(pairs: Sequence[tuple[str, str]]) -> NDArray[np.floating]:
    """How alike pairs are, ``[M, M]``: shared / all of the words and word pairs of their "question
    answer" (Jaccard).

    Two answers to one question count as wholly alike: at most one of them tells something new, and
    mostly one of them is wrong.

    Args:
        pairs: (question, answer) each, texts as space-joined tokens
    """
    number: dict[object, int] = {}
    grams = [[number.setdefault(gram, len(number)) for gram in _grams(*pair)] for pair in pairs]
    # [M, G]: which grams a pair has
    has = np.zeros((len(pairs), len(number)), dtype=np.float32)
    for row, columns in zip(has, grams):
        row[columns] = 1
    shared = has @ has.T
    sizes = has.sum(axis=1)
    similarity: NDArray[np.floating] = shared / np.maximum(sizes[:, None] + sizes - shared, 1)
    questions = np.array([question for question, _ in pairs], dtype=object)
    similarity[questions[:, None] == questions] = 1
    return similarity


def _grams(question: str, answer: str) -> set[str | tuple[str, str]]:
    words = f"{question} {answer}".split()
    return {*words, *pairwise(words)}
