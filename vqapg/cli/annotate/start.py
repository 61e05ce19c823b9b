"""``vqapg annotate start``: draw what is judged."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vqapg.cli.judge_flags import add_judge_arguments, judge_of
from vqapg.cli.place_flags import add_weights_argument
from vqapg.counted import counted
from vqapg.errors import InputError

if TYPE_CHECKING:  # --help is instant
    from vqapg.annotation.pair_source import PairSource
    from vqapg.annotation.session import Session

# The flags that one purpose has alone, with the value that they have where they are not given.
OF_CONSISTENCY = {"annotators": 2, "judge": None, "evaluator": None}
N = {"consistency": 200, "paper": 50}


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
        "--data", metavar="DATA", help="the data directory that was generated from; or --images"
    )
    step.add_argument(
        "--images",
        metavar="PHOTOS",
        help="instead of --data: the folder that the pictures are in, for pairs made by any "
        "system, as JSON lines",
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
        "--split",
        choices=("train", "valid", "test"),
        help="of --data, which the pairs are of (default: test)",
    )
    step.add_argument(
        "-n",
        type=int,
        metavar="N",
        help="--for paper: images to draw (default: 50, as in the paper); --for consistency: "
        "distinct triples to judge (default: 200), at least ten of each stratum; with three or "
        "more files for each comparison of two",
    )
    own = step.add_argument_group("only --for consistency")
    own.add_argument(
        "--annotators",
        type=int,
        metavar="K",
        help="how many judge every pair; one more judges where they disagree (default: 2)",
    )
    add_judge_arguments(
        own, "whose score makes the strata; without one the pairs are a simple random sample"
    )
    add_weights_argument(own)


def start(args: argparse.Namespace) -> None:
    """Draw what people judge, and make DIR a session of it.

    --for paper: images and, for each model, their pairs. Every model has as many pairs of an
    image, three to ten. vqapg leaves duplicates out.

    --for consistency: distinct triples, at random among those that the judge accepts, and among
    those that it rejects. With two files it draws only triples that are in one of them.
    """
    from vqapg.annotation.pair_source import pair_source
    from vqapg.evaluation.stratified import FEWEST

    for name, default in OF_CONSISTENCY.items():
        if getattr(args, name) is None:
            setattr(args, name, default)
        elif args.purpose == "paper":
            raise InputError(f"--{name}: is for --for consistency only; leave it out")
    if args.n is None:
        args.n = N[args.purpose]
    if args.images is not None and args.images.isdecimal() and not Path(args.images).exists():
        raise InputError(
            f"--images {args.images}: is the folder of the pictures; to draw so many images, "
            f"give -n {args.images}"
        )
    source = pair_source(args.data, args.images, args.split, args.weights)
    starts = _start_paper if args.purpose == "paper" else _start_consistency
    session = starts(args, source)
    drawn = sum(len(group.pairs) for group in session.groups)
    pairs = counted(drawn, "pair")
    if session.plan is None:
        groups, models = len(session.groups), len(session.models)
        what = f"{counted(groups, 'group')}, {pairs} of {counted(models, 'model')}"
    else:
        what = f"{pairs} to judge, by {counted(session.plan.annotators, 'annotator')} each"
        if drawn < args.n:
            what += f" (there are no more; -n {args.n})"
        elif drawn > args.n:
            what += f" (more than -n {args.n}: {FEWEST} of each stratum at least)"
    print(
        f"{session.path}: {counted(len(session.images), 'image')}, {what}; next: "
        f"vqapg annotate serve {session.path}"
    )


def _start_paper(args: argparse.Namespace, source: "PairSource") -> "Session":
    from vqapg.annotation.drawing import start_session

    files = {}
    for given in args.pairs:
        name, _, file = given.partition("=")
        if not name.strip() or not file:
            raise InputError(
                f"--pairs {given}: --for paper needs NAME=FILE; to estimate how many pairs are "
                "right, give --for consistency"
            )
        if name.strip() in files:
            raise InputError(f"--pairs {given}: give every model a name of its own")
        files[name.strip()] = file
    return start_session(args.folder, source, files, images=args.n, seed=args.seed)


def _start_consistency(args: argparse.Namespace, source: "PairSource") -> "Session":
    from vqapg.annotation.consistency_drawing import start_consistency_session

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
        source,
        files,
        judge=judge,
        n=args.n,
        annotators=args.annotators,
        seed=args.seed,
    )
