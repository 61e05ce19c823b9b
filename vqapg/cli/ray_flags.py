"""``--ray [ADDRESS]`` and what goes with it."""

import argparse
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from vqapg.errors import InputError

if TYPE_CHECKING:
    from vqapg.sampling.options import SamplingOptions

ADDRESS = re.compile(r"(auto|local|[\w.-]+:\d+|\[[0-9a-fA-F:]+\]:\d+)?")
PART_SIZE = 1000


def add_ray(parser: argparse._ActionsContainer, and_then: str) -> None:
    """Adds ``--ray``.

    Args:
        parser: of the command
        and_then: what else it means there
    """
    parser.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="share the work out on a cluster of Ray at host:port; without ADDRESS on the one that "
        f"runs here, else on the cores or GPUs of this machine; {and_then}",
    )


def add_ray_arguments(parser: argparse._ActionsContainer) -> None:
    """Adds ``--ray`` and ``--part-size`` of ``vqapg sample``."""
    add_ray(parser, "--output is then a folder of parts, .parquet or .jsonl")
    parser.add_argument(
        "--part-size",
        type=int,
        default=PART_SIZE,
        metavar="N",
        help=f"images of a part, with --ray (default: {PART_SIZE:,}); a .tar shard is one part",
    )


def address_of(text: str) -> str:
    """The address that ``--ray`` gives.

    Raises:
        InputError: if it is none, as where the next argument was taken for it
    """
    if not ADDRESS.fullmatch(text):
        raise InputError(
            f"--ray {text}: is no address such as 10.0.0.1:6379; "
            "put --ray behind the other words, or write --ray=auto"
        )
    return text


def sample_by_ray(
    args: argparse.Namespace,
    options: "SamplingOptions",
    judge: str | None,
    checkpoints: Iterable[Path],
) -> None:
    """``vqapg sample --ray``: calls one function and prints.

    Args:
        args: of the command
        options: checked
        judge: who scores, or None
        checkpoints: that the judge reads
    """
    import dataclasses
    import sys

    from vqapg.cli.paths import output_file
    from vqapg.cli.sample_closing import print_closing
    from vqapg.cli.sample_defaults import note_demo
    from vqapg.export.gallery import our_page
    from vqapg.files import sha256
    from vqapg.ray_pool import ray_data
    from vqapg.sampling.image_parts import digest_of, split_in_parts
    from vqapg.sampling.images import find_images
    from vqapg.sampling.parts_folder import PartsFolder
    from vqapg.targets import our_json, write_json

    address = address_of(args.ray)
    for flag, given in (
        ("--shard", args.shard),
        ("--format", args.format),
        ("--features", args.features),
        ("--license", args.license),
    ):
        if given is not None:
            raise InputError(
                f"{flag}: does not go with --ray, which makes parts of images; leave it out"
            )
    if args.part_size < 1:
        raise InputError(f"--part-size {args.part_size}: must be at least 1")
    PartsFolder(args.output, 1)
    found = find_images(args.images, list_shards=False)
    parts = split_in_parts(found, args.part_size)
    folder = PartsFolder(args.output, len(parts))
    html = None
    if args.html is not None:
        html = output_file("--html", args.html, our_page, overwrite=args.overwrite)
    if args.counts is not None:
        output_file("--counts", args.counts, our_json, overwrite=args.overwrite)
    ray_data()
    note_demo(args.checkpoint)

    # Seconds
    from vqapg.sampling.on_ray import Job, sample_on_ray
    from vqapg.sampling.picture_sampler import load
    from vqapg.sampling.run import identity_of

    # The actors load the judge; here it would only take memory.
    sampler = load(args.checkpoint, weights=args.weights, device="cpu")
    sampler.check(dataclasses.replace(options, min_consistency=None, keep=None))
    judged_by = None if judge is None else [judge, *map(sha256, checkpoints)]
    identity = {
        **identity_of(sampler.name, judged_by, options, None),
        "html": html is not None,
        "part_size": args.part_size,
        "images": digest_of(parts),
    }
    done = sample_on_ray(
        parts,
        Job(
            args.checkpoint,
            judge,
            args.weights,
            options,
            folder,
            how={
                "batch_size": args.batch_size,
                "num_workers": args.num_workers,
                "skip_bad_images": args.skip_bad_images,
            },
        ),
        identity,
        address=address,
        device=args.device,
        html=html,
        overwrite=args.overwrite,
    )
    if args.counts is not None:
        write_json(Path(args.counts), done.counts.as_json(), overwrite=args.overwrite)
    for note in done.notes:
        print(f"note: {note}", file=sys.stderr)
    files = [name for name in (args.output, args.html) if name is not None]
    passed_over = found.passed_over + done.passed_over
    print_closing(done.counts, options, args.checkpoint, passed_over, files)
