"""A small study written by hand, as the commands store it."""

import json

from PIL import Image


def figure(value, width=0.01):
    return {"value": value, "n": 10, "ci95": [value - width, value + width]}


def metrics(n, consistent, **changes):
    return {
        "pairs": 9673,
        "images": 1000,
        "malformed": 0,
        "distinct4": figure(n / 10_000),
        "unique_pairs": figure(n, 5),
        "consistent": figure(consistent),
        "mean_score": figure(consistent - 0.1),
        "not_computed": {},
    } | changes


def study_file(**changes):
    """What study.json holds."""
    return {
        "dataset": "easy-vqa",
        "preset": "small",
        "seeds": [1, 2],
        "device": "CPU, 2 cores",
        "settings": {
            "max_epoch": 8,
            "batch_size": 64,
            "hidden_size": 128,
            "lr": [0.002],
            "weights": "best",
            "evaluator": {"seed": 1},
        },
    } | changes


def trained(*updates, weights="best", epoch=7, **changes):
    """What trained.json holds of a model, with the *updates* of each of its sub-models."""
    folders = (".",) if len(updates) == 1 else ("x", "y")
    parts = [
        {"folder": folder, "epoch": epoch, "updates": count, "last_epoch": 8}
        for folder, count in zip(folders, updates, strict=True)
    ]
    return {"weights": weights, "sub_models": parts, "updates": sum(updates)} | changes


def evaluator(digest="ab" * 32, negatives="paper", accuracy=0.93):
    """What evaluator.json holds."""
    return {
        "split": "test",
        "table3": {"train": figure(0.9), "valid": figure(0.8), "test": figure(0.95)},
        "negatives": {"paper": {"by_type": {"all": {"accuracy": figure(accuracy)}}}},
        "evaluator": {"judge": "evaluator", "sha256": digest, "negatives": negatives},
    }


def write(path, stored):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(stored))
    return path


def looked_pair(question, answer, grid, at, consistency=None, weights=True):
    """All attention on the region *at*[text] of each text; weights 1 there, 0.25 elsewhere."""
    regions = grid[0] * grid[1]

    def spread(text, there, elsewhere):
        return [there if region == at[text] else elsewhere for region in range(regions)]

    pair = {
        "question": question,
        "answer": answer,
        "score": -0.5,
        "weights": {text: spread(text, 1.0, 0.25) for text in at} if weights else {},
        "attention": {text: spread(text, 1.0, 0.0) for text in at},
    }
    return pair | ({} if consistency is None else {"consistency": consistency})


def write_attention(folder, model, images, grid=(2, 3), **changes):
    """Makes the pictures of *images*, {id: pairs}: 60 wide, 20 high, the top right third bright.

    All else is black.
    """
    records = []
    for image, pairs in images.items():
        path = folder / "pictures" / image
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (60, 20))
        picture.paste((255, 255, 255), (40, 0, 60, 10))
        picture.save(path)
        records.append({"image": image, "path": str(path), "malformed": 0, "pairs": pairs})
    stored = {"grid": list(grid), "images": records} | changes
    return write(folder / model / "seed-1/attention.json", stored)


def write_study(folder):
    """A study of easy-VQA by preset small, as bash scripts/reproduce.sh leaves it, but for Tables 6
    and 10, and Figure 8.
    """
    write(folder / "study.json", study_file())
    counts = {
        split: {"images": images, "pairs": pairs}
        for split, images, pairs in (
            ("train", 3200, 31_000),
            ("valid", 800, 7575),
            ("test", 1000, 9673),
        )
    }
    write(folder / "data/manifest.json", {"format": 1, "dataset": "easy-vqa", "counts": counts})
    for name, digest in (("evaluator", "ab" * 32), ("evaluator-hard", "cd" * 32)):
        negatives = name.partition("-")[2] or "paper"
        write(folder / name / "evaluator.json", evaluator(digest, negatives))
        write(folder / name / "trained.json", trained(3300, epoch=12))
    judge = {"judge": "evaluator", "path": "evaluator/final.pt", "sha256": "ab" * 32}
    overlaps = {
        f"{key}{rule}": figure(value)
        for key, value in (("bleu4", 0.5), ("meteor", 0.3), ("rouge_l", 0.6))
        for rule in ("", "_published")
    }
    for number, model in enumerate(MODELS):
        for seed in (1, 2):
            path = folder / model / f"seed-{seed}"
            figures = metrics(10 * number + seed, 0.9 - 0.02 * number, judge=judge, **overlaps)
            write(path / "metrics.json", figures)
            updates = (1000, 2000) if model.startswith("pipeline") else (1500,)
            write(path / "trained.json", trained(*updates, epoch=6 + seed))
    at = {"question": 2, "answer": 0}
    for model in ("pipeline_variational", "joint_variational", "sequential_variational"):
        pair = looked_pair("is there a dog ?", "no", (2, 3), at, consistency=0.75)
        write_attention(folder, model, {"a.png": [pair]}, judge=judge)
    for task in ("vqg", "vqa"):
        for name, value, updates in (
            ("baseline", 0.25, 800),
            ("control", 0.29, 2400),
            ("pipeline_variational", 0.33, 2400),
            ("joint_variational", 0.30, 2400),
            ("sequential_variational", 0.26, 2400),
        ):
            path = folder / "downstream" / task / name / "seed-1"
            keys = ("bleu4", "meteor", "rouge_l", "exact")
            write(path / "metrics.json", {key: figure(value) for key in keys})
            write(path / "trained.json", trained(updates))
    return folder


MODELS = (
    *("pipeline", "pipeline_variational", "pipeline_variational-qa"),
    *("pipeline_variational-no_scaling", "joint", "joint_variational"),
    *("joint_variational-no_scaling", "joint_variational-no_scaling-no_alignment"),
    *("joint_variational-no_alignment", "sequential", "sequential_variational"),
    *("sequential_variational-no_scaling", "sequential_variational-qa"),
)
