"""Turn a data set into a data directory: tokenised questions and answers, and the dictionary."""

from vqapg.data.sources import READERS

HELP = "turn a data set into a data directory"
EXAMPLE = "vqapg prepare --dataset easy-vqa --dest data/easy"


def add_arguments(parser):
    parser.add_argument("--dataset", required=True, choices=sorted(READERS), help="what to read")
    parser.add_argument(
        "--source",
        metavar="PATH",
        help="the JSONL file, or easy-VQA's data folder (default: the installed package's)",
    )
    parser.add_argument("--dest", required=True, metavar="DATA", help="the data directory to write")
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="draws easy-VQA's validation images (default: 1); jsonl draws nothing",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what DATA holds")


def run(args):
    from vqapg.data.prepare import prepare, table2

    options = {"seed": args.seed}
    prepared = prepare(args.dataset, args.source, args.dest, options, overwrite=args.overwrite)
    if prepared.done_before:
        print(f"{args.dest} is already done: made from the same source with the same options")
    if prepared.features_removed:
        print(f"removed {args.dest}/features.h5, which was of other images")
    print(table2(prepared.manifest))
