"""Check, before the long work begins, the files that a command reads and writes."""

import argparse
import os
import re
from collections.abc import Iterable
from pathlib import Path

from vqapg.errors import InputError
from vqapg.files import check_readable_file
from vqapg.targets import Recogniser, check_target, real_path


def input_file(option: str, name: str) -> Path:
    """The path of an existing file. Raises InputError when there is none."""
    path = Path(name)
    if path.is_dir():
        best = path / "checkpoint_best.pt"
        raise InputError(
            f"{option} {path}: is a folder; give "
            + (str(best) if best.is_file() else "a file in it")
        )
    if not path.exists():
        raise InputError(f"{option} {path}: there is no such file; correct the path")
    return check_readable_file(path, "correct the path", option=option)


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Adds ``--overwrite``, which means the same in every command: see :mod:`vqapg.targets`."""
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an existing output; only one that vqapg wrote is ever replaced",
    )


def output_file(
    option: str,
    name: str | os.PathLike,
    recognise: Recogniser,
    *,
    overwrite: bool,
    inputs: Iterable = (),
    folder: bool = False,
) -> Path:
    """The path to write to, of a file or of a *folder*. Of a link it is the path that the link
    leads to.

    Args:
        option: the option that names it, for messages
        name: as the user gave it
        recognise: tells whether what exists is ours, see :mod:`vqapg.targets`
        overwrite: whether ``--overwrite`` was given
        inputs: files that the command reads; they are never written to
        folder: whether a folder is written

    Raises:
        InputError: if its folder does not exist or cannot be written to; if it is no ordinary file,
            or no folder; if it is, or holds, one of the *inputs*; or if it exists and may not be
            replaced
    """
    path = real_path(Path(name))
    if folder:
        if path.exists() and not path.is_dir():
            raise InputError(f"{option} {path}: is a file; give the name of a folder")
        inputs = [*inputs, *(parent for other in inputs for parent in Path(other).parents)]
    elif path.is_dir() or not name or str(name).endswith(os.sep):
        raise InputError(f"{option} {path}: is a folder; give the name of a file")
    elif path.exists() and not path.is_file():
        raise InputError(f"{option} {path}: is a device or the like; give the name of a file")
    if not path.parent.is_dir():
        raise InputError(
            f"{option} {path}: there is no folder {path.parent}; make it, or give another name"
        )
    if not os.access(path.parent, os.W_OK):
        raise InputError(
            f"{option} {path}: not allowed to write in {path.parent}; give another name"
        )
    if any(path.resolve() == Path(other).resolve() for other in inputs):
        raise InputError(f"{option} {path}: is read by this very command; give another name")
    check_target(path, recognise, overwrite=overwrite, option=option)
    return path


def shard_numbers(text):
    """--shard I/N as (I, N), or None for None. Raises InputError unless 1 <= I <= N."""
    if text is None:
        return None
    numbers = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    shard = tuple(map(int, numbers.groups())) if numbers else (0, 0)
    if not 1 <= shard[0] <= shard[1]:
        raise InputError(f"--shard {text}: give I/N with I from 1 to N, such as --shard 1/4")
    return shard
