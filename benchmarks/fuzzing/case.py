"""A case: a mutated file, and the command that reads it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Case(NamedTuple):
    """One command over one mutated file.

    ``file`` is that file. ``label`` says what was done to it (``!``: it must be refused). ``run``
    gives the exit status. ``may_change`` are files and folders that the command may write, beside
    the folder ``out``.
    """

    file: Path
    label: str
    run: Callable[[], int]
    may_change: tuple[Path, ...] = ()


GENERATE = (
    "--task vqapg --gen-subset test --beam 2 --max-len-b 6 --batch-size 4 --num-workers 0 --cpu"
)


def copy(source, target):
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    return target
