"""A tiny world of coloured squares, taken through the real commands once for all tests of this folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from vqapg.cli.main import main

REPOSITORY = Path(__file__).resolve().parents[2]
COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (30, 180, 30)}
IMAGES = {"train": 9, "valid": 3, "test": 5}
EPOCHS = 12  # of seven updates: long enough for hypotheses that end
SMALL = ["--hidden-size", "16", "--embed-dim", "12"]
OPTIMIZER = ["--optimizer", "adam", "--lr", "1e-2", "--batch-size", "4", "--cpu", "--num-workers", "0"]
GENERATION = [
    "--task", "vqapg", "--arch", "vqapg_joint_variational", "--criterion", "vqapg_elbo", "--latent-dim", "8", *SMALL
]
CONSISTENCY = ["--task", "vqapg_consistency", "--arch", "vqapg_consistency", "--criterion", "vqapg_consistency", *SMALL]


def write_source(folder):
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
                records.append({"image": name, "question": question, "answer": answer, "split": split})
    path = folder / "qa.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def vqapg(*arguments):
    """The vqapg program in this process; its exit status must be 0."""
    assert main([str(argument) for argument in arguments]) == 0


def fairseq(command, data, *arguments, status=0):
    """A stock fairseq command as users run it; returns the finished process."""
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", f"fairseq_cli.{command}", data, "--user-dir", REPOSITORY / "vqapg", *map(str, arguments)],
        capture_output=True, text=True, env=environment, timeout=300,
    )
    assert done.returncode == status, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def make_data(folder, backbone="resnet18"):
    source = write_source(folder / "source")
    vqapg("prepare", "--dataset", "jsonl", "--source", source, "--dest", folder / "data")
    vqapg(
        "extract-features", folder / "data", "--backbone", backbone, "--weights", "none", "--image-size", 64,
        "--num-workers", 0,
    )
    return folder / "data"


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """A folder with data/, generation/ and consistency/ (each a checkpoint_last.pt), trained a little."""
    folder = tmp_path_factory.mktemp("world")
    data = make_data(folder)
    for name, model, metric in (("generation", GENERATION, "elbo"), ("consistency", CONSISTENCY, "accuracy")):
        best = ["--best-checkpoint-metric", metric, "--maximize-best-checkpoint-metric"]
        end = ["--max-epoch", EPOCHS, "--no-epoch-checkpoints", "--save-dir", folder / name]
        fairseq("train", data, *model, *OPTIMIZER, *best, *end)
    return folder
