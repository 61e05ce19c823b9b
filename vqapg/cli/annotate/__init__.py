"""Judgements of people: for an estimate of consistency, or for the paper's human evaluation
(appendix C).

start draws what is judged; serve shows it on a local page, or sheet and read-sheet go by way of a
spreadsheet. estimate then tells how many pairs of a file are right, with an interval. score tells
diversity, consistency and agreement as the paper does.
"""

import argparse
from collections.abc import Callable

from vqapg.cli.annotate import estimate, paper_score, serve, sheets, start
from vqapg.cli.paths import add_overwrite

HELP = "people judge pairs on a local page: estimate consistency, or the paper's evaluation"
EXAMPLE = (
    "vqapg annotate start DIR --for consistency --data DATA --pairs generate-test.txt "
    "--evaluator CKPT -n 200"
)
ANY_SYSTEM = (
    "vqapg annotate start DIR --for consistency --images PHOTOS --pairs pairs.jsonl "
    "--evaluator CKPT"
)
Perform = Callable[[argparse.Namespace], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)

    def add(name: str, perform: Perform, help: str, example: str) -> argparse.ArgumentParser:
        step = steps.add_parser(
            name,
            help=help,
            description=perform.__doc__,
            epilog=f"example:\n  vqapg annotate {name} {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        step.add_argument("folder", metavar="DIR", help="the session's folder")
        step.set_defaults(perform=perform)
        return step

    examples = f"{EXAMPLE.partition('start ')[2]}\n  {ANY_SYSTEM}"
    start.add_arguments(add("start", start.start, "draw pairs", examples))

    step = add("serve", serve.serve, "show the page on this machine", "DIR")
    step.add_argument(
        "--port", type=int, default=8000, metavar="P", help="default: 8000; 0: any free one"
    )

    step = add(
        "sheet",
        sheets.sheet,
        "write a sheet to fill in",
        "DIR --annotator anna --output anna.csv",
    )
    step.add_argument("--annotator", required=True, metavar="NAME", help="who will fill it in")
    step.add_argument("--output", required=True, metavar="FILE", help="CSV file to write")
    add_overwrite(step)

    step = add(
        "read-sheet",
        sheets.read_sheets,
        "save the judgements of filled sheets",
        "DIR anna.csv ben.csv",
    )
    step.add_argument("sheets", nargs="+", metavar="SHEET", help="a sheet that was filled in")

    step = add(
        "estimate",
        estimate.estimate,
        "estimate how many pairs are right (--for consistency)",
        "DIR --output estimate.json --metrics metrics.json",
    )
    step.add_argument("--output", metavar="FILE", help="JSON file to write")
    step.add_argument(
        "--metrics",
        metavar="FILE",
        help="what vqapg evaluate wrote of the same pairs: the estimate is added to it",
    )
    add_overwrite(step)

    step = add(
        "score",
        paper_score.score,
        "compute diversity, consistency and agreement (--for paper)",
        "DIR --output human.json",
    )
    step.add_argument("--seed", type=int, default=1, help="of the bootstrap (default: 1)")
    step.add_argument("--output", required=True, metavar="FILE", help="JSON file to write")
    add_overwrite(step)


def run(args: argparse.Namespace) -> None:
    args.perform(args)
