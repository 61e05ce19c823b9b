"""One image in two splits, by another path, a link or a copy: found by what is in the files."""

import contextlib
import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

HEAD_BYTES = 1 << 14


class SplitImage(NamedTuple):
    """An image of a data set: its file, its split, and the ``file:line`` that names it."""

    path: Path
    split: str
    where: str


def image_in_two_splits(images: Iterable[SplitImage]) -> tuple[SplitImage, SplitImage] | None:
    """The first two of *images* that are of different splits and hold the same bytes, or None.

    Only files of one size are read: first their beginnings, then those whole that begin alike.
    A picture that was saved anew is not found. Files that are empty or cannot be read are left to
    whoever opens them.
    """
    groups = [list(images)]
    for key in (_size, _head, _digest):
        groups = [smaller for group in groups for smaller in _grouped(group, key)]
    for group in groups:
        first = group[0]
        return first, next(image for image in group if image.split != first.split)
    return None


def _grouped(images: list[SplitImage], key: Callable[[Path], object]) -> list[list[SplitImage]]:
    """The groups of equal *key* that are of more than one split, in order of their first images."""
    groups = defaultdict(list)
    for image in images:
        with contextlib.suppress(OSError):
            if value := key(image.path):
                groups[value].append(image)
    return [group for group in groups.values() if len({image.split for image in group}) > 1]


def _size(path):
    return os.stat(path).st_size


def _head(path):
    with open(path, "rb") as file:
        return file.read(HEAD_BYTES)


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
