"""Does the interval of the stratified estimate hold? Simulated files, and easy-VQA's truth.

    python benchmarks/stratified_estimate.py
    python benchmarks/stratified_estimate.py --pairs OUT/generate-test.txt [MORE...] --data DATA \
        --judge evaluator:EVALUATOR.pt

Without --pairs it prints the tables of docs/estimate.md, in under two minutes of one core:

- coverage: the share of 95% intervals that hold the truth, over evaluators, numbers of judgements
  and correlation within images
- what strata are worth
- judges who err
- what holds for images like these, beyond the file
- judgements that were drawn by image
- two files compared

With --pairs the truth of easy-VQA judges generated pairs, in strata by a judge's scores. It
prints how often the estimate lies within two points of the truth, and how many judgements each two
files need to be told apart.
"""

import argparse
import logging
import sys
from collections.abc import Iterable, Sequence

import numpy as np
from estimating import tables

from vqapg.errors import InputError


def print_table(title: str, rows: Iterable[Sequence[str]]) -> None:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    print(f"\n{title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in lines), flush=True)


def print_simulations(draws: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for title, rows_of in (
        ("Coverage (%), lowest to highest of 18 or 24 kinds of files", tables.coverage_rows),
        ("What strata are worth at n = 200, in points", tables.worth_rows),
        (
            "Judges who err, with the good evaluator: bias in points, coverage (%)",
            tables.error_rows,
        ),
        ("Coverage (%) for images like these, n = 200", tables.beyond_rows),
        ("Coverage (%) of judgements drawn by image", tables.by_image_rows),
        ("A difference of 5 points at n = 200, in points", tables.paired_rows),
    ):
        print_table(title, rows_of(rng, draws))


def print_easy_vqa(args: argparse.Namespace) -> None:
    # fairseq takes seconds to import.
    from estimating.easy_vqa import judge_files, paired_rows, rows

    files = judge_files(args.pairs, args.data, args.judge, args.split)
    beside, near = rows(files, args.draws, args.seed)
    print_table("Shares right (%)", beside)
    print_table(f"{args.draws:,} draws, seed {args.seed} (%)", near)
    if len(files) > 1:
        print_table("Judgements to tell 5 points, with 80% power", paired_rows(files))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", nargs="+", metavar="FILE", help="generated pairs of easy-VQA")
    parser.add_argument("--data", metavar="DATA", help="their data directory")
    parser.add_argument(
        "--judge", metavar="SPEC", help="who makes the strata, such as evaluator:CKPT or vqa:CKPT"
    )
    parser.add_argument("--split", default="test")
    parser.add_argument("--draws", type=int, default=2000, help="of each cell (default: 2000)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    logging.disable(logging.INFO)
    if not args.pairs:
        print_simulations(args.draws, args.seed)
    elif args.data and args.judge:
        try:
            print_easy_vqa(args)
        except InputError as error:
            sys.exit(str(error))
    else:
        parser.error("--pairs needs --data and --judge")


if __name__ == "__main__":
    main()
