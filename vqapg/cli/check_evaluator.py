"""How far a consistency evaluator can be trusted: held-out pairs against both kinds of negatives, Table 3, and on
easy-VQA the truth. Bootstrap 95% intervals over images."""

from vqapg.cli.paths import add_overwrite

HELP = "measure how far a consistency evaluator can be trusted"
EXAMPLE = "vqapg check-evaluator DATA --evaluator CKPT --output evaluator.json"


def add_arguments(parser):
    parser.add_argument(
        "data", metavar="DATA", help="the data directory that the evaluator was trained on"
    )
    parser.add_argument(
        "--evaluator", required=True, metavar="CKPT", help="the consistency evaluator's checkpoint"
    )
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

    from vqapg.cli.paths import input_file, output_file
    from vqapg.data.directory import SPLITS, DataDirectory
    from vqapg.data.feature_store import FeatureStore
    from vqapg.errors import InputError
    from vqapg.evaluation.evaluator_report import report_evaluator
    from vqapg.evaluation.evaluator_table import format_report
    from vqapg.judges.easy_vqa_truth import possible_worlds
    from vqapg.judges.evaluator import negatives_of_training, score_triples
    from vqapg.provenance import provenance
    from vqapg.targets import our_json, write_json

    if args.seed < 0:
        raise InputError(f"--seed {args.seed}: must not be negative; give 0 or more")
    input_file("--evaluator", args.evaluator)
    inputs = [args.evaluator, *Path(args.data).glob("*")]
    output = output_file("--output", args.output, our_json, overwrite=args.overwrite, inputs=inputs)
    data = DataDirectory(args.data)
    skipped = FeatureStore(data.features_path).skipped
    splits = {
        split: [pair for pair in data.pairs(split) if pair.image not in skipped] for split in SPLITS
    }
    dataset = data.manifest["dataset"]
    worlds = possible_worlds(data, args.split) if dataset == "easy-vqa" else None
    trained_with = negatives_of_training(args.evaluator, data)

    report = report_evaluator(
        splits,
        args.split,
        lambda triples: score_triples(args.evaluator, data, triples),
        worlds,
        dataset=dataset,
        seed=args.seed,
    ) | {
        "evaluator": {"negatives": trained_with},
        "provenance": provenance(
            seed=args.seed, inputs={"data": args.data, "evaluator": args.evaluator}
        ),
    }
    write_json(output, report, overwrite=args.overwrite)
    print(f"The evaluator was trained with {trained_with} negatives.\n\n{format_report(report)}")
