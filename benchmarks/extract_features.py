"""Speed of `vqapg extract-features` against the bare forward pass of the same CNN over the same images.

    python benchmarks/extract_features.py --output extract_features.json
    python benchmarks/extract_features.py --backbone resnet50 --images 64 --rounds 3

Writes photo-like JPEG files of 640x480 pixels. Bare: all images decoded and prepared in memory beforehand, in batches
of the same size. The command: reading, decoding and resizing in workers, forward passes, half precision, writing and
flushing the file, statistics. Both take turns; medians of the rounds. The target: at least 90% of the bare speed.

The share of CPU time is bare over command, workers included: what the share of the speed comes to on a CPU with nothing
to spare. Unlike the clock, it tells the same on a machine that has other work.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from vqapg.data.backbones import build_backbone
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_extraction import default_batch_size, extract_features
from vqapg.data.pictures import open_rgb
from vqapg.data.prepare import prepare
from vqapg.files import atomic_write

SIZE = (640, 480)  # of most COCO images
PIXEL_NOISE = 12  # deviation; makes files of about 170 KB, as COCO's are


def write_data(folder, images):
    generator = np.random.default_rng(1)
    lines = []
    for number in range(images):
        coarse = Image.fromarray(generator.integers(0, 255, (9, 12, 3), np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
        pixels = np.asarray(coarse) + generator.normal(0, PIXEL_NOISE, (SIZE[1], SIZE[0], 1))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.jpg", quality=90)
        split = {0: "valid", 1: "test"}.get(number, "train")
        lines.append({"image": f"{number}.jpg", "question": "What?", "answer": "noise", "split": split})
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


def measure(name, data, args):
    backbone = build_backbone(name, "imagenet" if name == "efficientnet_lite0" else "none")
    backbone = backbone.to(args.device, memory_format=torch.channels_last)
    batch_size = args.batch_size or default_batch_size(args.device, backbone.preprocessing.image_size)
    paths = [data.image_path(image) for image in data.image_ids()]
    prepared = [backbone.preprocessing(open_rgb(path)) for path in paths]
    batches = [
        torch.stack(prepared[start : start + batch_size]).to(args.device, memory_format=torch.channels_last)
        for start in range(0, len(prepared), batch_size)
    ]
    run_bare(backbone, batches[:1], args.device)
    options = {"batch_size": batch_size, "num_workers": args.num_workers, "overwrite": True}
    turns = [
        (timed(run_bare, backbone, batches, args.device), timed(extract_features, data, backbone, device=args.device, **options))
        for _ in range(args.rounds)
    ]
    # [rounds, bare or command, clock or CPU] -> [bare or command, clock or CPU]
    (bare, bare_cpu), (command, command_cpu) = np.median(turns, axis=0).tolist()
    return {
        "backbone": name, "image_size": backbone.preprocessing.image_size, "batch_size": batch_size,
        "images": len(paths), "rounds": args.rounds,
        "bare_images_a_second": len(paths) / bare, "command_images_a_second": len(paths) / command,
        "share": bare / command, "share_of_cpu_time": bare_cpu / command_cpu,
        "bare_cpu_seconds_an_image": bare_cpu / len(paths), "command_cpu_seconds_an_image": command_cpu / len(paths),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", nargs="+", default=["efficientnet_lite0", "resnet50"])
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, help="default: the command's own")
    parser.add_argument("--num-workers", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=("cpu", "cuda"))
    parser.add_argument("--output", metavar="FILE", help="JSON file to write")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = write_data(Path(folder), args.images)
        size = sum(path.stat().st_size for path in Path(folder).glob("*.jpg")) / args.images
        print(f"{args.images} images of {size / 1000:.0f} KB on average; {args.device}, {torch.get_num_threads()} threads", flush=True)
        results = []
        for name in args.backbone:
            results.append(measure(name, data, args))
            if len(results) == 1:
                print(f"{'backbone':<20} {'size':>4} {'bare, images/s':>15} {'command, images/s':>18} {'share':>6} {'of CPU time':>12}")
            row = results[-1]
            print(
                f"{name:<20} {row['image_size']:>4} {row['bare_images_a_second']:>15.1f} "
                f"{row['command_images_a_second']:>18.1f} {row['share']:>6.1%} {row['share_of_cpu_time']:>12.1%}", flush=True,
            )
    if args.output:
        with atomic_write(args.output) as file:
            json.dump({"threads": torch.get_num_threads(), "device": args.device, "results": results}, file, indent=2)


if __name__ == "__main__":
    main()
