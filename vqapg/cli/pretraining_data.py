"""Make a data directory of pairs that were generated for the train split, to pre-train VQG and VQA
on (section 6.6). It has the same dictionary, validation and test pairs; the features are linked,
not copied.
"""

from vqapg.cli.paths import add_overwrite

HELP = "make a data directory of generated pairs, to pre-train on"
EXAMPLE = (
    "vqapg pretraining-data OUT/generate-train.txt --data data/easy --dest data/easy-generated"
)


def add_arguments(parser):
    parser.add_argument(
        "pairs", metavar="GENERATED", help="generate-train.txt, or JSON lines, of the train split"
    )
    parser.add_argument(
        "--data", required=True, metavar="DATA", help="the data directory that was generated from"
    )
    parser.add_argument("--dest", required=True, metavar="DEST", help="the data directory to write")
    add_overwrite(parser)


def run(args):
    from vqapg.data.directory import DataDirectory
    from vqapg.data.pretraining import write_pretraining_directory
    from vqapg.evaluation.generated import read_generated

    data = DataDirectory(args.data)
    generated = read_generated(args.pairs, data, "train")
    pairs = [pair for pair in generated if not pair.malformed]
    write_pretraining_directory(data, args.pairs, pairs, args.dest, overwrite=args.overwrite)
    images = len({pair.image for pair in pairs})
    print(
        f"{args.dest}: {len(pairs):,} pairs of {images:,} images for training; "
        f"{len(generated) - len(pairs):,} malformed left out"
    )
