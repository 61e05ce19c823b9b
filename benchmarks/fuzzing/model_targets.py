"""Mutated files that models read: checkpoints, features, images and tar shards."""

from fuzzing import hostile_checkpoints, hostile_features, hostile_images
from fuzzing.case import GENERATE, Case, copy
from fuzzing.corpus import FORMATS, fairseq, vqapg

SAMPLE = "--weights none --num-samples 2 --beam 2 --num-workers 0 --device cpu"


def _sample(corpus, *arguments, out):
    return vqapg(
        "sample",
        "--checkpoint",
        corpus / "generator.pt",
        *SAMPLE.split(),
        *arguments,
        "--output",
        out / "pairs.jsonl",
    )


def checkpoints(corpus, case, rng, traps):
    name = rng.choice(("generator", "evaluator"))
    content, label = hostile_checkpoints.checkpoint(
        (corpus / f"{name}.pt").read_bytes(), rng, traps
    )
    file = case / f"{name}.pt"
    file.write_bytes(content)
    data, out, photo = corpus / "data", case / "out", corpus / "photos/photo.png"
    if name == "evaluator":
        commands = {
            "evaluate": lambda: vqapg(
                "evaluate",
                data,
                "--pairs",
                corpus / "generate-test.txt",
                "--evaluator",
                file,
                "--output",
                out / "metrics.json",
            ),
            "check-evaluator": lambda: vqapg(
                "check-evaluator", data, "--evaluator", file, "--output", out / "check.json"
            ),
            "sample": lambda: _sample(corpus, photo, "--evaluator", file, out=out),
        }
    else:
        restore = [
            "--task",
            "vqapg",
            "--arch",
            "vqapg_joint_variational",
            "--criterion",
            "vqapg_elbo",
            "--hidden-size",
            8,
            "--embed-dim",
            6,
            "--latent-dim",
            4,
            "--optimizer",
            "adam",
            "--lr",
            "1e-3",
            "--batch-size",
            8,
            "--max-epoch",
            2,
            "--num-workers",
            0,
            "--cpu",
            "--save-dir",
            out,
            "--restore-file",
            file,
        ]
        commands = {
            "sample": lambda: vqapg(
                "sample",
                photo,
                "--checkpoint",
                file,
                *SAMPLE.split(),
                "--output",
                out / "pairs.jsonl",
            ),
            "generate": lambda: fairseq(
                "generate", data, *GENERATE.split(), "--path", file, "--results-path", out
            ),
            "train": lambda: fairseq("train", data, *restore),
        }
    command = rng.choice(sorted(commands))
    return Case(file, f"{label}, {command}", commands[command])


def features(corpus, case, rng, traps):
    data = copy(corpus / "data", case / "data")
    file, out = data / "features.h5", case / "out"
    content, label = hostile_features.features(file.read_bytes(), rng, traps)
    file.write_bytes(content)
    commands = {
        "evaluate": lambda: vqapg(
            "evaluate",
            data,
            "--pairs",
            corpus / "generate-test.txt",
            "--evaluator",
            corpus / "evaluator.pt",
            "--output",
            out / "metrics.json",
        ),
        "generate": lambda: fairseq(
            "generate",
            data,
            *GENERATE.split(),
            "--path",
            corpus / "generator.pt",
            "--results-path",
            out,
        ),
        "extract": lambda: vqapg(
            "extract-features",
            data,
            "--backbone",
            "resnet18",
            "--weights",
            "none",
            "--image-size",
            64,
            "--num-workers",
            0,
        ),
    }
    command = rng.choice(sorted(commands))
    return Case(file, f"{label}, {command}", commands[command])


def tar(corpus, case, rng, traps):
    content, label = hostile_images.shard((corpus / "shard.tar").read_bytes(), rng, traps)
    file = case / "shard.tar"
    file.write_bytes(content)
    return Case(file, label, lambda: _sample(corpus, file, out=case / "out"))


def images(corpus, case, rng, traps):
    source = corpus / f"photos/photo.{rng.choice(FORMATS)}"
    content, label = hostile_images.image(source.read_bytes(), rng, traps)
    name = rng.choice((source.name, "photo.jpg", "photo", "photo.png"))
    file = case / "photos" / name
    file.parent.mkdir()
    file.write_bytes(content)
    given = rng.choice((file, file.parent))
    # The other photograph is good, so a folder may be sampled without this one.
    if given != file:
        label = label.removeprefix("!")
        copy(corpus / "photos/photo.bmp", file.parent / "good.bmp")
    return Case(file, label, lambda: _sample(corpus, given, out=case / "out"))
