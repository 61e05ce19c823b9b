"""Make question-answer pairs for pictures of your own: draw many, judge them, keep the good ones
that differ.

IMAGES are files, folders, patterns in quotes, WebDataset .tar shards, or .parquet files with a
column of pictures. They may lie elsewhere, as s3://bucket/photos does. In folders, patterns and
shards every picture is used, whatever its ending. The last line counts by reason what was passed
over. A picture that is named twice, or found again through a link, is used once.

A run that was killed or interrupted goes on where it stopped when it is started again. The same
picture and seed give the same pairs, in whatever run.
"""

from vqapg.cli.drawing_flags import add_drawing_arguments
from vqapg.cli.judge_flags import add_judge_arguments
from vqapg.cli.license_flag import add_license
from vqapg.cli.paths import add_overwrite
from vqapg.cli.ray_flags import add_ray_arguments, sample_by_ray
from vqapg.cli.sample_defaults import named_by_html, note_demo, output_beside, own_output
from vqapg.export import FORMATS

HELP = "make question-answer pairs for pictures of your own"
EXAMPLE = (
    "vqapg sample --checkpoint joint.pt --evaluator evaluator.pt photos/ --num-samples 20 "
    "--min-consistency 0.5 --keep 5 --output pairs.jsonl --html gallery.html"
)


def add_arguments(parser):
    parser.add_argument(
        "images",
        nargs="*",
        metavar="IMAGES",
        help="files, folders, 'patterns*.jpg', shards-*.tar, x.parquet",
    )
    parser.add_argument(
        "--features",
        metavar="DATA",
        help="instead of IMAGES: the images of a data directory, by the features in it, such as "
        "imported ones",
    )
    parser.add_argument(
        "--split",
        default="test",
        choices=("train", "valid", "test"),
        help="of --features (default: test)",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="CKPT",
        help="a model trained by --task vqapg (default: demo, which comes with vqapg)",
    )
    add_judge_arguments(
        parser,
        "who scores every pair; one that needs no data directory (default: nobody; the demo's "
        "evaluator for the demo)",
    )
    parser.add_argument(
        "--weights",
        default="imagenet",
        metavar="imagenet|FILE|none",
        help="of the backbone that the checkpoint names, as extract-features was given (default: "
        "imagenet)",
    )

    add_drawing_arguments(parser)

    choose = parser.add_argument_group("choosing, by the judge")
    choose.add_argument(
        "--min-consistency",
        type=float,
        metavar="S",
        help="no pair with a lower consistency, 0 to 1 (default: all pairs; the demo's: 0.5)",
    )
    choose.add_argument(
        "--keep",
        type=int,
        metavar="K",
        help="of an image at most K pairs, consistent and diverse, a question once (default: all; "
        "the demo's: 3)",
    )
    choose.add_argument(
        "--diversity",
        type=float,
        default=0.5,
        metavar="D",
        help="what --keep goes by, 0: consistency alone, even two answers to a question, 1: "
        "unlikeness alone (default: 0.5; "
        "maximal marginal relevance)",
    )

    write = parser.add_argument_group("writing")
    write.add_argument(
        "--output",
        metavar="FILE",
        help="file, or folder, to write (default: that of --html, ending in .jsonl)",
    )
    write.add_argument(
        "--format",
        metavar="NAME",
        help=f"{', '.join(FORMATS.names())}, or package.module:FORMAT (default: by the ending of "
        "--output, see vqapg list formats)",
    )
    write.add_argument(
        "--html", metavar="FILE", help="also a page with images and pairs, all in one file"
    )
    write.add_argument(
        "--counts", metavar="FILE", help="also the counts of the last line, as JSON, to be joined"
    )
    add_license(write)
    add_overwrite(write)

    run = parser.add_argument_group("running")
    run.add_argument(
        "--shard", metavar="I/N", help="only the I-th of N parts of the images, for N machines"
    )
    run.add_argument(
        "--skip-bad-images", action="store_true", help="leave out images that cannot be read"
    )
    run.add_argument(
        "--batch-size",
        type=int,
        default=256,
        metavar="N",
        help="draws decoded together (default: 256)",
    )
    run.add_argument(
        "--num-workers",
        type=int,
        default=2,
        metavar="N",
        help="processes that read images (default: 2)",
    )
    run.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="auto, cpu, cuda or one GPU, such as cuda:0 (default: auto, all GPUs, else the CPU)",
    )
    add_ray_arguments(run)


