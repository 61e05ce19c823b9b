"""Take from a training's folder (fairseq's --save-dir) the checkpoint that is used afterwards.

Two folders are those of a pipeline's sub-models, trained with --sub-model x and --sub-model y.
Their weights are joined into one checkpoint. What is written:

- FILE: the weights, without the optimizer's state. Every command reads it.
- trained.json beside FILE: which epoch the weights are of, and after how many updates
"""

import argparse

from vqapg.cli.paths import add_overwrite

HELP = "take the best or last checkpoint of a training; join a pipeline's sub-models"
EXAMPLE = "vqapg checkpoint runs/pipeline/x runs/pipeline/y --output runs/pipeline/final.pt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        nargs="+",
        metavar="FOLDER",
        help="the --save-dir of a training; or two, those of a pipeline's sub-models in any order",
    )
    parser.add_argument(
        "--weights",
        choices=("best", "last"),
        default="best",
        help="best: checkpoint_best.pt; last: checkpoint_last.pt (default: %(default)s)",
    )
    parser.add_argument(
        "--half",
        action="store_true",
        help="write the weights as float16: half the size, rounded to three digits",
    )
    parser.add_argument("--output", required=True, metavar="FILE", help="checkpoint to write")
    add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    from pathlib import Path

    from vqapg.cli.paths import output_file
    from vqapg.errors import InputError
    from vqapg.targets import our_json

    # Seconds
    from vqapg.tasks.final_checkpoint import our_checkpoint, record_of, save_final

    if len(args.folders) > 2:
        raise InputError(
            f"{len(args.folders)} folders: give one, or the two of a pipeline's sub-models"
        )
    inputs = [path for folder in args.folders for path in Path(folder).glob("checkpoint*.pt")]
    allowed = {"overwrite": args.overwrite, "inputs": inputs}
    output = output_file("--output", args.output, our_checkpoint, **allowed)
    output_file("--output", record_of(output), our_json, **allowed)
    trained = save_final(
        args.folders, output, args.weights, half=args.half, overwrite=args.overwrite
    )
    for part in trained["sub_models"]:
        of_epochs = f" of {part['last_epoch']}" if part["last_epoch"] is not None else ""
        print(
            f"{output}: the {args.weights} weights of {part['folder']}, epoch {part['epoch']}"
            f"{of_epochs}, {part['updates']:,} updates"
        )
