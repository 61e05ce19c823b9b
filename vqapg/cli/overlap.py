"""Measure what vqapg_vqg or vqapg_vqa generated: overlap with the gold text of the very pair, for
Table 8, with bootstrap 95% intervals over images.
"""

from vqapg.cli.paths import add_overwrite

HELP = "measure generated questions (VQG) or answers (VQA) against the gold ones"
EXAMPLE = "vqapg overlap DATA --pairs OUT/generate-test.txt --of question --output metrics.json"


def add_arguments(parser):
    parser.add_argument("data", metavar="DATA", help="the data directory that was generated from")
    parser.add_argument("--pairs", required=True, metavar="FILE", help="generate-<split>.txt")
    parser.add_argument(
        "--of", required=True, choices=("question", "answer"), help="which text was generated"
    )
    parser.add_argument(
        "--split", default="test", choices=("train", "valid", "test"), help="default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=1, help="of resamples (default: %(default)s)")
    parser.add_argument("--output", required=True, metavar="FILE", help="JSON file to write")
    add_overwrite(parser)


def run(args):
    import sys
    from pathlib import Path

    from vqapg.cli.paths import output_file
    from vqapg.data.directory import DataDirectory
    from vqapg.errors import InputError
    from vqapg.evaluation.generated import read_generated
    from vqapg.evaluation.metrics import OURS
    from vqapg.evaluation.text_overlap import EXACT, text_overlap
    from vqapg.provenance import provenance
    from vqapg.targets import our_json, write_json

    if args.seed < 0:
        raise InputError(f"--seed {args.seed}: must not be negative; give 0 or more")
    inputs = [args.pairs, *Path(args.data).glob("*")]
    output = output_file("--output", args.output, our_json, overwrite=args.overwrite, inputs=inputs)
    data = DataDirectory(args.data)
    gold = data.pairs(args.split)
    pairs = read_generated(args.pairs, data, args.split)
    figures = text_overlap(pairs, gold, args.of, seed=args.seed)
    for key, reason in figures["not_computed"].items():
        print(f"vqapg overlap: not computed: {key}, which {reason}", file=sys.stderr)
    metrics = {
        "pairs": len(pairs),
        "images": len({pair.image for pair in pairs}),
        "malformed": sum(pair.malformed for pair in pairs),
        **figures,
        "of": args.of,
        "split": args.split,
        "provenance": provenance(seed=args.seed, inputs={"data": args.data, "pairs": args.pairs}),
    }
    write_json(output, metrics, overwrite=args.overwrite)
    print(f"{len(pairs):,} {args.of}s, {metrics['malformed']:,} malformed left out")
    for measure in (*(OURS[key] for key in ("bleu4", "meteor", "rouge_l")), EXACT):
        figure = figures.get(measure.key)
        if figure and figure["value"] is not None:
            interval = ", ".join(map(measure.text, figure["ci95"] or ()))
            print(f"{measure.head:12} {measure.text(figure['value']):>6} [{interval}]")
