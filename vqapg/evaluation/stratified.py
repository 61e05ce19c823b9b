"""How many of a file's pairs are right: an estimate from a few judged ones, in strata by a judge.

The judge splits the distinct triples into those that it accepts and rejects. People look at a
sample of each. The judge may be wrong: it then makes the interval wide, but never false.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vqapg.errors import InputError
from vqapg.evaluation.judged import CONSISTENT_ABOVE
from vqapg.evaluation.proportions import Interval, more_judgements, seen, weighted_sum, wilson

# So that an unexpected stratum shows itself: half of 10 wrong are seen, half of 2 easily not.
FEWEST = 10


@dataclass(frozen=True)
class Stratum:
    """A part of a file's distinct triples, by the judge's score.

    Attributes:
        size: how many triples are in it, N_h
        judged: how many of them people found right or wrong, n_h; "cannot tell" is left out
        right: how many of those are right

    Raises:
        ValueError: unless 0 <= right <= judged <= size
    """

    size: int
    judged: int
    right: int

    def __post_init__(self) -> None:
        if not 0 <= self.right <= self.judged <= self.size:
            raise ValueError(f"{self}: wants 0 <= right <= judged <= size")


@dataclass(frozen=True)
class Estimate:
    """The share of right triples in a file, with its 95% interval.

    Attributes:
        value: the share
        low: the lower end of the interval
        high: the upper end
        strata: what it was computed from, those without triples left out
    """

    value: float
    low: float
    high: float
    strata: tuple[Stratum, ...]

    @property
    def size(self) -> int:
        """How many triples the file has, N."""
        return sum(stratum.size for stratum in self.strata)

    @property
    def judged(self) -> int:
        """How many of them were judged, n."""
        return sum(stratum.judged for stratum in self.strata)

    @property
    def people_alone(self) -> tuple[float, float]:
        """The interval of as many judgements, had they been drawn without strata."""
        return _simple(self.value, self.judged, self.size)

    @property
    def effective_size(self) -> float:
        """How many triples, drawn from the file without strata, give an interval as narrow.

        In a large sample of a large file this is theta (1 - theta) / V, with V = (width / 3.92)^2.
        That ratio is 0 where all are right, and the finite population would swell it.
        """
        few, many = 0.0, float(self.size)
        for _ in range(60):
            middle = (few + many) / 2
            low, high = _simple(self.value, middle, self.size)
            few, many = (middle, many) if high - low > self.high - self.low else (few, middle)
        return many

    def more_for(self, half_width: float = 0.02) -> int:
        """How many more judgements make the interval at most *half_width* to each side, on average.

        The strata's shares are taken to stay as they are. This is (1.96 / half_width)^2 times the
        sum of W_h p_h (1 - p_h), less those judged, for a large sample of a large file.

        Args:
            half_width: of the interval, as a share

        Raises:
            ValueError: unless *half_width* is above 0
        """
        sizes, judged, right = columns(self.strata)
        return more_judgements(sizes / self.size, sizes, judged, right, half_width)

    def beyond_file(self, design_effect: float = 1.0) -> tuple[float, float]:
        """The interval for images like these, of which the file's are taken as a sample.

        The file's own Wilson interval, as of N / design_effect triples, joins that of the estimate
        by MOVER.

        Args:
            design_effect: of the whole file's triples, by image
                (:func:`~vqapg.evaluation.file_design_effect.file_design_effect`)
        """
        file = wilson(self.value, self.size / design_effect)
        return (
            max(0.0, self.value - math.hypot(self.value - self.low, self.value - float(file.low))),
            min(
                1.0, self.value + math.hypot(self.high - self.value, float(file.high) - self.value)
            ),
        )


def stratified_estimate(strata: Sequence[Stratum]) -> Estimate:
    """Estimates the share of right triples from the judged ones of each stratum.

    The interval is Wilson's in each stratum, joined by MOVER with the finite population correction.
    One stratum alone has Wilson's interval. It holds for the triples of this file.

    Args:
        strata: in any order; together they are the file

    Raises:
        InputError: if nothing is judged
    """
    strata = tuple(stratum for stratum in strata if stratum.size)
    sizes, judged, right = columns(strata)
    if not judged.sum():
        raise InputError("no pair is judged right or wrong yet; judge some, then estimate")
    interval = weighted_sum(sizes / sizes.sum(), sizes, judged, right)
    return estimate_of(interval, strata)


def estimate_of(interval: Interval, strata: tuple[Stratum, ...]) -> Estimate:
    """The estimate with this *interval* of a share; rounding can leave its ends outside 0 to 1."""
    value, low, high = (min(1.0, max(0.0, float(number))) for number in interval)
    return Estimate(value, low, high, strata)


def bounds_of_undecided(
    strata: Sequence[Stratum], undecided: Sequence[int]
) -> tuple[Estimate, Estimate]:
    """The estimates if all that people could not tell were wrong, and if all were right.

    Args:
        strata: as :func:`stratified_estimate` takes them
        undecided: how many of each stratum were looked at and left out
    """
    pairs = list(zip(strata, undecided, strict=True))
    wrong = [replace(s, judged=s.judged + n) for s, n in pairs]
    right = [replace(s, judged=s.judged + n, right=s.right + n) for s, n in pairs]
    return stratified_estimate(wrong), stratified_estimate(right)


def allocate(sizes: Sequence[int], n: int) -> list[int]:
    """How many triples of each stratum are judged: in proportion, and at least ten where there are.

    Args:
        sizes: of the strata
        n: how many in all; the least number of a small stratum can add some

    Raises:
        InputError: if *n* is below 1
    """
    if n < 1:
        raise InputError(f"n {n}: must be 1 or more; give how many pairs people will judge")
    total = sum(sizes)
    return [min(size, max(FEWEST, round(n * size / total))) if size else 0 for size in sizes]


def strata_by_score(scores: NDArray[np.floating]) -> list[NDArray[np.int64]]:
    """The strata of the triples with these *scores* ``[T]``, each as indices into them.

    Returns:
        rejected, accepted, and those of which the judge cannot tell (NaN); any can be empty
    """
    accepted = scores > CONSISTENT_ABOVE
    unknown = np.isnan(scores)
    return [np.flatnonzero(part) for part in (~accepted & ~unknown, accepted, unknown)]


def draw(scores: NDArray[np.floating], n: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Draws the triples that people judge, without replacement within strata.

    A greater *n* with a generator of the same seed draws the same triples and more. Shuffle the
    strata together before people see them: the judge's opinion must not show.

    Args:
        scores: the judge's ``[T]``, of all distinct triples of the file
        n: how many in all, as :func:`allocate` takes it
        rng: draws

    Returns:
        the indices that were drawn of each of :func:`strata_by_score`, in order of drawing

    Raises:
        InputError: as :func:`allocate`
    """
    strata = strata_by_score(scores)
    numbers = allocate([len(stratum) for stratum in strata], n)
    # The whole stratum is shuffled, so that what is drawn does not depend on how many.
    return [rng.permutation(stratum)[:number] for stratum, number in zip(strata, numbers)]


def columns(strata: Iterable[Stratum]) -> NDArray[np.float64]:
    """Sizes, judged and right of the strata: ``[3, H]``."""
    return np.array([[s.size, s.judged, s.right] for s in strata], float).reshape(-1, 3).T


def _simple(share: float, judged: float, size: int) -> tuple[float, float]:
    """Wilson's interval of a sample without strata, with the finite population correction."""
    interval = wilson(share, seen(judged, judged, size))
    return float(interval.low), float(interval.high)
