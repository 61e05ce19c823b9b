"""Turn fairseq-generate's output into readable pairs; malformed hypotheses are left out and counted."""

HELP = "write generated pairs as JSON lines"
EXAMPLE = "vqapg export OUT/generate-test.txt --data DATA --format jsonl --output pairs.jsonl"


def add_arguments(parser):
    parser.add_argument("pairs", metavar="GENERATED", help="generate-<split>.txt, or JSON lines")
    parser.add_argument(
        "--data", required=True, metavar="DATA", help="the data directory that was generated from"
    )
    parser.add_argument("--format", required=True, choices=("jsonl",), help="of the file to write")
    parser.add_argument(
        "--evaluator", metavar="CKPT", help='consistency evaluator\'s checkpoint: adds "consistency"'
    )
    parser.add_argument(
        "--split", default="test", choices=("train", "valid", "test"), help="default: %(default)s"
    )
    parser.add_argument("--output", required=True, metavar="FILE", help="file to write")


def run(args):
    from vqapg.cli.paths import checked_output
    from vqapg.data.directory import DataDirectory
    from vqapg.evaluation.generated import read_generated, write_json_lines
    from vqapg.evaluation.figures import distinct_triples

    output = checked_output(args)
    data = DataDirectory(args.data)
    pairs = read_generated(args.pairs, data, args.split)
    scores = None
    if args.evaluator:
        from vqapg.evaluation.consistency import score_triples

        triples = distinct_triples(pairs)
        scores = score_triples(args.evaluator, data, triples) if triples else []
        scores = dict(zip(triples, scores, strict=True))
    written = write_json_lines(output, pairs, scores)
    print(f"{output}: {written:,} pairs; {len(pairs) - written:,} malformed left out")
