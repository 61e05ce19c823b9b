"""How many images and pairs a run of ``vqapg sample`` came to."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vqapg.counted import counted
from vqapg.errors import InputError, printable
from vqapg.sampling.options import LONGEST
from vqapg.targets import our_json, write_json

NUMBERS = ("images", "without_pair", "pairs", "left_out", "malformed", "below_minimum", "cut")
# How many images without a pair are named.
NAMED = 5


class Counts(NamedTuple):
    """How many images came to what, and how many pairs were kept.

    Attributes:
        images: that were read
        without_pair: images of which no pair was kept
        pairs: that were kept
        left_out: distinct pairs that --min-consistency and --keep left out
        malformed: draws that are no pair
        skipped: what was wrong with each image that was left out, its name first
        below_minimum: those of *left_out* that --min-consistency left out
        cut: kept pairs with a text that was cut at the most words that are generated
        first_without_pair: the names of the first images without a pair
        repetition: a warning where one pair stands with most images, see
            :func:`~vqapg.sampling.repetition.repetition`; files of counts do not keep it
    """

    images: int
    without_pair: int
    pairs: int
    left_out: int
    malformed: int
    skipped: list[str]
    below_minimum: int = 0
    cut: int = 0
    first_without_pair: tuple[str, ...] = ()
    repetition: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As they stand in a file of counts."""
        numbers = {name: getattr(self, name) for name in NUMBERS}
        return numbers | {
            "skipped": self.skipped,
            "first_without_pair": list(self.first_without_pair),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Counts":
        """What :meth:`as_json` gave.

        Raises:
            KeyError, TypeError: if it is something else
        """
        numbers: dict[str, Any] = {name: int(content[name]) for name in NUMBERS}
        skipped = [str(one) for one in content["skipped"]]
        names = tuple(str(one) for one in content["first_without_pair"])
        return cls(**numbers, skipped=skipped, first_without_pair=names[:NAMED])

    @classmethod
    def sum(cls, several: Iterable["Counts"]) -> "Counts":
        """Of the parts of a run, those of the whole."""
        several = list(several)
        numbers: dict[str, Any] = {
            name: sum(getattr(one, name) for one in several) for name in NUMBERS
        }
        skipped = [error for one in several for error in one.skipped]
        names = tuple(name for one in several for name in one.first_without_pair)
        return cls(**numbers, skipped=skipped, first_without_pair=names[:NAMED])

    def describe(
        self, minimum: float | None = None, keep: int | None = None, cure_of_cut: str = ""
    ) -> str:
        """The counts in words; what is 0 is not named.

        Args:
            minimum: the value of --min-consistency; None where it is not known
            keep: alike of --keep
            cure_of_cut: what to do about texts that were cut
        """
        beyond = self.left_out - self.below_minimum
        of = f"of {counted(self.pairs + self.left_out, 'distinct pair')}"
        parts = [
            (True, f"{counted(self.pairs, 'pair')} of {counted(self.images, 'image')}"),
            (
                self.below_minimum,
                f"{_flag('--min-consistency', minimum)} left out {self.below_minimum:,} {of}",
            ),
            (beyond, f"{_flag('--keep', keep)} left out {beyond:,} {of}"),
            (self.without_pair, self._without_pair()),
            (self.malformed, f"{counted(self.malformed, 'malformed draw')} left out"),
            (
                self.cut,
                f"{counted(self.cut, 'pair')} cut at {LONGEST} words"
                + (f": {cure_of_cut}" if cure_of_cut else ""),
            ),
            (self.skipped, f"{counted(len(self.skipped), 'image')} left out that cannot be read"),
        ]
        return "; ".join(words for told, words in parts if told)

    def _without_pair(self) -> str:
        """How many images have no pair, and which, or the first of them."""
        told = (
            f"{counted(self.without_pair, 'image')} {'has' if self.without_pair == 1 else 'have'}"
        )
        names = printable(", ".join(self.first_without_pair))
        if len(self.first_without_pair) == self.without_pair:
            return f"{told} none: {names}"
        return f"{told} none, such as {names}" if names else f"{told} none"


def _flag(name: str, value: float | None) -> str:
    return name if value is None else f"{name} {value:g}"


def join_counts(parts: Sequence[Path], output: Path, *, overwrite: bool = False) -> Counts:
    """Write the sum of the counts in the files *parts*, and return it.

    Raises:
        InputError: if one is no file of counts, or the output may not be replaced
    """
    total = Counts.sum(read_counts(path) for path in parts)
    write_json(output, total.as_json(), overwrite=overwrite)
    return total


def read_counts(path: Path) -> Counts:
    """What :meth:`Counts.as_json` gave, from a JSON file of vqapg.

    Raises:
        InputError: if it is none
    """
    try:
        if our_json(path) is None:
            return Counts.from_json(json.loads(path.read_bytes()))
    except (KeyError, TypeError, ValueError):
        pass
    raise InputError(f"{path}: holds no counts of vqapg sample --counts; leave it out")
