"""How far a judge can be trusted, with bootstrap 95% intervals over images.

Measured are: held-out pairs against negatives made of them; the right answer among four, where the
data set has wrong answers that people wrote; whether the judge looks at the image; Table 3; and the
truth, where the data set has one. A verdict of one line is stored beside the checkpoint, as
CKPT.verdict.json. vqapg evaluate, sample and report show it with P.
"""

import argparse

from vqapg.cli.judge_flags import add_judge_arguments
from vqapg.cli.paths import add_overwrite

HELP = "measure how far a judge, such as a consistency evaluator, can be trusted"
EXAMPLE = "vqapg check-evaluator DATA --evaluator CKPT --output evaluator.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
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
    parser.add_argument(
        "--max-pairs",
        type=int,
        default=2000,
        metavar="N",
        help="pairs that are drawn for the four-way accuracy and the image-swap test; a pair is "
        "scored up to 73 times for them; 0 takes all (default: %(default)s)",
    )
    parser.add_argument("--output", required=True, metavar="FILE", help="JSON file to write")
    add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    import sys
    from pathlib import Path

    from vqapg.cli.judge_flags import judge_of
    from vqapg.cli.paths import output_file
    from vqapg.data.directory import DataDirectory
    from vqapg.errors import InputError, printable
    from vqapg.targets import our_json, write_json

    if args.seed < 0:
        raise InputError(f"--seed {args.seed}: must not be negative; give 0 or more")
    if args.max_pairs < 0:
        raise InputError(f"--max-pairs {args.max_pairs}: must not be negative; give 0 for all")
    judge, checkpoints = judge_of(args)
    verdicts = [Path(f"{checkpoint}.verdict.json") for checkpoint in checkpoints]
    inputs = [*checkpoints, *verdicts, *Path(args.data).glob("*")]
    output = output_file("--output", args.output, our_json, overwrite=args.overwrite, inputs=inputs)

    # Seconds
    from vqapg.evaluation.evaluator_report import check_judge
    from vqapg.evaluation.evaluator_table import format_report
    from vqapg.evaluation.judge_verdict import check_verdict_path, verdict_path, write_verdict

    for verdict in verdicts:
        check_verdict_path(verdict)
    assert judge is not None, "the parser requires one"
    report = check_judge(
        DataDirectory(args.data),
        judge,
        split=args.split,
        most_pairs=args.max_pairs,
        seed=args.seed,
    )
    write_json(output, report, overwrite=args.overwrite)
    if report["evaluator"] is not None:
        negatives = report["evaluator"]["negatives"]
        print(f"The evaluator was trained with {negatives} negatives.\n")
    print(format_report(report))
    place = verdict_path(report["judge"], args.data)
    if place is None:
        return
    try:
        write_verdict(report, place)
    except InputError as error:
        print(f"warning: {error}; P is shown as not checked", file=sys.stderr)
    else:
        print(f"\nThe verdict is stored in {printable(place)}.")
