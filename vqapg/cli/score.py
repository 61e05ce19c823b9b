"""Let a judge score pairs that any system made, one by one.

The output has each line of the input with what the judge says of it, from 0 to 1, under
"consistency". It is null for a malformed pair, and where the judge cannot tell.
"""

import argparse

from vqapg.cli.judge_flags import add_judge_arguments
from vqapg.cli.paths import add_overwrite
from vqapg.cli.place_flags import add_place_arguments

HELP = "let a judge score pairs that any system made, one by one"
EXAMPLE = "vqapg score --images PHOTOS --pairs pairs.jsonl --evaluator CKPT --output scores.jsonl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place_arguments(parser)
    parser.add_argument(
        "--pairs", required=True, metavar="FILE", help="JSON lines, or generate-<split>.txt"
    )
    add_judge_arguments(parser, "who scores the pairs", required=True)
    parser.add_argument("--output", required=True, metavar="FILE", help="JSON lines to write")
    add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    import sys

    from vqapg.cli.judge_flags import judge_of
    from vqapg.cli.paths import output_file
    from vqapg.cli.place_flags import files_of_place
    from vqapg.evaluation.given_pairs import place_of_images
    from vqapg.evaluation.score import MARK, scored_lines
    from vqapg.targets import json_lines_ending_in, write_json_lines

    judge, checkpoints = judge_of(args)
    assert judge is not None  # argparse requires one
    inputs = [args.pairs, *checkpoints, *files_of_place(args)]
    ours = json_lines_ending_in(MARK)
    output = output_file("--output", args.output, ours, overwrite=args.overwrite, inputs=inputs)
    place = place_of_images(args.data, args.images, args.split)
    scored = scored_lines(place, args.pairs, judge=judge, split=args.split, weights=args.weights)
    lines = scored.lines
    write_json_lines(output, lines, ours, overwrite=args.overwrite)
    told = sum(line["consistency"] is not None for line in lines)
    print(f"{output}: {len(lines):,} pairs, {told:,} scored by {lines[0]['judge']}")
    if scored.warning is not None:
        print(f"warning: {scored.warning}", file=sys.stderr)
