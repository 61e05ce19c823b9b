"""``vqapg annotate start``: draw what is judged."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vqapg.cli.judge_flags import add_judge_arguments, judge_of
from vqapg.errors import InputError

if TYPE_CHECKING:  # --help is instant
    from vqapg.annotation.session import Session

# The flags that one purpose has alone, with the value that they have where they are not given.
OF_CONSISTENCY = {"n": 200, "annotators": 2, "judge": None, "evaluator": None}
OF_PAPER = {"images": 50}
FLAGS = {"n": "-n"}


def add_arguments(step: argparse.ArgumentParser) -> None:
    step.add_argument(
        "--for",
        dest="purpose",
        default="paper",
        choices=("paper", "consistency"),
        help="paper: the paper's human evaluation (default); consistency: an estimate of how many "
        "pairs are right, with an interval",
    )
    step.add_argument(
        "--data", required=True, metavar="DATA", help="the data directory that was generated from"
    )
    step.add_argument(
        "--pairs",
        required=True,
        action="append",
        metavar="[NAME=]FILE",
        help="a generate-<split>.txt or JSON lines, with the model's name; once for every model. "
        "--for consistency needs no name",
    )
    step.add_argument(
        "--seed", type=int, default=1, help="of images, pairs and orders (default: 1)"
    )
    step.add_argument(
        "--split", default="test", choices=("train", "valid", "test"), help="default: test"
    )
    paper = step.add_argument_group("only --for paper")
    paper.add_argument("--images", type=int, metavar="N", help="default: 50, as in the paper")
    own = step.add_argument_group("only --for consistency")
    own.add_argument(
        "-n",
        type=int,
        metavar="N",
        help="distinct triples to judge (default: 200); with three or more files, for each "
        "comparison of two",
    )
    own.add_argument(
        "--annotators",
        type=int,
        metavar="K",
        help="how many judge every pair; one more judges where they disagree (default: 2)",
    )
    add_judge_arguments(
        own, "whose score makes the strata; without one the pairs are a simple random sample"
    )


def start(args: argparse.Namespace) -> None:
    """Draw what people judge, and make DIR a session of it.

    --for paper: images and, for each model, their pairs. Every model has as many pairs of an
    image, three to ten. Repeats are then left out.

    --for consistency: distinct triples, at random among those that the judge accepts, and among
    those that it rejects. Of two files only triples that they do not share.
    """
    for purpose, flags in (("paper", OF_PAPER), ("consistency", OF_CONSISTENCY)):
        for name, default in flags.items():
            if getattr(args, name) is None:
                setattr(args, name, default)
            elif purpose != args.purpose:
                flag = FLAGS.get(name, f"--{name}")
                raise InputError(f"{flag}: is for --for {purpose} only; leave it out")
    session = _start_paper(args) if args.purpose == "paper" else _start_consistency(args)
    pairs = sum(len(group.pairs) for group in session.groups)
    what = (
        f"{len(session.groups)} groups, {pairs} pairs of {len(session.models)} models"
        if session.plan is None
        else f"{pairs} pairs to judge, by {session.plan.annotators} annotators each"
    )
    print(
        f"{session.path}: {len(session.images)} images, {what}; next: "
        f"vqapg annotate serve {session.path}"
    )


def _start_paper(args: argparse.Namespace) -> "Session":
    from vqapg.annotation.drawing import start_session

    files = {}
    for given in args.pairs:
        name, _, file = given.partition("=")
        if not name.strip() or not file or name.strip() in files:
            raise InputError(f"--pairs {given}: give NAME=FILE, a name of its own for every model")
        files[name.strip()] = file
    return start_session(
        args.folder, args.data, files, images=args.images, split=args.split, seed=args.seed
    )


def _start_consistency(args: argparse.Namespace) -> "Session":
    from vqapg.annotation.consistency_drawing import start_consistency_session
    from vqapg.annotation.pair_source import data_source

    files = {}
    for given in args.pairs:
        name, equals, file = given.partition("=")
        # A path may hold an equals sign.
        if not equals or not name.strip() or not file or Path(given).exists():
            name = file = given
        if name.strip() in files:
            raise InputError(f"--pairs {given}: stands twice; give every file once")
        files[name.strip()] = file
    judge, _ = judge_of(args)
    return start_consistency_session(
        args.folder,
        data_source(args.data, args.split),
        files,
        judge=judge,
        n=args.n,
        annotators=args.annotators,
        seed=args.seed,
    )
