"""Where question-answer pairs come from: one module a data set, each turning its files into the same records.

A module of READERS has ``OPTIONS``, the names of the ``vqapg prepare`` options that shape what it reads, and
``read(source, **options) -> SourceData``.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path

READERS = {
    "easy-vqa": "vqapg.datasets.easy_vqa",
    "jsonl": "vqapg.datasets.jsonl",
    "visual7w": "vqapg.datasets.visual7w",
    "vqa2": "vqapg.datasets.vqa2",
}


@dataclass(frozen=True, slots=True)
class Record:
    """A question-answer pair as people wrote it; ``image`` is relative to the image root, or absolute."""

    image: str
    question: str
    answer: str
    split: str


@dataclass(frozen=True)
class SourceData:
    """What a reader read.

    ``source`` is the resolved path it was read from, ``files`` every file that shaped the records (so that a
    change of them can be noticed later). The pairs of one image stand together within a split.
    """

    source: Path
    image_root: Path
    records: list[Record]
    files: list[Path]


def reader(name):
    """The module that reads the data set called *name* (a key of READERS)."""
    return importlib.import_module(READERS[name])
