"""What is known of each image of a run: its entry, and what comes of all entries."""

import base64
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from vqapg.data.input_image import InputImage
from vqapg.export.records import CHOSEN_BY
from vqapg.sampling.counts import NAMED, Counts
from vqapg.sampling.journal import Journal
from vqapg.sampling.options import SamplingOptions
from vqapg.sampling.repetition import repetition

if TYPE_CHECKING:
    from vqapg.sampling.sampled_pair import Sampled

# What an image's pairs and an entry have, and counts have the sum of.
SUMMED = ("left_out", "malformed", "below_minimum", "cut")


class Entries:
    """Entries in memory, of few images; a :class:`~vqapg.sampling.journal.Journal` has files.

    Args:
        images: that entries are wanted of
    """

    def __init__(self, images: Sequence[InputImage]) -> None:
        self.images = list(images)
        self._entries: dict[str, dict[str, Any]] = {}

    def left(self) -> list[InputImage]:
        """The images that have no entry."""
        return [image for image in self.images if image.name not in self._entries]

    def add(self, entry: dict[str, Any]) -> None:
        """Take *entry* up, with "image", a name."""
        self._entries[entry["image"]] = entry

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yields the entries in the order of the images."""
        for image in self.images:
            if image.name in self._entries:
                yield self._entries[image.name]


def count(entries: Entries | Journal, skipped: list[str]) -> Counts:
    """What the *entries* come to.

    Args:
        entries: of the images that could be read
        skipped: what was wrong with each of the others
    """
    images = without_pair = pairs = 0
    summed: dict[str, Any] = dict.fromkeys(SUMMED, 0)
    names: list[str] = []
    for entry in entries.entries():
        images += 1
        pairs += len(entry["pairs"])
        for name in SUMMED:
            summed[name] += entry[name]
        if not entry["pairs"]:
            without_pair += 1
            names += [entry["image"]] if len(names) < NAMED else []
    return Counts(
        images=images,
        without_pair=without_pair,
        pairs=pairs,
        skipped=skipped,
        first_without_pair=tuple(names),
        repetition=repetition(entries.entries()),
        **summed,
    )


def records_of(
    entries: Entries | Journal,
    options: SamplingOptions,
    model: str,
    *,
    judged: bool,
    chooser: str | None,
    split: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Yields each pair as it is written to files, see :mod:`vqapg.export.outputs`.

    Args:
        entries: in whose order the pairs come
        options: that they were drawn by
        model: its name
        judged: whether there was a judge
        chooser: the name of the judge that chose the pairs; None where all were kept
        split: of a data directory that the images are of; None: they are of none
    """
    for entry in entries.entries():
        for pair in entry["pairs"]:
            yield {
                "image": entry["image"],
                "question": pair["question"],
                "answer": pair["answer"],
                "score": pair["score"],
                **({"consistency": pair["consistency"]} if judged else {}),
                **({} if chooser is None else {CHOSEN_BY: chooser}),
                "seed": options.seed,
                "draw": pair["draw"],
                "model": model,
                **({} if split is None else {"split": split}),
            }


def entry_of(name: str, number: int, sampled: "Sampled") -> dict[str, Any]:
    """The pairs of an image as they are kept, a dict that JSON can hold.

    Args:
        name: of the image
        number: of its content
        sampled: its pairs
    """
    return {
        "image": name,
        "number": number,
        **{name: getattr(sampled, name) for name in SUMMED},
        "pairs": [
            {
                "question": pair.question,
                "answer": pair.answer,
                "score": pair.score,
                "consistency": pair.consistency,
                "draw": pair.draw,
                "weights": {
                    text: base64.b64encode(weights.as_bytes()).decode()
                    for text, weights in pair.region_weights.items()
                },
            }
            for pair in sampled
        ],
    }
