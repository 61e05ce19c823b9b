"""Print the folder of the configs, to give to --config-dir of fairseq-hydra-train."""

import argparse
from pathlib import Path

import vqapg

HELP = "print the folder of the configs, to give to fairseq-hydra-train"
EXAMPLE = "fairseq-hydra-train --config-dir $(vqapg configs-dir) --config-name joint ..."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This command takes no arguments."""


def run(args: argparse.Namespace) -> None:
    print(configs_dir())


def configs_dir() -> Path:
    """The folder of the YAML files that fairseq-hydra-train reads.

    An installed package has them in it. A checkout has them at its top.
    """
    package = Path(vqapg.__file__).resolve().parent
    packaged = package / "configs"
    return packaged if packaged.is_dir() else package.parent / "configs"
