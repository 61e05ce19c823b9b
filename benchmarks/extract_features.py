"""Speed of `vqapg extract-features` against the bare forward pass of the same CNN.

    python benchmarks/extract_features.py --output extract_features.json
    python benchmarks/extract_features.py --backbone resnet50 --images 64 --rounds 3

Writes photo-like JPEG files of 640x480 pixels. The command: reading, decoding and resizing in
workers, forward passes, half precision, writing and flushing the file, statistics. Bare: batches of
the same size, of images decoded and prepared in memory beforehand; as a plain loop, and ("kept")
with malloc told to keep freed memory, as the command does. All take turns, each in a fresh process;
medians of the rounds. The target: at least 90% of the bare speed.

Shares by the clock, and of CPU time, that of the workers included: what the share comes to on a CPU
with nothing to spare. On a machine that has other work only the latter tells (with
OMP_NUM_THREADS=1: waiting threads spin).
"""

import argparse
import concurrent.futures
import itertools
import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from vqapg.backbones import build_backbone
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_extraction import extract_features
from vqapg.data.pictures import open_rgb
from vqapg.data.prepare import prepare
from vqapg.files import atomic_write
from vqapg.memory import keep_freed_memory

SIZE = (640, 480)  # of most COCO images
PIXEL_NOISE = 12  # deviation; makes files of about 170 KB, as COCO's are


def write_data(folder, images):
    generator = np.random.default_rng(1)
    lines = []
    for number in range(images):
        coarse = Image.fromarray(generator.integers(0, 255, (9, 12, 3), np.uint8)).resize(
            SIZE, Image.Resampling.BICUBIC
        )
        pixels = np.asarray(coarse) + generator.normal(0, PIXEL_NOISE, (SIZE[1], SIZE[0], 1))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(
            folder / f"{number}.jpg", quality=90
        )
        split = {0: "valid", 1: "test"}.get(number, "train")
        lines.append(
            {"image": f"{number}.jpg", "question": "What?", "answer": "noise", "split": split}
        )
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, lines)))
    prepare("jsonl", folder / "pairs.jsonl", folder / "data", {})
    return DataDirectory(folder / "data")


def run_bare(backbone, batches, device):
    with torch.inference_mode():
        for batch in batches:
            backbone(batch)
        if device == "cuda":
            torch.cuda.synchronize()


def cpu_seconds():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def timed(run, *arguments, **options):
    """Seconds by the clock, and of CPU time."""
    started, used = time.perf_counter(), cpu_seconds()
    run(*arguments, **options)
    return time.perf_counter() - started, cpu_seconds() - used


def time_bare(name, paths, args, keep):
    backbone = build(name, args)
    prepared = [backbone.preprocessing(open_rgb(path)) for path in paths]
    batches = [
        torch.stack(prepared[start : start + args.batch_size]).to(
            args.device, memory_format=torch.channels_last
        )
        for start in range(0, len(prepared), args.batch_size)
    ]
    if keep:
        keep_freed_memory()
    run_bare(backbone, batches[:1], args.device)
    return timed(run_bare, backbone, batches, args.device)


def time_command(name, data, args):
    multiprocessing.set_start_method(
        "fork", force=True
    )  # of the command's workers, as on Linux; a spawned process spawns
    options = {
        "device": args.device,
        "batch_size": args.batch_size,
        "num_workers": args.num_workers,
        "overwrite": True,
    }
    return timed(extract_features, data, build(name, args), **options)


def build(name, args):
    backbone = build_backbone(name, "imagenet" if name == "efficientnet_lite0" else "none")
    return backbone.to(args.device, memory_format=torch.channels_last)


def in_fresh_process(run, *arguments):
    """Where malloc is as it always is, and nothing is in memory that forked workers would share."""
    with concurrent.futures.ProcessPoolExecutor(
        1, multiprocessing.get_context("spawn")
    ) as executor:
        return executor.submit(run, *arguments).result()


def measure(name, data, args):
    paths = [data.image_path(image) for image in data.image_ids()]
    turns = {"bare": [], "kept": [], "command": []}
    for _ in range(args.rounds):
        turns["bare"].append(in_fresh_process(time_bare, name, paths, args, False))
        turns["kept"].append(in_fresh_process(time_bare, name, paths, args, True))
        turns["command"].append(in_fresh_process(time_command, name, data, args))
    result = {
        "backbone": name,
        "image_size": build(name, args).preprocessing.image_size,
        "images": len(paths),
        "rounds": args.rounds,
        "batch_size": args.batch_size,
    }
    for way, seconds in turns.items():
        # [rounds, clock or CPU] -> [clock or CPU], an image
        result[f"{way}_seconds"], result[f"{way}_cpu_seconds"] = (
            np.median(seconds, axis=0) / len(paths)
        ).tolist()
    for way, kind in itertools.product(("bare", "kept"), ("", "cpu_")):
        result[f"{kind}share_of_{way}"] = (
            result[f"{way}_{kind}seconds"] / result[f"command_{kind}seconds"]
        )
    return result


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backbone", nargs="+", default=["efficientnet_lite0", "resnet50"])
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--num-workers", type=int, default=2)
    parser.add_argument(
        "--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=("cpu", "cuda")
    )
    parser.add_argument("--output", metavar="FILE", help="JSON file to write")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = write_data(Path(folder), args.images)
        size = sum(path.stat().st_size for path in Path(folder).glob("*.jpg")) / args.images
        print(
            f"{args.images} images of {size / 1000:.0f} KB on average; {args.device}, "
            f"{torch.get_num_threads()} threads",
            flush=True,
        )
        print("by the clock, images a second" + " " * 29 + "CPU time, ms an image")
        print(
            "backbone             size   bare   kept command  of bare  of kept   bare   kept "
            "command  of bare  of kept",
            flush=True,
        )
        results = []
        for name in args.backbone:
            row = measure(name, data, args)
            results.append(row)
            print(
                f"{name:<20} {row['image_size']:>4}"
                + "".join(
                    f" {1 / row[f'{way}_seconds']:>6.1f}" for way in ("bare", "kept", "command")
                )
                + f"  {row['share_of_bare']:>8.0%} {row['share_of_kept']:>8.0%}"
                + "".join(
                    f" {1000 * row[f'{way}_cpu_seconds']:>6.1f}"
                    for way in ("bare", "kept", "command")
                )
                + f"  {row['cpu_share_of_bare']:>8.0%} {row['cpu_share_of_kept']:>8.0%}",
                flush=True,
            )
    if args.output:
        with atomic_write(args.output) as file:
            json.dump(
                {"threads": torch.get_num_threads(), "device": args.device, "results": results},
                file,
                indent=2,
            )


if __name__ == "__main__":
    main()
