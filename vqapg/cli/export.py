"""Turn fairseq-generate's output into readable pairs; malformed hypotheses are left out and
counted.

vqa2 writes the questions and annotations files of VQA v2.0, FILE_questions.json and
FILE_annotations.json; imagefolder a folder for Hugging Face datasets.
"""

from vqapg.cli.judge_flags import add_judge_arguments
from vqapg.cli.paths import add_overwrite
from vqapg.export import FORMATS

HELP = "write generated pairs for other tools: JSON lines, CSV, VQA v2.0"
EXAMPLE = "vqapg export OUT/generate-test.txt --data DATA --format jsonl --output pairs.jsonl"


def add_arguments(parser):
    parser.add_argument("pairs", metavar="GENERATED", help="generate-<split>.txt, or JSON lines")
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
        "--split", default="test", choices=("train", "valid", "test"), help="default: %(default)s"
    )
    parser.add_argument("--output", required=True, metavar="FILE", help="file, or folder, to write")
    add_overwrite(parser)


def run(args):
    from pathlib import Path

    from vqapg.cli.judge_flags import judge_of
    from vqapg.cli.paths import output_file
    from vqapg.data.directory import DataDirectory
    from vqapg.data.input_image import InputImage
    from vqapg.evaluation.figures import distinct_triples
    from vqapg.evaluation.generated import read_generated, readable_records
    from vqapg.export.outputs import format_named, write_records
    from vqapg.judges.context import JudgeContext
    from vqapg.judges.judge import make_judge, score_triples

    chosen = format_named(args.format)
    judge, checkpoints = judge_of(args)
    inputs = [args.pairs, *checkpoints, *Path(args.data).glob("*")]
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
    data = DataDirectory(args.data)
    pairs = read_generated(args.pairs, data, args.split)
    scores = None
    if judge is not None:
        triples = distinct_triples(pairs)
        made = make_judge(judge, JudgeContext(data, args.split))
        scores = dict(zip(triples, score_triples(made, triples), strict=True))
    images = [
        InputImage(image, str(data.image_path(image))) for image in data.image_ids(args.split)
    ]
    written = write_records(
        args.output, args.format, readable_records(pairs, scores), images, overwrite=args.overwrite
    )
    print(
        f"{', '.join(map(str, files))}: {written:,} pairs; {len(pairs) - written:,} malformed "
        "left out"
    )
