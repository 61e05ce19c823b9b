"""Join what several runs of vqapg sample wrote, such as the jobs of a cluster.

The ending of --output says what is joined:

- .jsonl, .parquet, .csv: pairs, from JSON lines, Parquet files, or folders that --ray wrote
- .html: pages, with at most 1,000 images
- .json: counts, as vqapg sample --counts writes them
"""

import argparse

from vqapg.cli.paths import add_overwrite

HELP = "join the pairs, pages or counts of several vqapg sample runs"
EXAMPLE = "vqapg join pairs-1.parquet pairs-2.parquet --output pairs.parquet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("parts", nargs="+", metavar="PART", help="files to join, in this order")
    parser.add_argument("--output", required=True, metavar="FILE", help="file to write")
    add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    from pathlib import Path

    from vqapg.cli.paths import output_file
    from vqapg.export.gallery import our_page
    from vqapg.export.gallery_join import join_galleries
    from vqapg.export.join_pairs import join_pairs
    from vqapg.export.outputs import format_named, format_of
    from vqapg.sampling.counts import join_counts
    from vqapg.targets import our_json

    parts, suffix = [Path(part) for part in args.parts], Path(args.output).suffix
    if suffix == ".html":
        output = output_file(
            "--output", args.output, our_page, overwrite=args.overwrite, inputs=parts
        )
        total = join_galleries(parts, output)
        print(f"{output}: {total['pairs']:,} pairs of {total['images']:,} images")
    elif suffix == ".json":
        output = output_file(
            "--output", args.output, our_json, overwrite=args.overwrite, inputs=parts
        )
        counts = join_counts(parts, output, overwrite=args.overwrite)
        print(f"{output}: {counts.describe()}")
    else:
        format = format_of(args.output)
        output = output_file(
            "--output",
            args.output,
            format_named(format).recognise,
            overwrite=args.overwrite,
            inputs=parts,
        )
        pairs = join_pairs(parts, output, format, overwrite=args.overwrite)
        print(f"{output}: {pairs:,} pairs of {len(parts):,} parts")
