"""Speed of `vqapg extract-features` against the bare forward pass of the same CNN over the same images.

    python benchmarks/extract_features.py --output extract_features.json
    python benchmarks/extract_features.py --backbone resnet50 --images 64 --rounds 3

Writes photo-like JPEG files of 640x480 pixels. Bare: all images decoded and prepared in memory beforehand, in batches
of the same size. The command: reading, decoding and resizing in workers, forward passes, half precision, writing and
flushing the file, statistics. Both take turns; medians of the rounds. The target: at least 90% of the bare speed.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from vqapg.data.backbones import build_backbone
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_extraction import extract_features
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


def bare_seconds(backbone, batches, device):
    with torch.inference_mode():
        started = time.perf_counter()
        for batch in batches:
            backbone(batch)
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started


def measure(name, data, args):
    backbone = build_backbone(name, "imagenet" if name == "efficientnet_lite0" else "none")
    backbone = backbone.to(args.device, memory_format=torch.channels_last)
    paths = [data.image_path(image) for image in data.image_ids()]
    prepared = [backbone.preprocessing(open_rgb(path)) for path in paths]
    batches = [
        torch.stack(prepared[start : start + args.batch_size]).to(args.device, memory_format=torch.channels_last)
        for start in range(0, len(prepared), args.batch_size)
    ]
    bare_seconds(backbone, batches[:1], args.device)
    bare, command = [], []
    for _ in range(args.rounds):
        bare.append(bare_seconds(backbone, batches, args.device))
        started = time.perf_counter()
        extract_features(
            data, backbone, device=args.device, batch_size=args.batch_size, num_workers=args.num_workers, overwrite=True
        )
        command.append(time.perf_counter() - started)
    speeds = [len(paths) / statistics.median(seconds) for seconds in (bare, command)]
    return {
        "backbone": name, "image_size": backbone.preprocessing.image_size, "images": len(paths), "rounds": args.rounds,
        "bare_images_a_second": speeds[0], "command_images_a_second": speeds[1], "share": speeds[1] / speeds[0],
        "bare_seconds": bare, "command_seconds": command,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", nargs="+", default=["efficientnet_lite0", "resnet50"])
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
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
                print(f"{'backbone':<20} {'size':>4} {'bare, images/s':>15} {'command, images/s':>18} {'share':>6}")
            row = results[-1]
            print(
                f"{name:<20} {row['image_size']:>4} {row['bare_images_a_second']:>15.1f} "
                f"{row['command_images_a_second']:>18.1f} {row['share']:>6.1%}", flush=True,
            )
    if args.output:
        with atomic_write(args.output) as file:
            json.dump({"threads": torch.get_num_threads(), "device": args.device, "results": results}, file, indent=2)


if __name__ == "__main__":
    main()
