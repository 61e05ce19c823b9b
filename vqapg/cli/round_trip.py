"""Round-trip agreement, a second opinion on consistency: does a VQA model trained on gold pairs
give the generated answer to the generated question? Exact after VQA answer normalisation, and token
F1; bootstrap 95% intervals over images. The gold pairs of the split stand beside: more agreement
than with them is not to be expected.
"""

from vqapg.cli.paths import add_overwrite

HELP = "ask a VQA model whether it agrees with generated pairs"
EXAMPLE = (
    "vqapg round-trip DATA --pairs OUT/generate-test.txt --answerer VQA --blind-answerer "
    "BLIND --output round-trip.json"
)


def add_arguments(parser):
    parser.add_argument("data", metavar="DATA", help="the data directory that was generated from")
    parser.add_argument(
        "--pairs", required=True, metavar="FILE", help="generate-<split>.txt, or JSON lines"
    )
    parser.add_argument(
        "--answerer",
        required=True,
        metavar="CKPT",
        help="checkpoint of --arch vqapg_vqa, trained on gold pairs",
    )
    parser.add_argument(
        "--blind-answerer",
        metavar="CKPT",
        help="one trained with --blind, as control: what the words alone give away",
    )
    parser.add_argument(
        "--split", default="test", choices=("train", "valid", "test"), help="default: %(default)s"
    )
    parser.add_argument(
        "--beam",
        type=int,
        default=1,
        metavar="K",
        help="of answers (default: 1, the most probable word each time)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of resamples (default: %(default)s)")
    parser.add_argument("--output", required=True, metavar="FILE", help="JSON file to write")
    add_overwrite(parser)


def run(args):
    from pathlib import Path

    from vqapg.cli.paths import input_file, output_file
    from vqapg.data.directory import DataDirectory
    from vqapg.errors import InputError
    from vqapg.targets import our_json, write_json

    for option, value, least in (("--seed", args.seed, 0), ("--beam", args.beam, 1)):
        if value < least:
            raise InputError(f"{option} {value}: too small; give {least} or more")
    inputs = [args.pairs, *Path(args.data).glob("*")]
    for option, name in (
        ("--answerer", args.answerer),
        ("--blind-answerer", args.blind_answerer),
    ):
        if name is not None:
            inputs.append(input_file(option, name))
    output = output_file("--output", args.output, our_json, overwrite=args.overwrite, inputs=inputs)

    # Seconds
    from vqapg.evaluation.round_trip import round_trip
    from vqapg.evaluation.round_trip_table import format_agreement

    result = round_trip(
        DataDirectory(args.data),
        args.pairs,
        args.answerer,
        args.blind_answerer,
        split=args.split,
        beam=args.beam,
        seed=args.seed,
    )
    write_json(output, result, overwrite=args.overwrite)
    print(
        f"{result['pairs']:,} generated pairs, {result['malformed']:,} of them malformed and left "
        "out; distinct triples:"
    )
    print(format_agreement({name: result[name] for name in ("generated", "gold")}))
