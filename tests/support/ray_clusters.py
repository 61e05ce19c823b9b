"""Small clusters of Ray for tests, on however busy a machine."""

import json

from PIL import Image

from tests.support.tiny_checkpoints import draw_pictures, save_checkpoint
from vqapg.cli.main import main

SMALL = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
DRAWN = ["--num-samples", "2", "--sampling", "--temperature", "1.5", "--num-workers", "0"]
DRAWN += ["--weights", "none", "--batch-size", "4"]


def draw_world(folder, dictionary, count):
    """model.pt, and *count* photos/."""
    draw_pictures(folder / "photos", count)
    save_checkpoint(folder / "model.pt", "vqapg_joint_variational", dictionary)


def sample(*arguments, output, images=("photos",)):
    """The exit status of ``vqapg sample``."""
    words = ["sample", "--checkpoint", "model.pt", *images, "--output", output, *DRAWN, *arguments]
    return main([str(word) for word in words])


def joined(folder):
    """The pairs of all parts, one part behind the other."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("part-*.jsonl")))


def parts_done(folder):
    return len(list(folder.glob("_vqapg/0*.json")))


def draw_data(folder, count):
    """The data directory *folder*/data of *count* pictures, each of a colour of its own."""
    lines = []
    for number in range(count):
        split = {count - 1: "test", count - 2: "valid"}.get(number, "train")
        Image.new("RGB", (8, 8), (number, 7 * number % 256, 100)).save(folder / f"{number}.png")
        line = {"image": f"{number}.png", "question": "what?", "answer": "colour", "split": split}
        lines.append(json.dumps(line))
    (folder / "qa.jsonl").write_text("\n".join(lines))
    words = ["prepare", "--dataset", "jsonl", "--source", folder / "qa.jsonl", "--dest"]
    assert main([str(word) for word in (*words, folder / "data")]) == 0
    return folder / "data"


def extraction(data, backbone, notes, *arguments):
    """The words of ``vqapg extract-features``, with a backbone of ``noted_backbones``."""
    words = ["extract-features", data, "--backbone", f"tests.support.noted_backbones:{backbone}"]
    words += ["--weights", notes, "--batch-size", 2, "--num-workers", 0, "--device", "cpu"]
    return [str(word) for word in (*words, *arguments)]


def numbers_in(notes):
    return [int(line) for line in notes.read_text().split()]


def feature_parts_done(data):
    """The first image, by number, of each part that is done and lies apart."""
    parts = data.glob(".features.h5.parts/0*.json")
    return sorted(int(path.name.partition("-")[0]) for path in parts)
