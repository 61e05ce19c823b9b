"""Simulated files of generated pairs, and draws from them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqapg.evaluation.proportions import Interval, weighted_sum, wilson
from vqapg.evaluation.stratified import allocate

PAIRS_OF_IMAGE = 10
# Shares of right triples and sizes of the simulated files.
FILES = [(share, size) for share in (0.5, 0.75, 0.93) for size in (600, 6000)]
# Which share of the right triples an evaluator accepts, and which of the wrong ones it rejects.
EVALUATORS = {
    "perfect": (1.0, 1.0),
    "good": (0.97, 0.85),
    "weak": (0.9, 0.6),
    "on photographs": (0.85, 0.37),
    "shuffled": (0.8, 0.2),
}
# What sums of weights may miss the truth by, where an interval has no width.
ROUNDING = 1e-9


class Population(NamedTuple):
    """Simulated files.

    Attributes:
        right: right triples of [rejected, accepted]: ``[D, 2]``
        sizes: of the two strata: ``[D, 2]``
    """

    right: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @property
    def truth(self) -> NDArray[np.float64]:
        """The share of right triples: ``[D]``."""
        return self.right.sum(1) / self.sizes.sum(1)


def image_rates(
    rng: np.random.Generator, share: float, correlation: float, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """The chance of a right triple by image; *correlation* is that of two triples of one image."""
    if correlation == 0:
        return np.full(shape, share)
    count = 1 / correlation - 1
    return rng.beta(share * count, (1 - share) * count, size=shape)


def design_effect(correlation: float) -> float:
    """How many times the variance of a file's share grows with that of its images."""
    return 1 + (PAIRS_OF_IMAGE - 1) * correlation


def simulate(
    rng: np.random.Generator, draws: int, file: tuple[float, int], correlation: float
) -> NDArray[np.int64]:
    """How many triples of each simulated file are right: ``[D]``."""
    share, size = file
    rates = image_rates(rng, share, correlation, (draws, size // PAIRS_OF_IMAGE))
    return rng.binomial(PAIRS_OF_IMAGE, rates).sum(1)


def judged_by(
    rng: np.random.Generator, right: NDArray[np.int64], size: int, evaluator: tuple[float, float]
) -> Population:
    """The strata that an evaluator makes of files with *right* right triples ``[D]``."""
    accepts, rejects = evaluator
    accepted_right = rng.binomial(right, accepts)
    accepted = accepted_right + rng.binomial(size - right, 1 - rejects)
    return Population(
        np.stack([right - accepted_right, accepted_right], 1),
        np.stack([size - accepted, accepted], 1),
    )


def found_right(
    rng: np.random.Generator, population: Population, judged: NDArray[np.int64], error: float = 0.0
) -> NDArray[np.int64]:
    """How many of the drawn triples judges call right, a share *error* of marks being false."""
    right = rng.hypergeometric(population.right, population.sizes - population.right, judged)
    return rng.binomial(right, 1 - error) + rng.binomial(judged - right, error)


def estimate(
    rng: np.random.Generator, population: Population, n: int, error: float = 0.0
) -> Interval:
    """The stratified estimate of one draw of *n* from each file: ``[D]``."""
    judged = np.array([allocate(sizes, n) for sizes in population.sizes.tolist()])
    right = found_right(rng, population, judged, error)
    weights = population.sizes / population.sizes.sum(1, keepdims=True)
    return weighted_sum(weights, population.sizes, judged, right)


def alone(rng: np.random.Generator, population: Population, n: int) -> Interval:
    """Wilson's interval of *n* judgements without strata, and without the finite population."""
    right, size = population.right.sum(1), population.sizes.sum(1)
    return wilson(rng.hypergeometric(right, size - right, n) / n, n)


def covers(interval: Interval, truth: NDArray[np.float64]) -> float:
    """Which share of the intervals holds the truth, in percent."""
    held = (interval.low <= truth + ROUNDING) & (truth <= interval.high + ROUNDING)
    return float(100 * held.mean())


def populations(
    rng: np.random.Generator, draws: int, evaluator: tuple[float, float], correlation: float
) -> Iterator[Population]:
    """*draws* simulated files of each kind."""
    for file in FILES:
        yield judged_by(rng, simulate(rng, draws, file, correlation), file[1], evaluator)
