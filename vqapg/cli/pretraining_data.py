"""Make a data directory to pre-train VQG and VQA on (section 6.6, Table 8).

Its training pairs are generated ones, of one or more passes over the train split with seeds of
their own. The paper has five passes. A malformed pair is replaced by another pair of its image,
so that all models have as many pairs, and so as many updates. With --gold N they are the gold
pairs N times over: a control, which sees as many pairs and no generated one. Dictionary,
validation and test pairs are the same as in DATA; the features are linked, not copied.
"""

import argparse

from vqapg.cli.paths import add_overwrite

HELP = "make a data directory of generated pairs, to pre-train on"
EXAMPLE = (
    "vqapg pretraining-data OUT-1/generate-train.txt OUT-2/generate-train.txt "
    "--data data/easy --dest data/easy-generated"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pairs",
        nargs="*",
        metavar="GENERATED",
        help="generate-train.txt, or JSON lines, of the train split; one a pass",
    )
    parser.add_argument(
        "--gold",
        type=int,
        metavar="N",
        help="in place of generated pairs: each gold training pair N times",
    )
    parser.add_argument(
        "--data", required=True, metavar="DATA", help="the data directory that was generated from"
    )
    parser.add_argument("--dest", required=True, metavar="DEST", help="the data directory to write")
    add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    from vqapg.data.directory import DataDirectory
    from vqapg.data.pretraining import (
        check_passes,
        gold_copies,
        replace_malformed,
        write_pretraining_directory,
    )
    from vqapg.evaluation.generated import read_generated

    passes, data = check_passes(args.pairs, args.gold), DataDirectory(args.data)
    if args.gold is not None:
        pairs, origin = gold_copies(data, args.gold), f"the gold pairs {args.gold} times"
    else:
        read = [pair for file in args.pairs for pair in read_generated(file, data, "train")]
        pairs = replace_malformed(read)
        malformed = sum(pair.malformed for pair in read)
        origin = f"{malformed:,} malformed, replaced by other pairs of their images"
        if len(args.pairs) > 1:
            origin = f"of {len(args.pairs)} passes; {origin}"
    write_pretraining_directory(data, passes, pairs, args.dest, overwrite=args.overwrite)
    images = len({pair.image for pair in pairs})
    print(f"{args.dest}: {len(pairs):,} pairs of {images:,} images for training; {origin}")
