"""``--judge SPEC`` and ``--evaluator CKPT``, which mean the same in every command that scores."""

import argparse
from pathlib import Path

from vqapg.cli.paths import input_file

SPEC = "evaluator:CKPT|vqa:CKPT|truth:NAME|package.module:Class"
OF_CHECKPOINTS = ("evaluator", "vqa")


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
        "--judge", metavar="SPEC", help=f"{purpose}: {SPEC}; vqapg list judges shows all"
    )
    either.add_argument(
        "--evaluator",
        metavar="CKPT",
        help="a trained consistency evaluator as the judge; short for --judge evaluator:CKPT",
    )


def judge_of(args: argparse.Namespace) -> tuple[str | None, list[Path]]:
    """The judge's spec, or None, and the checkpoint that it reads.

    Raises:
        InputError: if there is no such checkpoint
    """
    if args.evaluator is not None:
        return f"evaluator:{args.evaluator}", [input_file("--evaluator", args.evaluator)]
    kind, _, argument = (args.judge or "").partition(":")
    if kind in OF_CHECKPOINTS and argument:
        return args.judge, [input_file(f"--judge {kind}:", argument)]
    return args.judge, []
