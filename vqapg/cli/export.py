"""Turn fairseq-generate's output into readable pairs.

vqapg counts malformed pairs and leaves them out. Three formats write more than one file:

- vqa2: the questions and annotations files of VQA v2.0, FILE_questions.json and
  FILE_annotations.json
- vqa2-folder: a folder in the layout of VQA v2.0, with the images
- imagefolder: a folder for Hugging Face datasets, with the images and a card

The two folders take a file for each split: generate-train.txt generate-test.txt.
"""

from vqapg.cli.judge_flags import add_judge_arguments
from vqapg.cli.license_flag import add_license
from vqapg.cli.paths import add_overwrite
from vqapg.export import FORMATS

HELP = "write generated pairs for other tools: JSON lines, CSV, VQA v2.0"
EXAMPLE = "vqapg export OUT/generate-test.txt --data DATA --format jsonl --output pairs.jsonl"


def add_arguments(parser):
    parser.add_argument(
        "pairs",
        nargs="+",
        metavar="GENERATED",
        help="generate-<split>.txt, or JSON lines; of several, each name tells the split",
    )
    parser.add_argument(
        "--data", required=True, metavar="DATA", help="the data directory that was generated from"
    )
    parser.add_argument(
        "--format",
        required=True,
        metavar="NAME",
        help=f"what to write: {', '.join(FORMATS.names())}, or package.module:FORMAT",
    )
    add_judge_arguments(parser, 'whose score is written as "consistency"')
    parser.add_argument(
        "--split",
        choices=("train", "valid", "test"),
        help="of GENERATED (default: what its name ends in, else test)",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="CKPT",
        help="the model that made the pairs, for the card of imagefolder and vqa2-folder",
    )
    add_license(parser)
    parser.add_argument("--output", required=True, metavar="FILE", help="file, or folder, to write")
    add_overwrite(parser)


def run(args):
    from pathlib import Path

    from vqapg.cli.judge_flags import judge_of
    from vqapg.cli.paths import input_file, output_file
    from vqapg.data.directory import DataDirectory
    from vqapg.export.generated_pairs import export_pairs, files_of_splits
    from vqapg.export.outputs import format_named

    chosen = format_named(args.format)
    generated = files_of_splits(args.pairs, args.split)
    judge, checkpoints = judge_of(args)
    checkpoint = None
    if args.checkpoint is not None:
        checkpoint = input_file("--checkpoint", args.checkpoint)
        checkpoints = [checkpoint, *checkpoints]
    inputs = [*args.pairs, *checkpoints, *Path(args.data).glob("*")]
    files = [
        output_file(
            "--output",
            path,
            chosen.recognise,
            overwrite=args.overwrite,
            inputs=inputs,
            folder=chosen.is_folder,
        )
        for path in chosen.files_of(Path(args.output))
    ]
    exported = export_pairs(
        DataDirectory(args.data),
        generated,
        args.output,
        args.format,
        judge=judge,
        licence=args.license,
        checkpoint=checkpoint,
        overwrite=args.overwrite,
    )
    names = ", ".join(map(str, files))
    print(f"{names}: {exported.written:,} pairs; {exported.malformed:,} malformed left out")
