"""How far a judge can be trusted: held-out pairs against both kinds of negatives, Table 3, and the
truth where the data set has one. Bootstrap 95% intervals over images."""

from vqapg.cli.judge_flags import add_judge_arguments
from vqapg.cli.paths import add_overwrite

HELP = "measure how far a judge, such as a consistency evaluator, can be trusted"
EXAMPLE = "vqapg check-evaluator DATA --evaluator CKPT --output evaluator.json"


def add_arguments(parser):
    parser.add_argument(
        "data", metavar="DATA", help="the data directory that the evaluator was trained on"
    )
    add_judge_arguments(parser, "who is measured", required=True)
    parser.add_argument(
        "--split",
        default="test",
        choices=("valid", "test"),
        help="what is held out (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="of negatives and resamples; with that of the training, dev negatives are "
        "those of its validation (default: %(default)s)",
    )
    parser.add_argument("--output", required=True, metavar="FILE", help="JSON file to write")
    add_overwrite(parser)


def run(args):
    from pathlib import Path

    from vqapg.cli.judge_flags import judge_of
    from vqapg.cli.paths import output_file
    from vqapg.data.directory import DataDirectory
    from vqapg.errors import InputError
    from vqapg.targets import our_json, write_json

    if args.seed < 0:
        raise InputError(f"--seed {args.seed}: must not be negative; give 0 or more")
    judge, checkpoints = judge_of(args)
    inputs = [*checkpoints, *Path(args.data).glob("*")]
    output = output_file("--output", args.output, our_json, overwrite=args.overwrite, inputs=inputs)

    # Seconds
    from vqapg.evaluation.evaluator_report import check_judge
    from vqapg.evaluation.evaluator_table import format_report

    report = check_judge(DataDirectory(args.data), judge, split=args.split, seed=args.seed)
    write_json(output, report, overwrite=args.overwrite)
    if report["evaluator"] is not None:
        negatives = report["evaluator"]["negatives"]
        print(f"The evaluator was trained with {negatives} negatives.\n")
    print(format_report(report))
