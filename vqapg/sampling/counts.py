"""How many images and pairs a run of ``vqapg sample`` came to."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vqapg.errors import InputError
from vqapg.targets import our_json, write_json

NUMBERS = ("images", "without_pair", "pairs", "left_out", "malformed")


class Counts(NamedTuple):
    """How many images came to what, and how many pairs were kept.

    Attributes:
        images: that were read
        without_pair: images of which no pair was kept
        pairs: that were kept
        left_out: distinct pairs that --min-consistency and --keep left out
        malformed: draws that are no pair
        skipped: what was wrong with each image that was left out, its name first
        repetition: a warning where one pair stands with most images, see
            :func:`~vqapg.sampling.repetition.repetition`; files of counts do not keep it
    """

    images: int
    without_pair: int
    pairs: int
    left_out: int
    malformed: int
    skipped: list[str]
    repetition: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As they stand in a file of counts."""
        return {name: getattr(self, name) for name in (*NUMBERS, "skipped")}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Counts":
        """What :meth:`as_json` gave.

        Raises:
            KeyError, TypeError: if it is something else
        """
        images, without_pair, pairs, left_out, malformed = (int(content[n]) for n in NUMBERS)
        skipped = [str(one) for one in content["skipped"]]
        return cls(images, without_pair, pairs, left_out, malformed, skipped)

    @classmethod
    def sum(cls, several: Iterable["Counts"]) -> "Counts":
        """Of the parts of a run, those of the whole."""
        several = list(several)
        images, without_pair, pairs, left_out, malformed = (
            sum(getattr(one, name) for one in several) for name in NUMBERS
        )
        skipped = [error for one in several for error in one.skipped]
        return cls(images, without_pair, pairs, left_out, malformed, skipped)

    def describe(self, choosing: Sequence[str]) -> str:
        """The counts in words; what is 0 is not named.

        Args:
            choosing: the flags that left pairs out
        """
        left_out = counted(self.left_out, "distinct pair")
        unreadable = counted(len(self.skipped), "image")
        parts = [
            (True, f"{counted(self.pairs, 'pair')} of {counted(self.images, 'image')}"),
            (self.without_pair, f"{counted(self.without_pair, 'image')} without a pair"),
            (self.left_out, f"{left_out} left out by {' and '.join(choosing)}"),
            (self.malformed, f"{counted(self.malformed, 'malformed draw')} left out"),
            (self.skipped, f"{unreadable} left out that cannot be read"),
        ]
        return "; ".join(words for told, words in parts if told)


def counted(number: int, what: str) -> str:
    """``1 pair``, ``1,000 pairs``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


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
