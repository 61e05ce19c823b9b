"""Check, before the long work begins, the files that a command reads and writes."""

import os
import re
from pathlib import Path

from vqapg.errors import InputError


def input_file(option, name):
    """The path of an existing file. Raises InputError when there is none."""
    path = Path(name)
    if path.is_dir():
        best = path / "checkpoint_best.pt"
        raise InputError(f"{option} {path}: is a folder; give " + (str(best) if best.is_file() else "a file in it"))
    if not path.is_file():
        raise InputError(f"{option} {path}: there is no such file; correct the path")
    return path


def output_file(option, name, inputs=(), folder=False):
    """The path to write to, of a file or of a *folder*.

    Raises InputError when its folder does not exist or cannot be written to, when it is no ordinary file or no folder,
    or when it is, or holds, one of the *inputs*.
    """
    path = Path(name)
    if folder:
        if path.exists() and not path.is_dir():
            raise InputError(f"{option} {path}: is a file; give the name of a folder")
        inputs = [*inputs, *(parent for other in inputs for parent in Path(other).parents)]
    elif path.is_dir() or not name:
        raise InputError(f"{option} {path}: is a folder; give the name of a file")
    elif path.exists() and not path.is_file():
        raise InputError(f"{option} {path}: is a device or the like; give the name of a file")
    if not path.parent.is_dir():
        raise InputError(f"{option} {path}: there is no folder {path.parent}; make it, or give another name")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{option} {path}: not allowed to write in {path.parent}; give another name")
    if any(path.resolve() == Path(other).resolve() for other in inputs):
        raise InputError(f"{option} {path}: is read by this very command; give another name")
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


def checked_output(args, name=None, folder=False):
    """The --output, or the file *name* made of it, of a command that reads a data directory, --evaluator and pairs."""
    if args.evaluator is not None:
        input_file("--evaluator", args.evaluator)
    inputs = [args.pairs, *Path(args.data).glob("*")]
    return output_file("--output", args.output if name is None else name, [*inputs, *([args.evaluator] if args.evaluator else [])], folder)
