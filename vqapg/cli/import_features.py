"""Bring features that were made elsewhere into DATA/features.h5: objects with boxes, as those of
bottom-up attention, or a grid.

FILE is one of these (docs/own-features.md has the details):

- a folder with a .npy or .npz file for each image
- a .npz file with the arrays features and ids, and boxes, num_boxes and image_size if there are any
- a .npy file, with --ids
- an .h5 file with a data set for each image, or with the data sets that a .npz file has
"""

import argparse

HELP = "take features made elsewhere, such as objects with boxes"
EXAMPLE = "vqapg import-features data/mine bottom-up/ --name bottom-up-36"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA", help="a data directory made by vqapg prepare")
    parser.add_argument("file", metavar="FILE", help="a folder, or a .npy, .npz or .h5 file")
    parser.add_argument(
        "--ids", metavar="FILE", help="a text with the image of each row of FILE, a line each"
    )
    parser.add_argument(
        "--name",
        default="own",
        metavar="NAME",
        help="what made the features; a model reads only features of the name it was trained with "
        "(default: own)",
    )
    parser.add_argument(
        "--grid",
        metavar="ROWSxCOLUMNS",
        help="the regions are a grid over the whole picture, row by row",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace DATA's features")


def run(args: argparse.Namespace) -> None:
    import re
    from pathlib import Path

    from vqapg.data.directory import DataDirectory
    from vqapg.data.feature_import import import_features
    from vqapg.errors import InputError

    grid = None
    if args.grid is not None:
        found = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", args.grid)
        if not found:
            raise InputError(f"--grid {args.grid}: give rows and columns, such as 7x7")
        grid = int(found[1]), int(found[2])
    data = DataDirectory(args.data)
    store, left_over = import_features(
        data,
        Path(args.file),
        ids=None if args.ids is None else Path(args.ids),
        name=args.name,
        grid=grid,
        overwrite=args.overwrite,
    )
    count, regions, channels = store.shape
    counts = store.region_counts
    many = f"{regions}" if counts is None else f"{counts.min()} to {regions}"
    print(
        f"{store.path}: {count:,} images of {many} regions with {channels:,} channels"
        + (", with boxes" if store.has_boxes else "")
        + (f"; {left_over:,} more in {args.file}, which DATA does not have" if left_over else "")
    )
