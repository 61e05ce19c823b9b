"""Reproduce the paper on a data set: data, features, all trainings, measures, tables and figures.

Run again, it skips what is done. Killed at any moment and run again, it continues. What it runs is
Snakemake, with the plan configs/study.yaml and stock commands; --dry-run prints them.
"""

import argparse

HELP = "run all that the paper's tables and figures need, and write the report"
EXAMPLE = "vqapg reproduce easy-vqa --preset small --only table4 --seeds 1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "what",
        metavar="WHAT",
        help="vqa2, visual7w, easy-vqa, scenes, or a data directory with features",
    )
    parser.add_argument(
        "changes",
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
        help="changes of the preset's settings, right after WHAT: optimization.max_epoch=2",
    )
    parser.add_argument(
        "--source", metavar="DIR", help="the files of vqa2 or visual7w, see vqapg prepare --help"
    )
    parser.add_argument(
        "--preset",
        default="paper",
        metavar="P",
        help="a file of configs/preset: paper, published, small or recommended (default: paper)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="RESULT",
        help="the tables and figures to make, such as table4 figure5 (default: all)",
    )
    parser.add_argument(
        "--seeds", default="1 2 3", metavar='"K ..."', help='of the trainings (default: "1 2 3")'
    )
    parser.add_argument(
        "--dest",
        metavar="RUN",
        help="the folder of the study (default: runs/WHAT-PRESET)",
    )
    parser.add_argument(
        "--glove",
        metavar="FILE",
        help="GloVe vectors, where the preset begins with them: glove.6B.300d.txt or glove.6B.zip",
    )
    parser.add_argument(
        "--backbone-weights",
        metavar="FILE",
        help="of the network that makes features (default: ImageNet's)",
    )
    parser.add_argument(
        "--images",
        nargs="+",
        metavar="IMAGE",
        help="of Table 7 and Figures 6 to 8, as in data/test.image (default: the first three)",
    )
    device = parser.add_mutually_exclusive_group()
    device.add_argument(
        "--gpus", type=int, metavar="N", help="how many GPUs (default: all that are visible)"
    )
    device.add_argument(
        "--cpu", action="store_const", dest="gpus", const=0, help="train without GPU"
    )
    parser.add_argument(
        "--cores", type=int, metavar="N", help="how many jobs side by side (default: all cores)"
    )
    parser.add_argument(
        "--profile",
        metavar="DIR",
        help="a profile of Snakemake, such as one for SLURM: see docs/cluster.md",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the stock commands that are left to run, and run nothing",
    )


def run(args: argparse.Namespace) -> None:
    """Call the reproduction, which becomes Snakemake."""
    from vqapg.study.reproduction import Reproduction, reproduce

    wanted = Reproduction(
        what=args.what,
        preset=args.preset,
        changes=tuple(args.changes),
        source=args.source,
        only=tuple(args.only),
        seeds=args.seeds,
        dest=args.dest,
        vectors=args.glove,
        backbone_weights=args.backbone_weights,
        images=tuple(args.images or ()),
        gpus=args.gpus,
        cores=args.cores,
        profile=args.profile,
    )
    reproduce(wanted, dry_run=args.dry_run)
