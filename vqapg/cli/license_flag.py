"""``--license ID``, of the commands that write data sets."""

import argparse


def add_license(parser: argparse._ActionsContainer) -> None:
    """Adds ``--license``."""
    parser.add_argument(
        "--license",
        metavar="ID",
        help="licence that you give to the pairs of a data set (imagefolder, vqa2-folder), by its "
        "identifier on the Hugging Face hub, such as cc-by-4.0 (default: unknown)",
    )
