"""Turn a data set into a data directory: tokenised questions and answers, and the dictionary."""

from vqapg.cli.paths import add_overwrite
from vqapg.datasets import READERS

HELP = "turn a data set into a data directory"
EXAMPLE = "vqapg prepare --dataset easy-vqa --dest data/easy"


def add_arguments(parser):
    parser.add_argument("--dataset", required=True, choices=sorted(READERS), help="what to read")
    parser.add_argument(
        "--source",
        metavar="PATH",
        help="the JSONL file, the folder with the official files of vqa2 or visual7w, or easy-VQA's data folder "
        "(default: the installed package's)",
    )
    parser.add_argument("--dest", required=True, metavar="DATA", help="the data directory to write")
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="draws what is drawn at random: easy-VQA's validation images, vqa2's validation pairs, --max-images "
        "(default: 1)",
    )
    parser.add_argument(
        "--valid-pairs",
        type=int,
        default=10_000,
        metavar="N",
        help="vqa2: pairs drawn from train for validation (default: 10,000, as in the paper)",
    )
    for option, what in (
        ("--min-pairs-per-image", "leave out images with fewer pairs"),
        ("--max-images", "draw N of the images for training"),
        ("--max-test-images", "draw N of the images of the test split"),
    ):
        parser.add_argument(
            option,
            type=int,
            default=0,
            metavar="N",
            help=f"vqa2, visual7w: {what} (default: 0, all)",
        )
    add_overwrite(parser)


def run(args):
    from vqapg.data.prepare import prepare, table2
    from vqapg.errors import InputError

    names = ("seed", "valid_pairs", "min_pairs_per_image", "max_images", "max_test_images")
    options = {name: getattr(args, name) for name in names}
    for name, value in options.items():
        if value < 0:
            raise InputError(
                f"--{name.replace('_', '-')} {value}: must not be negative; give 0 or more"
            )
    prepared = prepare(args.dataset, args.source, args.dest, options, overwrite=args.overwrite)
    if prepared.done_before:
        print(f"{args.dest} is already done: made from the same source with the same options")
    if prepared.features_removed:
        print(f"removed {args.dest}/features.h5, which was of other images")
    print(table2(prepared.manifest))
