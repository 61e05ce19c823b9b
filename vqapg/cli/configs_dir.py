"""Print the folder of the configs, to give to --config-dir of fairseq-hydra-train."""

import argparse

HELP = "print the folder of the configs, to give to fairseq-hydra-train"
EXAMPLE = "fairseq-hydra-train --config-dir $(vqapg configs-dir) --config-name joint ..."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This command takes no arguments."""


def run(args: argparse.Namespace) -> None:
    from vqapg.study.settings import configs_dir

    print(configs_dir())
