"""Run every image of a data directory through a frozen network and write DATA/features.h5.

A run that was killed goes on where it stopped when it is started again.
"""

import sys

from vqapg.cli.ray_flags import add_ray, address_of

HELP = "run a data directory's images through a frozen network"
EXAMPLE = "vqapg extract-features data/easy --backbone efficientnet_lite0 --image-size 96"


def add_arguments(parser):
    parser.add_argument("data", metavar="DATA", help="a data directory made by vqapg prepare")
    parser.add_argument(
        "--backbone",
        default="resnet50",
        metavar="NAME",
        help="the network: a name of `vqapg list backbones`, timm:NAME, joined:NAME+NAME, or "
        "package.module:function (default: resnet50, as in the paper)",
    )
    parser.add_argument(
        "--weights",
        default="imagenet",
        metavar="imagenet|PATH|none",
        help="the published weights, which pretrained means too; a state dict's file, for timm "
        "also .safetensors; or a random network (default: imagenet)",
    )
    parser.add_argument(
        "--image-size",
        metavar="N|HEIGHTxWIDTH",
        help="images are resized, whole, to NxN or HEIGHTxWIDTH pixels "
        "(default: what suits the network; 224 for efficientnet_lite0, 299 for torchvision's)",
    )
    parser.add_argument(
        "--batch-size", type=int, default=32, metavar="N", help="images a step (default: 32)"
    )
    parser.add_argument(
        "--num-workers",
        type=int,
        default=2,
        metavar="N",
        help="processes that decode images (default: 2)",
    )
    parser.add_argument(
        "--device",
        choices=["auto", "cpu", "cuda"],
        default="auto",
        help="default: auto, a GPU if there is one",
    )
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="only the I-th of N parts of the images, for N machines on one file system; the last "
        "to finish joins them",
    )
    add_ray(
        parser,
        "every machine must see DATA and its images under one path; does not go with --shard",
    )
    parser.add_argument(
        "--skip-bad-images",
        action="store_true",
        help="leave out images that cannot be read, and their pairs, instead of stopping at the "
        "first",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace features made with other options"
    )


def run(args):
    from vqapg.backbones import build_backbone
    from vqapg.cli.paths import shard_numbers
    from vqapg.data.directory import SPLITS, DataDirectory
    from vqapg.data.extraction_on_ray import Cluster
    from vqapg.data.feature_extraction import extract_features
    from vqapg.devices import chosen_device
    from vqapg.errors import InputError, printable
    from vqapg.ray_pool import ray_data

    if args.batch_size < 1:
        raise InputError(f"--batch-size {args.batch_size}: must be at least 1")
    if args.num_workers < 0:
        raise InputError(f"--num-workers {args.num_workers}: must be at least 0")
    shard, cluster = shard_numbers(args.shard), None
    if args.ray is None:
        device = chosen_device(args.device)
    else:
        if shard is not None:
            raise InputError(
                "--shard: does not go with --ray, which makes parts itself; leave it out"
            )
        # What the machines of the cluster have decides.
        device = args.device
        cluster = Cluster(address_of(args.ray), args.backbone, args.weights, args.image_size)
        ray_data()
    data = DataDirectory(args.data)
    backbone = build_backbone(args.backbone, args.weights, args.image_size)
    result = extract_features(
        data,
        backbone,
        device=device,
        batch_size=args.batch_size,
        num_workers=args.num_workers,
        skip_bad_images=args.skip_bad_images,
        shard=shard,
        cluster=cluster,
        overwrite=args.overwrite,
    )
    count, regions, channels = result.store.shape
    if result.done_before:
        print(f"{result.store.path} is already done: {count:,} images by {args.backbone}")
        return
    if shard and result.store.path == data.features_path:
        print(f"{data.features_path}: joined of {shard[1]} shards, which it needs beside it")
    print(
        f"{result.store.path}: {count:,} images of {regions} regions with {channels:,} channels; "
        f"{result.images:,} in {result.seconds:.1f} s, "
        f"{result.images / max(result.seconds, 1e-9):.1f} a second"
    )
    if result.skipped:
        pairs = sum(
            pair.image in result.store.skipped for split in SPLITS for pair in data.pairs(split)
        )
        for error in result.skipped:
            print(f"left out: {printable(error)}", file=sys.stderr)
        print(
            f"left out: {len(result.skipped):,} images that cannot be read, with their {pairs:,} "
            "pairs"
        )
    if args.weights == "none":
        print(
            f"warning: --weights none: {args.backbone} is random, its features are only for "
            "trying out",
            file=sys.stderr,
        )