def run(args):
    from contextlib import nullcontext
    from dataclasses import fields

    from vqapg import demo
    from vqapg.cli.judge_flags import judge_of
    from vqapg.cli.paths import input_file
    from vqapg.errors import InputError
    from vqapg.sampling.options import SamplingOptions

    for option, value, least in (
        ("--batch-size", args.batch_size, 1),
        ("--num-workers", args.num_workers, 0),
    ):
        if value < least:
            raise InputError(f"{option} {value}: must be at least {least}")
    if (args.features is None) == (not args.images):
        raise InputError("IMAGES or --features DATA: give one of the two")
    naming = nullcontext()
    if args.output is None:
        args.output, naming = output_beside(args.html), named_by_html(args.html)
    judge, checkpoints = judge_of(args)
    chosen = demo.chosen(demo.NAME if args.checkpoint is None else args.checkpoint, judge)
    args.checkpoint = str(input_file("--checkpoint", str(chosen.checkpoint)))
    given = {field.name: getattr(args, field.name) for field in fields(SamplingOptions)}
    given = {name: value for name, value in given.items() if value is not None}
    options = SamplingOptions(**{**chosen.options, **given})
    options.check_judge(chosen.judge)
    checkpoints = [*checkpoints, *chosen.evaluators]
    with naming:
        if args.ray is not None:
            sample_by_ray(args, options, chosen.judge, checkpoints)
        else:
            _sample_here(args, options, chosen.judge, [args.checkpoint, *checkpoints])


def _sample_here(args, options, judge, inputs):
    import sys
    from functools import partial
    from pathlib import Path

    from vqapg.cli.paths import output_file, shard_numbers
    from vqapg.cli.sample_closing import print_closing
    from vqapg.errors import ExistsError, InputError
    from vqapg.sampling.images import find_images, part_of

    shard = shard_numbers(args.shard)
    images = None if args.features is not None else find_images(args.images)
    # What takes longer to import comes when what can be told without it is told.
    from vqapg.export.gallery import our_page
    from vqapg.export.outputs import Destination, check_data_set, format_named, format_of
    from vqapg.export.pair_origin import PHOTOGRAPHS, Origin, images_of_data
    from vqapg.sampling.journal import holds_finished
    from vqapg.targets import our_json, write_json

    data = None
    if images is None:
        from vqapg.data.directory import DataDirectory
        from vqapg.sampling.stored_features import images_of

        data = DataDirectory(args.features)
        images = images_of(data, args.split)
        inputs += data.path.glob("*")
    part = part_of(images, *shard) if shard else images
    inputs += dict.fromkeys(image.path for image in images)
    format = format_of(args.output, args.format)
    chosen = format_named(format)
    check_data_set(format, licence=args.license, images=() if data is None else part)
    # A run that is gone on with had leave to replace what exists.
    overwrite = args.overwrite or holds_finished(Destination(Path(args.output), format).journal)
    try:
        files = [
            output_file(
                "--output",
                path,
                chosen.recognise,
                overwrite=overwrite,
                inputs=inputs,
                folder=chosen.is_folder,
            )
            for path in chosen.files_of(Path(args.output))
        ]
        html = None
        if args.html is not None:
            html = output_file(
                "--html", args.html, our_page, overwrite=overwrite, inputs=[*inputs, *files]
            )
            files.append(html)
        if args.counts is not None:
            output_file(
                "--counts", args.counts, our_json, overwrite=overwrite, inputs=[*inputs, *files]
            )
    except ExistsError as error:
        raise InputError(f"{error}{own_output(args.output, shard)}") from None
    origin = Origin(
        images=PHOTOGRAPHS if data is None else images_of_data(data), license=args.license
    )
    split = None if data is None else args.split
    destination = Destination(Path(args.output), format, html, overwrite, origin, split)
    note_demo(args.checkpoint)

    # Seconds
    from vqapg.denormals import flush_denormals
    from vqapg.memory import keep_freed_memory
    from vqapg.sampling.many_devices import Recipe, gpus, sample_on_devices
    from vqapg.sampling.run import run

    keep_freed_memory()
    flush_denormals()  # before the CNN starts torch's threads
    recipe = Recipe(args.checkpoint, judge, args.weights, data)
    devices, several = gpus(args.device), None
    if len(devices) > 1:
        several = partial(sample_on_devices, recipe, devices)
    # Each process of several loads a model of its own; this one checks and names it.
    sampler = recipe.load("cpu" if several else devices[0])
    sampler.check(options)
    for note in sampler.notes(options):
        print(f"note: {note}", file=sys.stderr)
    counts = run(
        sampler,
        images,
        part,
        options,
        destination,
        shard=args.shard,
        overwrite=args.overwrite,
        sample=several,
        batch_size=args.batch_size,
        num_workers=args.num_workers,
        skip_bad_images=args.skip_bad_images,
    )
    if args.counts is not None:
        write_json(Path(args.counts), counts.as_json(), overwrite=overwrite)
    print_closing(counts, options, args.checkpoint, images.passed_over, files)
