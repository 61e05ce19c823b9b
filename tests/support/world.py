"""A tiny world of coloured squares: pictures, a data directory, and flags for small models."""

import json
from pathlib import Path

from PIL import Image

from vqapg.cli.main import main

COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (30, 180, 30)}
IMAGES = {"train": 9, "valid": 3, "test": 5}
EPOCHS = 12  # of seven updates: long enough for hypotheses that end
SMALL = ["--hidden-size", "16", "--embed-dim", "12"]
OPTIMIZER = [
    "--optimizer",
    "adam",
    "--lr",
    "1e-2",
    "--batch-size",
    "4",
    "--cpu",
    "--num-workers",
    "0",
]
GENERATION = [
    "--task",
    "vqapg",
    "--arch",
    "vqapg_joint_variational",
    "--criterion",
    "vqapg_elbo",
    "--latent-dim",
    "8",
    *SMALL,
]
CONSISTENCY = [
    "--task",
    "vqapg_consistency",
    "--arch",
    "vqapg_consistency",
    "--criterion",
    "vqapg_consistency",
    *SMALL,
]


def vqapg(*arguments: object) -> None:
    """The vqapg program in this process; its exit status must be 0."""
    assert main([str(argument) for argument in arguments]) == 0


def write_source(folder: Path) -> Path:
    """Three questions about each picture of a coloured square, as JSON lines beside them."""
    (folder / "images").mkdir(parents=True)
    records = []
    for split, count in IMAGES.items():
        for number in range(count):
            name, colour = f"images/{split}{number}.png", list(COLOURS)[number % 3]
            picture = Image.new("RGB", (40, 40), COLOURS[colour])
            # No two files are equal: a copy in another split would be refused.
            picture.putpixel((0, 0), (number, list(IMAGES).index(split), 0))
            picture.save(folder / name)
            for question, answer in [
                ("What color is the square?", colour),
                (f"Is there a {colour} square?", "yes"),
                ("Is there a black square?", "no"),
            ]:
                record = {"image": name, "question": question, "answer": answer, "split": split}
                records.append(record)
    path = folder / "qa.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def make_data(folder: Path, backbone: str = "resnet18", source: Path | None = None) -> Path:
    """The data directory of such pictures, with features of a random network."""
    source = source or write_source(folder / "source")
    vqapg("prepare", "--dataset", "jsonl", "--source", source, "--dest", folder / "data")
    vqapg(
        "extract-features",
        folder / "data",
        "--backbone",
        backbone,
        "--weights",
        "none",
        "--image-size",
        64,
        "--num-workers",
        0,
    )
    return folder / "data"
