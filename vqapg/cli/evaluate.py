"""Measure diversity, consistency, and overlap with the gold pairs, with bootstrap 95% intervals over images."""

from vqapg.cli.paths import add_overwrite

HELP = "measure diversity, consistency and gold overlap of generated pairs"
EXAMPLE = "vqapg evaluate DATA --pairs OUT/generate-test.txt --evaluator CKPT --output metrics.json"


def add_arguments(parser):
    parser.add_argument("data", metavar="DATA", help="the data directory that was generated from")
    parser.add_argument(
        "--pairs", required=True, metavar="FILE", help="generate-<split>.txt, or JSON lines"
    )
    parser.add_argument(
        "--evaluator",
        metavar="CKPT",
        help="consistency evaluator's checkpoint; without it no P and S",
    )
    parser.add_argument(
        "--split", default="test", choices=("train", "valid", "test"), help="default: %(default)s"
    )
    parser.add_argument(
        "--pairs-per-image",
        type=int,
        metavar="K",
        help="to compare systems at equal numbers: draw K pairs of each image, leave out images with fewer",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="of resamples, drawn and shown pairs (default: %(default)s)",
    )
    parser.add_argument(
        "--show", type=int, default=0, metavar="K", help="also print pairs of K images"
    )
    parser.add_argument("--output", required=True, metavar="FILE", help="JSON file to write")
    add_overwrite(parser)


def run(args):
    import sys
    from pathlib import Path

    from vqapg.cli.paths import input_file, output_file
    from vqapg.data.directory import DataDirectory
    from vqapg.errors import InputError, printable
    from vqapg.evaluation.equal_pairs import draw_pairs
    from vqapg.evaluation.figures import distinct_triples
    from vqapg.evaluation.generated import read_generated
    from vqapg.evaluation.metrics import compute_metrics, versions
    from vqapg.evaluation.overlap import not_computed
    from vqapg.evaluation.summary import choose_samples, format_sample, format_table
    from vqapg.files import sha256
    from vqapg.judges.easy_vqa_truth import possible_worlds, verdict
    from vqapg.targets import our_json, write_json

    for option, value in (("--seed", args.seed), ("--show", args.show)):
        if value < 0:
            raise InputError(f"{option} {value}: must not be negative; give 0 or more")
    if args.pairs_per_image is not None and args.pairs_per_image < 1:
        raise InputError(
            f"--pairs-per-image {args.pairs_per_image}: must be 1 or more; give a greater number"
        )
    inputs = [args.pairs, *Path(args.data).glob("*")]
    if args.evaluator is not None:
        inputs.append(input_file("--evaluator", args.evaluator))
    output = output_file("--output", args.output, our_json, overwrite=args.overwrite, inputs=inputs)
    data = DataDirectory(args.data)
    pairs, left_out = read_generated(args.pairs, data, args.split), 0
    if args.pairs_per_image is not None:
        pairs, left_out = draw_pairs(pairs, args.pairs_per_image, args.seed)
        if not pairs:
            raise InputError(
                f"--pairs-per-image {args.pairs_per_image}: no image of {args.pairs} has so many; give fewer"
            )
    worlds = possible_worlds(data, args.split) if data.manifest["dataset"] == "easy-vqa" else None
    missing = not_computed()
    for reason in dict.fromkeys(missing.values()):
        keys = ", ".join(key for key in missing if missing[key] == reason)
        print(f"vqapg evaluate: not computed: {keys}, which {reason}", file=sys.stderr)
    triples, scores, evaluator = distinct_triples(pairs), None, None
    if args.evaluator:
        from vqapg.judges.evaluator import score_triples

        scores = score_triples(args.evaluator, data, triples) if triples else []
        evaluator = {"path": args.evaluator, "sha256": sha256(args.evaluator)}

    gold, train = data.pairs(args.split), data.pairs("train")
    metrics = compute_metrics(pairs, scores, worlds, gold=gold, train=train, seed=args.seed) | {
        "pairs_file": args.pairs,
        "pairs_per_image": args.pairs_per_image,
        "images_left_out": left_out,
        "evaluator": evaluator,
        "data": args.data,
        "split": args.split,
        "versions": versions(),
    }
    write_json(output, metrics, overwrite=args.overwrite)
    print(format_table(metrics))
    score_of = dict(zip(triples, scores, strict=True)) if scores is not None else {}
    for pair in choose_samples(pairs, args.show, args.seed):
        known = worlds and verdict(worlds[pair.image], pair.question, pair.answer)
        score = score_of.get((pair.image, pair.question, pair.answer))
        print(printable(format_sample(pair, score, known)))
