"""Check, before the long work begins, the files that a command reads and writes."""

import os
from pathlib import Path

from vqapg.errors import InputError


def input_file(option, name):
    """The path of an existing file. Raises InputError when there is none."""
    path = Path(name)
    if not path.is_file():
        raise InputError(f"{option} {path}: there is no such file; correct the path")
    return path


def output_file(option, name, inputs=()):
    """The path to write to.

    Raises InputError when its folder does not exist or cannot be written to, when it is no ordinary file, or when it
    is one of the *inputs*.
    """
    path = Path(name)
    if path.is_dir() or not name:
        raise InputError(f"{option} {path}: is a folder; give the name of a file")
    if path.exists() and not path.is_file():
        raise InputError(f"{option} {path}: is a device or the like; give the name of a file")
    if not path.parent.is_dir():
        raise InputError(f"{option} {path}: there is no folder {path.parent}; make it, or give another name")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{option} {path}: not allowed to write in {path.parent}; give another name")
    if any(path.resolve() == Path(other).resolve() for other in inputs):
        raise InputError(f"{option} {path}: is read by this very command; give another name")
    return path


def checked_output(args):
    """The --output of a command that reads a data directory, --evaluator and pairs; both files checked."""
    if args.evaluator is not None:
        input_file("--evaluator", args.evaluator)
    inputs = [args.pairs, *Path(args.data).glob("*")]
    return output_file("--output", args.output, [*inputs, *([args.evaluator] if args.evaluator else [])])
