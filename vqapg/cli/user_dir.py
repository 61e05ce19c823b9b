"""Print the folder to give to fairseq's --user-dir."""

from pathlib import Path

HELP = "print the folder to give to fairseq's --user-dir"
EXAMPLE = "fairseq-train DATA --user-dir $(vqapg user-dir) --task vqapg ..."


def add_arguments(parser):
    """This command takes no arguments."""


def run(args):
    print(Path(__file__).resolve().parent.parent)
