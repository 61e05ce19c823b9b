"""Measure diversity, consistency and overlap with the gold pairs, with bootstrap 95% intervals over
images.

It prints the most important figures. --all prints all of them, and the output file has them.

The images are those of a data directory, DATA. For pairs that any other system made, a folder of
pictures will do: --images PHOTOS. What needs gold pairs is then left out.
"""

from vqapg.cli.judge_flags import add_judge_arguments
from vqapg.cli.paths import add_overwrite
from vqapg.cli.place_flags import add_place_arguments

HELP = "measure diversity, consistency and gold overlap of generated pairs"
EXAMPLE = "vqapg evaluate DATA --pairs OUT/generate-test.txt --evaluator CKPT --output metrics.json"


def add_arguments(parser):
    add_place_arguments(parser)
    parser.add_argument(
        "--pairs", required=True, metavar="FILE", help="generate-<split>.txt, or JSON lines"
    )
    add_judge_arguments(parser, "who scores the pairs; without one there is no P and S")
    parser.add_argument(
        "--visual-dependence",
        action="store_true",
        help="also the score less that with another image of the file; the judge works twice",
    )
    parser.add_argument(
        "--pairs-per-image",
        type=int,
        metavar="K",
        help="to compare systems at equal numbers: draw K pairs of each image, leave out images "
        "with fewer",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="of resamples, drawn and shown pairs (default: %(default)s)",
    )
    parser.add_argument("--all", action="store_true", help="print every figure, not the first few")
    parser.add_argument(
        "--show", type=int, default=0, metavar="K", help="also print pairs of K images"
    )
    parser.add_argument("--output", required=True, metavar="FILE", help="JSON file to write")
    add_overwrite(parser)


def run(args):
    import sys

    from vqapg.cli.judge_flags import judge_of
    from vqapg.cli.paths import output_file
    from vqapg.cli.place_flags import files_of_place
    from vqapg.errors import InputError, printable
    from vqapg.evaluation.evaluate import evaluate_pairs
    from vqapg.evaluation.judges_agreement import format_agreement_of_judges
    from vqapg.evaluation.overlap import not_computed
    from vqapg.evaluation.summary import (
        choose_samples,
        format_headline,
        format_sample,
        format_table,
    )
    from vqapg.targets import our_json, write_json

    if args.show < 0:
        raise InputError(f"--show {args.show}: must not be negative; give 0 or more")
    judge, checkpoints = judge_of(args)
    inputs = [args.pairs, *checkpoints, *files_of_place(args)]
    output = output_file("--output", args.output, our_json, overwrite=args.overwrite, inputs=inputs)
    evaluation = evaluate_pairs(
        args.data,
        args.pairs,
        judge=judge,
        images=args.images,
        split=args.split,
        pairs_per_image=args.pairs_per_image,
        visual_dependence=args.visual_dependence,
        weights=args.weights,
        seed=args.seed,
    )
    # Without gold pairs no package would help.
    missing = not_computed() if args.images is None else {}
    for reason in dict.fromkeys(missing.values()):
        keys = ", ".join(key for key in missing if missing[key] == reason)
        print(f"vqapg evaluate: not computed: {keys}, which {reason}", file=sys.stderr)
    write_json(output, evaluation.metrics, overwrite=args.overwrite)
    print((format_table if args.all else format_headline)(evaluation.metrics))
    if evaluation.metrics["judges_agreement"] is not None:
        print(format_agreement_of_judges(evaluation.metrics["judges_agreement"]))
    if not args.all:
        print(f"--all prints the rest. It is in {printable(args.output)} too.")
    for pair in choose_samples(evaluation.pairs, args.show, args.seed):
        triple = (pair.image, pair.question, pair.answer)
        score, verdict = evaluation.scores.get(triple), evaluation.verdicts.get(triple)
        print(printable(format_sample(pair, score, verdict)))
