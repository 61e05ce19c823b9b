"""``DATA`` or ``--images PHOTOS``: where the images of given pairs are, in commands that score."""

import argparse
from pathlib import Path


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``DATA``, ``--images``, ``--split`` and ``--weights``."""
    parser.add_argument(
        "data", nargs="?", metavar="DATA", help="the data directory that was generated from"
    )
    parser.add_argument(
        "--images",
        metavar="PHOTOS",
        help="instead of DATA: the folder that the pictures are in, for pairs made by any system",
    )
    parser.add_argument(
        "--split",
        choices=("train", "valid", "test"),
        help="of DATA, which the pairs are of (default: test)",
    )
    add_weights_argument(parser)


def add_weights_argument(parser: argparse._ActionsContainer) -> None:
    """Adds ``--weights``."""
    parser.add_argument(
        "--weights",
        default="imagenet",
        metavar="imagenet|FILE|none",
        help="with --images and a trained evaluator: of the backbone that its checkpoint names, "
        "as extract-features was given (default: imagenet)",
    )


def files_of_place(args: argparse.Namespace) -> list[Path]:
    """The files that stand for the images, which no output may replace."""
    return [] if args.data is None else list(Path(args.data).glob("*"))
