"""Whether a model says the same thing of most images, as a collapsed one does."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from vqapg.data.tokenizer import without_full_stop

FEWEST_IMAGES = 10  # of fewer nothing is said
SHARE = 0.5  # of the images; a pair that stands with more of them is told


def repetition(entries: Iterable[Mapping[str, Any]]) -> str | None:
    """A warning where one pair stands with more than half of the images.

    Args:
        entries: of each image, as :func:`~vqapg.sampling.entries.entry_of` makes them; its pairs
            differ

    Returns:
        a line; None where there is nothing to warn of
    """
    images, found = 0, Counter[tuple[str, str]]()
    for entry in entries:
        if entry["pairs"]:
            images += 1
            found.update((pair["question"], pair["answer"]) for pair in entry["pairs"])
    if images < FEWEST_IMAGES:
        return None
    (pair, times), *_ = found.most_common(1)
    if times <= SHARE * images:
        return None
    question, answer = pair
    distinct = f"{len(found):,} distinct pair{'s' if len(found) > 1 else ''}"
    return (
        f"'{question} {without_full_stop(answer)}' is said of {times:,} of {images:,} images; "
        f"{distinct} in all"
    )
