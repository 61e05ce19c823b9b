"""``--judge SPEC`` and ``--evaluator CKPT``, which mean the same in every command that scores."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from vqapg.cli.paths import input_file
from vqapg.demo import evaluator_path
from vqapg.errors import InputError

SPEC = "evaluator:CKPT, vqa:CKPT, hf:NAME_OR_PATH, truth:NAME or package.module:Class"
# Those that read a checkpoint, with their options that name another.
OF_CHECKPOINTS: dict[str, tuple[str, ...]] = {"evaluator": (), "vqa": ("blind",)}


def add_judge_arguments(
    parser: argparse._ActionsContainer, purpose: str, *, required: bool = False
) -> None:
    """Adds ``--judge``, and ``--evaluator`` as short for its first form.

    Args:
        parser: a command's, or a group of it
        purpose: what the judge does in this command, which begins the help text
        required: whether the command needs one of the two
    """
    either = parser.add_mutually_exclusive_group(required=required)
    either.add_argument(
        "--judge",
        metavar="SPEC",
        action="append",
        help=f"{purpose}: {SPEC}; vqapg list judges shows all; several --judge are averaged after "
        "calibration",
    )
    either.add_argument(
        "--evaluator",
        metavar="CKPT",
        help="a trained consistency evaluator as the judge, or demo; short for --judge "
        "evaluator:CKPT",
    )


def judge_of(args: argparse.Namespace) -> tuple[str | None, list[Path]]:
    """The judge's spec, or None, and the checkpoints that it reads.

    Raises:
        InputError: if there is no such checkpoint, or several judges cannot be averaged
    """
    if args.evaluator is not None:
        path = evaluator_path(args.evaluator)
        return f"evaluator:{path}", [input_file("--evaluator", path)]
    specs = args.judge or []
    files = [file for spec in specs for file in _checkpoints(spec)]
    if len(specs) < 2:
        return (specs[0] if specs else None), files
    for spec in specs:
        if "," in spec:
            raise InputError(
                f"--judge {spec}: has a comma, which stands between judges that are averaged; "
                "rename the file, or give --judge mean:... alone"
            )
    return f"mean:{','.join(specs)}", files


def _checkpoints(spec: str) -> Iterator[Path]:
    kind, _, argument = spec.partition(":")
    if kind == "mean":
        for part in argument.split(","):
            yield from _checkpoints(part)
    if kind not in OF_CHECKPOINTS or not argument:
        return
    from vqapg.judges.spec_options import split_options

    path, options = argument, {}
    if OF_CHECKPOINTS[kind]:
        path, options = split_options(kind, argument)
    yield input_file(f"--judge {kind}:", evaluator_path(path) if kind == "evaluator" else path)
    for option in OF_CHECKPOINTS[kind]:
        if option in options:
            yield input_file(f"--judge {kind}: {option}", options[option])
