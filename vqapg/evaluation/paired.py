"""How far two files differ in their share of right triples, from judgements of what they differ in.

With A's N_A triples and B's N_B, a triple of A alone weighs 1 / N_A in the difference, one of B
alone -1 / N_B, and one of both 1 / N_A - 1 / N_B. So where the files are equally long, nobody need
judge what they share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqapg.errors import InputError
from vqapg.evaluation.proportions import more_judgements, weighted_sum
from vqapg.evaluation.stratified import FEWEST, Stratum, columns

Owner = Literal["first", "second", "both"]


class Part(NamedTuple):
    """A stratum of the triples that only the first file has, only the second, or both.

    Attributes:
        owner: which of the files has these triples
        stratum: how many they are, and how many of them were judged
    """

    owner: Owner
    stratum: Stratum


@dataclass(frozen=True)
class Difference:
    """The first file's share of right triples minus the second's, with its 95% interval.

    Attributes:
        value: the difference
        low: the lower end of the interval
        high: the upper end
        parts: what it was computed from
    """

    value: float
    low: float
    high: float
    parts: tuple[Part, ...]

    @property
    def judged(self) -> int:
        """How many triples were judged."""
        return sum(part.stratum.judged for part in self.parts)

    def more_for(self, half_width: float = 0.02) -> int:
        """How many more judgements make the interval at most *half_width* to each side, on average.

        Args:
            half_width: of the interval, as a share

        Raises:
            ValueError: unless *half_width* is above 0
        """
        weights, sizes, judged, right = _terms(self.parts)
        return more_judgements(weights, sizes, judged, right, half_width)


def allocate_paired(sizes: Sequence[tuple[Owner, int]], n: int) -> list[int]:
    """How many triples of each part are judged: in proportion to its weight in the difference.

    A part of one file alone has at least ten, where there are so many. What both have may have
    none: its weight is small, and zero where the files are equally long.

    Args:
        sizes: the owner and the size of each part
        n: how many in all; the least numbers can add some

    Raises:
        InputError: if *n* is below 1, or a file has no triple
    """
    if n < 1:
        raise InputError(f"n {n}: must be 1 or more; give how many pairs people will judge")
    weights = np.abs(_terms([Part(owner, Stratum(size, 0, 0)) for owner, size in sizes])[0])
    total = weights.sum() or 1.0
    return [
        min(size, max(0 if owner == "both" else FEWEST, round(n * weight / total)))
        for (owner, size), weight in zip(sizes, weights.tolist())
    ]


def paired_difference(parts: Sequence[Part]) -> Difference:
    """Estimates the first file's share of right triples minus the second's.

    Args:
        parts: all of them, in any order; those of what both files have too, though none is judged

    Raises:
        InputError: if a file has no triple, or the files differ and nothing is judged
    """
    parts = tuple(part for part in parts if part.stratum.size)
    weights, sizes, judged, right = _terms(parts)
    if weights.any() and not judged.sum():
        raise InputError("no pair is judged right or wrong yet; judge some, then compare")
    interval = weighted_sum(weights, sizes, judged, right)
    return Difference(float(interval.value), float(interval.low), float(interval.high), parts)


def _terms(parts: Sequence[Part]) -> tuple[NDArray[np.float64], ...]:
    """Weights, sizes, judged and right of the parts, ``[H]`` each."""
    sizes, judged, right = columns(part.stratum for part in parts)
    weights = np.zeros(len(parts))
    for sign, file in ((1, "first"), (-1, "second")):
        has = np.array([part.owner in (file, "both") for part in parts], dtype=bool)
        total = sizes[has].sum()
        if not total:
            raise InputError(f"the {file} of the two files has no well-formed pair; give another")
        weights += sign * has * sizes / total
    return weights, sizes, judged, right
