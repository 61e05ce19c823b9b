"""Measure the diversity and the consistency of generated pairs, with bootstrap 95% intervals over images."""

HELP = "measure diversity and consistency of generated pairs"
EXAMPLE = "vqapg evaluate DATA --pairs OUT/generate-test.txt --evaluator CKPT --output metrics.json"


def add_arguments(parser):
    parser.add_argument("data", metavar="DATA", help="the data directory that was generated from")
    parser.add_argument("--pairs", required=True, metavar="FILE", help="generate-<split>.txt, or JSON lines")
    parser.add_argument(
        "--evaluator", metavar="CKPT", help="consistency evaluator's checkpoint; without it no P and S"
    )
    parser.add_argument(
        "--split", default="test", choices=("train", "valid", "test"), help="default: %(default)s"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="of resamples and shown pairs (default: %(default)s)"
    )
    parser.add_argument("--show", type=int, default=0, metavar="K", help="also print pairs of K images")
    parser.add_argument("--output", required=True, metavar="FILE", help="JSON file to write")


def run(args):
    import json

    import vqapg
    from vqapg.cli.paths import checked_output
    from vqapg.data.directory import DataDirectory
    from vqapg.errors import InputError
    from vqapg.evaluation.easy_vqa_truth import possible_worlds, verdict
    from vqapg.evaluation.generated import read_generated
    from vqapg.evaluation.metrics import compute_metrics, distinct_triples
    from vqapg.evaluation.summary import choose_samples, format_sample, format_table
    from vqapg.files import atomic_write, sha256

    for option, value in (("--seed", args.seed), ("--show", args.show)):
        if value < 0:
            raise InputError(f"{option} {value}: must not be negative; give 0 or more")
    output = checked_output(args)
    data = DataDirectory(args.data)
    pairs = read_generated(args.pairs, data, args.split)
    worlds = possible_worlds(data, args.split) if data.manifest["dataset"] == "easy-vqa" else None
    triples, scores, evaluator = distinct_triples(pairs), None, None
    if args.evaluator:
        from vqapg.evaluation.consistency import score_triples

        scores = score_triples(args.evaluator, data, triples) if triples else []
        evaluator = {"path": args.evaluator, "sha256": sha256(args.evaluator)}

    metrics = compute_metrics(pairs, scores, worlds, seed=args.seed) | {
        "pairs_file": args.pairs,
        "evaluator": evaluator,
        "data": args.data,
        "split": args.split,
        "vqapg_version": vqapg.__version__,
    }
    with atomic_write(output) as file:
        json.dump(metrics, file, indent=2, allow_nan=False)
        file.write("\n")
    print(format_table(metrics))
    score_of = dict(zip(triples, scores, strict=True)) if scores is not None else {}
    for pair in choose_samples(pairs, args.show, args.seed):
        known = worlds and verdict(worlds[pair.image], pair.question, pair.answer)
        print(format_sample(pair, score_of.get((pair.image, pair.question, pair.answer)), known))
