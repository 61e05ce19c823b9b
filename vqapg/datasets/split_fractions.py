"""Drawing the split of images whose source tells none."""

import hashlib
import math
from collections.abc import Iterable
from pathlib import Path

from vqapg.datasets.reader import SPLITS
from vqapg.errors import InputError

CURE = f"give one of {', '.join(SPLITS)}, or three fractions of the images, such as 0.8,0.1,0.1"


def fractions_of(text: str) -> tuple[float, ...]:
    """What ``--split`` says: the fraction of each of SPLITS.

    Raises:
        InputError: if it is neither a split nor three fractions that sum to 1
    """
    if text in SPLITS:
        return tuple(float(split == text) for split in SPLITS)
    try:
        fractions = tuple(float(part) for part in text.split(","))
    except ValueError:
        fractions = ()
    if len(fractions) != len(SPLITS) or not all(0 <= one <= 1 for one in fractions):
        raise InputError(f"--split {text}: is no split; {CURE}")
    if not math.isclose(sum(fractions), 1, abs_tol=1e-6):
        raise InputError(
            f"--split {text}: the fractions sum to {sum(fractions):g}, not to 1; {CURE}"
        )
    return fractions


def draw_splits(
    images: Iterable[str], folder: Path, fractions: tuple[float, ...], seed: int
) -> dict[str, str]:
    """The split of each image; copies of one picture have one split.

    An image's place in the drawing depends on the seed and its bytes alone. A picture that is added
    later moves others only where a fraction ends.

    Args:
        images: their paths, relative to *folder* or absolute
        folder: see *images*
        fractions: of the distinct images, for each of SPLITS
        seed: of the drawing

    Raises:
        InputError: if an image cannot be read
    """
    # One fraction of 1 needs no drawing, and so no reading.
    if 1.0 in fractions:
        return dict.fromkeys(images, SPLITS[fractions.index(1.0)])
    drawn = {image: _place(folder / image, seed) for image in images}
    places = sorted(set(drawn.values()))
    ends = [round(len(places) * sum(fractions[: number + 1])) for number in range(len(SPLITS))]
    split_of = {
        place: next(split for split, end in zip(SPLITS, ends, strict=True) if rank < end)
        for rank, place in enumerate(places)
    }
    return {image: split_of[place] for image, place in drawn.items()}


def _place(path: Path, seed: int) -> bytes:
    try:
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); put it back, or delete its lines"
        ) from error
    return hashlib.sha256(str(seed).encode() + b"\0" + content).digest()
