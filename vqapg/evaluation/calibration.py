"""How well scores tell positives from negatives, and whether they can be read as probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.metric import Figure

# Of equal width, over the scores 0 to 1.
BINS = 10

Weights = NDArray[np.float64]


class AreaUnderCurve:
    """Area under the ROC curve: the probability that a positive scores above a negative, a tie
    counting half.

    Args:
        scores: ``[M]``
        positive: bool ``[M]``
    """

    def __init__(self, scores: ArrayLike, positive: ArrayLike) -> None:
        distinct, self.rank = np.unique(scores, return_inverse=True)
        self.positive, self.ranks = np.asarray(positive, dtype=bool), len(distinct)

    def of(self, weights: Weights) -> float:
        """With each score counted ``weights [M]`` times; nan where positives or negatives have no
        weight.
        """
        positives, negatives = (
            np.bincount(self.rank[which], weights[which], minlength=self.ranks)
            for which in (self.positive, ~self.positive)
        )
        everything = positives.sum() * negatives.sum()
        below = np.cumsum(negatives) - negatives
        return float(positives @ (below + negatives / 2) / everything) if everything else np.nan


class CalibrationError:
    """Expected calibration error: sum over bins of share of all scores * |share of positives - mean
    score|.

    Args:
        scores: ``[M]`` in [0, 1]
        positive: bool ``[M]``
    """

    def __init__(self, scores: ArrayLike, positive: ArrayLike) -> None:
        self.scores: Weights = np.asarray(scores, dtype=np.float64)
        self.positive: Weights = np.asarray(positive, dtype=np.float64)
        self.bin = np.minimum((self.scores * BINS).astype(np.int64), BINS - 1)

    def totals(self, weights: Weights) -> tuple[Weights, ...]:
        """By bin ``[BINS]``: how many scores, their sum, how many positives."""
        return tuple(
            np.bincount(self.bin, weights * value, minlength=BINS).astype(np.float64)
            for value in (np.ones_like(self.scores), self.scores, self.positive)
        )

    def of(self, weights: Weights) -> float:
        """With each score counted ``weights [M]`` times; nan without any weight."""
        counts, scores, positives = self.totals(weights)
        return float(np.abs(positives - scores).sum() / counts.sum()) if counts.sum() else np.nan

    def bins(self) -> list[dict[str, Any]]:
        """A dict for each bin that has scores: its bounds, n, the mean score and the share of
        positives.
        """
        return [
            {
                "from": b / BINS,
                "to": (b + 1) / BINS,
                "n": int(n),
                "mean_score": score / n,
                "positive": positive / n,
            }
            for b, (n, score, positive) in enumerate(
                zip(*map(np.ndarray.tolist, self.totals(np.ones(len(self.scores)))))
            )
            if n
        ]


def measured_figure(
    measure: AreaUnderCurve | CalibrationError,
    image: NDArray[np.int64] | Sequence[int],
    bootstrap: ImageBootstrap,
) -> Figure:
    """A measure of M scores as a figure with its interval.

    Args:
        measure: made of the scores
        image: ``[M]``, the number of the image with which each score is drawn
        bootstrap: over the images
    """
    image = np.asarray(image, dtype=np.int64)
    value = measure.of(np.ones(len(image)))
    if np.isnan(value):
        return {"value": None, "n": len(image), "ci95": None}
    interval = bootstrap.statistic(
        image, lambda weights: measure.of(weights[image].astype(float)), (0.0, 1.0)
    )
    return {"value": value, "n": len(image), "ci95": interval}
