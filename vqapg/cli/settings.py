"""Print what a preset stands for: the flags of fairseq-train for a model, in one line.

fairseq-train takes each setting as a flag: a flag that is given later wins. KEY=VALUE changes a
setting; vqapg settings MODEL --yaml prints all keys.
"""

import argparse

HELP = "print the flags of fairseq-train that a preset stands for"
EXAMPLE = "fairseq-train data/easy $(vqapg settings joint --preset small) --save-dir runs/joint"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="such as joint_variational or consistency")
    parser.add_argument(
        "changes",
        nargs="*",
        metavar="KEY=VALUE",
        help="changes of settings, such as optimization.max_epoch=8",
    )
    parser.add_argument(
        "--preset",
        default="paper",
        metavar="P",
        help="paper, published, small or recommended (default: paper)",
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        help="the data directory, where presets paper and published find GloVe vectors",
    )
    parser.add_argument(
        "--data-set", metavar="D", help="add what is a data set's own, such as vqa2"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="SECTION",
        help="leave a section out, such as lr_scheduler",
    )
    parser.add_argument(
        "--get",
        metavar="KEY",
        help="print one value, such as generation.beam, or a group of them as flags",
    )
    parser.add_argument("--yaml", action="store_true", help="print the composed configuration")


def run(args: argparse.Namespace) -> None:
    import shlex

    from omegaconf import OmegaConf

    from vqapg.errors import InputError
    from vqapg.study.settings import compose, flags, options, quoted, user_dir

    changes = (
        args.changes if args.data is None else [f"task.data={quoted(args.data)}", *args.changes]
    )
    settings = compose(args.model, args.preset, args.data_set, changes)
    if args.yaml:
        print(OmegaConf.to_yaml(settings), end="")
    elif args.get:
        value = OmegaConf.select(settings, args.get)
        if value is None:
            raise InputError(f"--get {args.get}: there is no such setting; --yaml prints them all")
        print(shlex.join(options(value)) if OmegaConf.is_dict(value) else value)
    elif OmegaConf.is_missing(settings.model, "embed_path"):
        raise InputError(
            f"preset {args.preset} begins with GloVe vectors, which lie in the data directory; "
            "name it with --data DATA"
        )
    else:
        print(shlex.join(["--user-dir", str(user_dir()), *flags(settings, args.without)]))
