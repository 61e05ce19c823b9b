"""What is mutated, and the command that reads it."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fuzzing import hostile
from fuzzing.corpus import FORMATS, fairseq, vqapg
from fuzzing.mutations import mutate_bytes, mutate_json, mutate_lines


class Case(NamedTuple):
    """One command over one mutated file.

    ``file`` is that file; ``label`` what was done to it (``!``: it must be refused); ``run`` gives the exit status;
    ``may_change`` are files and folders that the command may write, beside the folder ``out``.
    """

    file: Path
    label: str
    run: Callable[[], int]
    may_change: tuple[Path, ...] = ()


GENERATE = "--task vqapg --gen-subset test --beam 2 --max-len-b 6 --batch-size 4 --num-workers 0 --cpu"
SAMPLE = "--weights none --num-samples 2 --beam 2 --num-workers 0 --device cpu"


def _copy(source, target):
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    return target


def _sample(corpus, *arguments, out):
    return vqapg("sample", "--checkpoint", corpus / "generator.pt", *SAMPLE.split(), *arguments,
                 "--output", out / "pairs.jsonl")


def checkpoints(corpus, case, rng, traps):
    name = rng.choice(("generator", "evaluator"))
    content, label = hostile.checkpoint((corpus / f"{name}.pt").read_bytes(), rng, traps)
    file = case / f"{name}.pt"
    file.write_bytes(content)
    data, out, photo = corpus / "data", case / "out", corpus / "photos/photo.png"
    if name == "evaluator":
        commands = {
            "evaluate": lambda: vqapg("evaluate", data, "--pairs", corpus / "generate-test.txt", "--evaluator", file,
                                      "--output", out / "metrics.json"),
            "check-evaluator": lambda: vqapg("check-evaluator", data, "--evaluator", file,
                                             "--output", out / "check.json"),
            "sample": lambda: _sample(corpus, photo, "--evaluator", file, out=out),
        }
    else:
        restore = ["--task", "vqapg", "--arch", "vqapg_joint_variational", "--criterion", "vqapg_elbo", "--hidden-size",
                   8, "--embed-dim", 6, "--latent-dim", 4, "--optimizer", "adam", "--lr", "1e-3", "--batch-size", 8,
                   "--max-epoch", 2, "--num-workers", 0, "--cpu", "--save-dir", out, "--restore-file", file]
        commands = {
            "sample": lambda: vqapg("sample", photo, "--checkpoint", file, *SAMPLE.split(),
                                    "--output", out / "pairs.jsonl"),
            "generate": lambda: fairseq("generate", data, *GENERATE.split(), "--path", file, "--results-path", out),
            "train": lambda: fairseq("train", data, *restore),
        }
    command = rng.choice(sorted(commands))
    return Case(file, f"{label}, {command}", commands[command])


def features(corpus, case, rng, traps):
    data = _copy(corpus / "data", case / "data")
    file, out = data / "features.h5", case / "out"
    content, label = hostile.features(file.read_bytes(), rng, traps)
    file.write_bytes(content)
    commands = {
        "evaluate": lambda: vqapg("evaluate", data, "--pairs", corpus / "generate-test.txt", "--evaluator",
                                  corpus / "evaluator.pt", "--output", out / "metrics.json"),
        "generate": lambda: fairseq("generate", data, *GENERATE.split(), "--path", corpus / "generator.pt",
                                    "--results-path", out),
        "extract": lambda: vqapg("extract-features", data, "--backbone", "resnet18", "--weights", "none",
                                 "--image-size", 64, "--num-workers", 0),
    }
    command = rng.choice(sorted(commands))
    return Case(file, f"{label}, {command}", commands[command])


def jsonl(corpus, case, rng, traps):
    _copy(corpus / "images", case / "images")
    file = case / "pairs.jsonl"
    file.write_bytes(mutate_lines((corpus / "pairs.jsonl").read_bytes(), rng, mutate_json))
    return Case(file, "lines", lambda: vqapg("prepare", "--dataset", "jsonl", "--source", file, "--dest",
                                             case / "out/data"))


def tar(corpus, case, rng, traps):
    content, label = hostile.shard((corpus / "shard.tar").read_bytes(), rng, traps)
    file = case / "shard.tar"
    file.write_bytes(content)
    return Case(file, label, lambda: _sample(corpus, file, out=case / "out"))


def vqa2(corpus, case, rng, traps):
    source = _copy(corpus / "vqa2", case / "vqa2")
    file = rng.choice(sorted(source.glob("*.json")))
    file.write_bytes(mutate_json(file.read_bytes(), rng))
    return Case(file, file.name, lambda: vqapg("prepare", "--dataset", "vqa2", "--source", source, "--valid-pairs", 2,
                                               "--dest", case / "out/data"))


def visual7w(corpus, case, rng, traps):
    source = _copy(corpus / "visual7w", case / "visual7w")
    file = source / "dataset_v7w_telling.json"
    file.write_bytes(mutate_json(file.read_bytes(), rng))
    return Case(file, "JSON", lambda: vqapg("prepare", "--dataset", "visual7w", "--source", source,
                                            "--dest", case / "out/data"))


def generated(corpus, case, rng, traps):
    """generate-test.txt, or pairs as JSON lines."""
    name = rng.choice(("generate-test.txt", "pairs-out.jsonl"))
    change = mutate_bytes if name.endswith(".txt") else mutate_json
    file, data, out = case / name, corpus / "data", case / "out"
    file.write_bytes(mutate_lines((corpus / name).read_bytes(), rng, change))
    command = rng.choice(("evaluate", "jsonl", "vqa2", "imagefolder", "overlap", "csv"))
    if command == "evaluate":
        run = lambda: vqapg("evaluate", data, "--pairs", file, "--output", out / "metrics.json")  # noqa: E731
    elif command == "overlap":
        run = lambda: vqapg("overlap", data, "--pairs", file, "--output", out / "overlap.json")  # noqa: E731
    else:
        output = out / {"jsonl": "x.jsonl", "vqa2": "x.json", "csv": "x.csv"}.get(command, "x")
        run = lambda: vqapg("export", file, "--data", data, "--format", command, "--output", output)  # noqa: E731
    return Case(file, command, run)


def directory(corpus, case, rng, traps):
    """manifest.json, dict.txt and the texts of a data directory."""
    data, out = _copy(corpus / "data", case / "data"), case / "out"
    file = data / rng.choice(("manifest.json", "manifest.json", "dict.txt", "test.question", "test.image", "train.answer"))
    if file.suffix == ".json":
        file.write_bytes(mutate_json(file.read_bytes(), rng))
    else:
        file.write_bytes(mutate_lines(file.read_bytes(), rng))
    commands = {
        "evaluate": lambda: vqapg("evaluate", data, "--pairs", corpus / "generate-test.txt", "--evaluator",
                                  corpus / "evaluator.pt", "--output", out / "metrics.json"),
        "generate": lambda: fairseq("generate", data, *GENERATE.split(), "--path", corpus / "generator.pt",
                                    "--results-path", out),
        "prepare": lambda: vqapg("prepare", "--dataset", "jsonl", "--source", corpus / "pairs.jsonl", "--dest", data),
        "start": lambda: vqapg("annotate", "start", out / "session", "--data", data, "--images", 1, "--pairs",
                               f"one={corpus / 'generate-test.txt'}"),
    }
    command = rng.choice(sorted(commands))
    # prepare makes a directory that is not finished.
    may_change = (data,) if command == "prepare" else ()
    return Case(file, f"{file.name}, {command}", commands[command], may_change)


def annotations(corpus, case, rng, traps):
    """A session, its judgements, and a sheet."""
    session, sheet, out = _copy(corpus / "session", case / "session"), case / "sheet.csv", case / "out"
    _copy(corpus / "sheet.csv", sheet)
    file = rng.choice((session / "session.json", session / "judgements.jsonl", sheet))
    change = {".json": mutate_json, ".jsonl": lambda content, rng: mutate_lines(content, rng, mutate_json)}
    file.write_bytes(change.get(file.suffix, mutate_lines)(file.read_bytes(), rng))
    commands = {
        "score": lambda: vqapg("annotate", "score", session, "--output", out / "human.json"),
        "sheet": lambda: vqapg("annotate", "sheet", session, "--annotator", "anna", "--output", out / "sheet.csv"),
        "read-sheet": lambda: vqapg("annotate", "read-sheet", session, sheet),
    }
    command = "read-sheet" if file == sheet else rng.choice(sorted(commands))
    may_change = (session / "judgements.jsonl",) if command == "read-sheet" and file.suffix != ".jsonl" else ()
    return Case(file, f"{file.name}, {command}", commands[command], may_change)


def images(corpus, case, rng, traps):
    source = corpus / f"photos/photo.{rng.choice(FORMATS)}"
    content, label = hostile.image(source.read_bytes(), rng, traps)
    name = rng.choice((source.name, "photo.jpg", "photo", "photo.png"))
    file = case / "photos" / name
    file.parent.mkdir()
    file.write_bytes(content)
    given = rng.choice((file, file.parent))
    # The other photograph is good, so a folder may be sampled without this one.
    if given != file:
        label = label.removeprefix("!")
        _copy(corpus / "photos/photo.bmp", file.parent / "good.bmp")
    return Case(file, label, lambda: _sample(corpus, given, out=case / "out"))


TARGETS: dict[str, Callable[[Path, Path, random.Random, hostile.Traps], Case]] = {
    function.__name__: function
    for function in (checkpoints, features, jsonl, tar, vqa2, visual7w, generated, directory, annotations, images)
}
