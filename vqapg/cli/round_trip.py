"""Round-trip agreement, a second opinion on consistency: does a VQA model trained on gold pairs give the generated
answer to the generated question? Exact after VQA answer normalisation, and token F1; bootstrap 95% intervals over
images. The gold pairs of the split stand beside: more agreement than with them is not to be expected."""

from vqapg.cli.paths import add_overwrite

HELP = "ask a VQA model whether it agrees with generated pairs"
EXAMPLE = "vqapg round-trip DATA --pairs OUT/generate-test.txt --answerer VQA --blind-answerer BLIND --output round-trip.json"


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
    from vqapg.evaluation.figures import distinct_triples
    from vqapg.evaluation.generated import read_generated
    from vqapg.evaluation.round_trip import Answerer, compare, format_agreement
    from vqapg.judges.easy_vqa_truth import possible_worlds
    from vqapg.provenance import provenance
    from vqapg.targets import our_json, write_json

    for option, value, least in (("--seed", args.seed, 0), ("--beam", args.beam, 1)):
        if value < least:
            raise InputError(f"{option} {value}: too small; give {least} or more")
    checkpoints = {"--answerer": args.answerer, "--blind-answerer": args.blind_answerer}
    checkpoints = {option: name for option, name in checkpoints.items() if name is not None}
    for option, name in checkpoints.items():
        input_file(option, name)
    inputs = [args.pairs, *checkpoints.values(), *Path(args.data).glob("*")]
    output = output_file("--output", args.output, our_json, overwrite=args.overwrite, inputs=inputs)
    data = DataDirectory(args.data)
    pairs = read_generated(args.pairs, data, args.split)
    answerers = [
        Answerer(name, data, option != "--answerer", args.beam)
        for option, name in checkpoints.items()
    ]
    worlds = possible_worlds(data, args.split) if data.manifest["dataset"] == "easy-vqa" else None

    has_features = answerers[0].task.features.rows
    sets = {
        "generated": distinct_triples(pairs),
        "gold": list(
            dict.fromkeys(
                tuple(pair) for pair in data.pairs(args.split) if pair.image in has_features
            )
        ),
    }
    asked = list(dict.fromkeys(triple[:2] for triples in sets.values() for triple in triples))
    said = [dict(zip(asked, answerer.answers(asked), strict=True)) for answerer in answerers]
    figures = {
        name: compare(
            triples,
            *([answers[triple[:2]] for triple in triples] for answers in said),
            worlds=worlds,
            seed=args.seed,
        )
        for name, triples in sets.items()
    }
    result = figures | {
        "pairs": len(pairs),
        "malformed": sum(pair.malformed for pair in pairs),
        "beam": args.beam,
        "split": args.split,
        "provenance": provenance(
            seed=args.seed,
            inputs={
                "data": args.data,
                "pairs": args.pairs,
                **{option.removeprefix("--"): name for option, name in checkpoints.items()},
            },
        ),
    }
    write_json(output, result, overwrite=args.overwrite)
    print(
        f"{len(pairs):,} generated pairs, {result['malformed']:,} of them malformed and left out; distinct triples:"
    )
    print(format_agreement(figures))
