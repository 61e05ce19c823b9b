"""Platt scaling: what a judge's score means as a probability of being right.

Source: Platt, 1999, "Probabilistic Outputs for Support Vector Machines". The fit is Newton's, as in
Lin, Lin and Weng, 2007, "A Note on Platt's Probabilistic Outputs".
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqapg.errors import InputError

# Scores of 0 and 1 have no log-odds.
CLIPPED = 1e-6
STEPS = 100
CONVERGED = 1e-10


class Calibration(NamedTuple):
    """``sigmoid(slope * logit(score) + offset)``.

    Attributes:
        slope: 1 for a judge whose log-odds are right; 0 for one whose scores tell nothing
        offset: 0 for a judge that is right as it is
        n: the labelled triples that it was fitted to
        negatives: the kind of the wrong ones (:mod:`vqapg.data.negatives`); empty where unknown
    """

    slope: float
    offset: float
    n: int
    negatives: str = ""

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probabilities ``[M]``; NaN stays NaN."""
        return _sigmoid(self.slope * log_odds(scores) + self.offset)


def fit(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> Calibration:
    """The calibration under which the labels are most probable.

    The labels are not 1 and 0 but (P + 1) / (P + 2) and 1 / (N + 2), for P right triples and N
    wrong ones, as Platt has them. So the fit exists also where the scores tell the two apart. A
    slope below zero would turn a judge's opinion round; then it is 0.

    Args:
        scores: ``[M]``; those that are NaN are left out
        right: ``[M]``, the labels

    Raises:
        InputError: if no right triple, or no wrong one, has a score
    """
    told = ~np.isnan(scores)
    right, odds = right[told], log_odds(scores[told])
    positives, negatives = int(right.sum()), int((~right).sum())
    if not positives or not negatives:
        raise InputError(
            f"--judge mean: a judge can tell of {positives:,} right and {negatives:,} wrong pairs "
            "of the valid split, and needs both; leave that judge out"
        )
    target = np.where(right, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    slope, offset = _newton(np.stack([odds, np.ones_like(odds)], axis=1), target)
    if slope < 0:
        slope, offset = 0.0, float(_newton(np.ones((len(odds), 1)), target)[0])
    return Calibration(float(slope), float(offset), len(odds))


def log_odds(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(s / (1 - s)) of scores ``[M]``, which are first kept away from 0 and 1."""
    clipped = np.clip(scores, CLIPPED, 1 - CLIPPED)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def _newton(inputs: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights of the logistic regression of *target* ``[M]`` on *inputs* ``[M, K]``."""
    weights = np.zeros(inputs.shape[1])
    loss = _loss(weights, inputs, target)
    for _ in range(STEPS):
        predicted = _sigmoid(inputs @ weights)
        gradient = inputs.T @ (predicted - target)
        hessian = (inputs.T * (predicted * (1 - predicted))) @ inputs
        # A judge that gives one score only leaves the slope open.
        step = np.linalg.solve(hessian + 1e-12 * np.eye(len(weights)), gradient)
        size = 1.0
        while size > CONVERGED and _loss(weights - size * step, inputs, target) > loss:
            size /= 2
        weights = weights - size * step
        previous, loss = loss, _loss(weights, inputs, target)
        if previous - loss < CONVERGED * len(target):
            break
    return weights


def _loss(weights: NDArray[Any], inputs: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    """Cross-entropy, in nats."""
    odds = inputs @ weights
    return float((np.logaddexp(0, odds) - target * odds).sum())


def _sigmoid(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-np.logaddexp(0, -odds)))
