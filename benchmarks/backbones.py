"""What a backbone's features tell of a picture, and what they cost.

    python benchmarks/backbones.py data/lite0 data/lite2 data/joined --output backbones.json
    python benchmarks/backbones.py --costs resnet50 timm:vit_base_patch16_clip_224.openai@224x288

The first form is a linear probe of each data directory's features. A logistic regression reads a
picture's features, averaged over its regions, and says the answer. It is asked about the pairs
whose answer is among the --answers most frequent ones of the train split. The valid split chooses
its regularisation. The accuracy on the test split has a bootstrap interval over images. The
majority always says the train split's most frequent answer. The probe never sees the question, so
it is far from what a model can do. It ranks backbones.

The second form builds networks with random weights, which cost as much as any, and needs no data.
NAME@SIZE gives a size, as --image-size does.

What the evaluator makes of the features is measured by photograph_evaluator.py.
"""

import argparse
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from vqapg.backbones import build_backbone
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_store import FeatureStore
from vqapg.errors import InputError
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.reports.table import markdown_table
from vqapg.targets import write_json

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)  # sklearn's C: the larger, the freer
ROWS = 256  # images read at a time
MEBIBYTE = 1 << 20
PROBE_HEAD = ("features", "channels", "R", "MiB an image", "probe (%)", "majority (%)")
COST_HEAD = ("backbone", "pixels", "grid", "R", "channels", "MiB an image")


class Asked(NamedTuple):
    """The pairs of a split that the probe is asked about: a row and a label each."""

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]


def asked(data: DataDirectory, store: FeatureStore, split: str, answers: dict[str, int]) -> Asked:
    """The pairs of *split* whose answer is one of *answers* (by label), where the image is read."""
    pairs = [
        (store.rows[pair.image], answers[pair.answer])
        for pair in data.pairs(split)
        if pair.answer in answers and pair.image in store.rows
    ]
    if not pairs:
        raise InputError(f"{data.path}: no {split} pair has a frequent answer; raise --answers")
    rows, labels = np.array(pairs).T
    return Asked(rows, labels)


def pooled(store: FeatureStore, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The features of *rows*, standardised, averaged over regions: ``[len(rows), C]``."""
    distinct, index = np.unique(rows, return_inverse=True)
    means = [
        store.read(distinct[start : start + ROWS]).astype(np.float32).mean(axis=1)
        for start in range(0, len(distinct), ROWS)
    ]
    found: NDArray[np.float32] = ((np.concatenate(means) - store.mean) / store.std)[index]
    return found


def probe(folder: Path, most: int) -> dict[str, Any]:
    """The figures of one data directory's features."""
    data, store = DataDirectory(folder), FeatureStore(folder / "features.h5")
    frequent = Counter(pair.answer for pair in data.pairs("train")).most_common(most)
    answers = {answer: label for label, (answer, _) in enumerate(frequent)}
    splits = {split: asked(data, store, split, answers) for split in ("train", "valid", "test")}
    pooled_of = {split: pooled(store, pairs.rows) for split, pairs in splits.items()}
    # One scale for all channels, that of the train split's averages.
    scale = pooled_of["train"].std() or 1.0
    best: tuple[float, float, LogisticRegression] | None = None
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=500)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(pooled_of["train"] / scale, splits["train"].labels)
        reached = model.score(pooled_of["valid"] / scale, splits["valid"].labels)
        if best is None or reached > best[0]:
            best = (reached, strength, model)
    assert best is not None
    test = splits["test"]
    right = (best[2].predict(pooled_of["test"] / scale) == test.labels).astype(float)
    images, image = np.unique(test.rows, return_inverse=True)
    bootstrap = ImageBootstrap(len(images))
    majority = np.bincount(splits["train"].labels).argmax()
    count, regions, channels = store.shape
    return {
        "features": store.source,
        "images": count,
        "regions": regions,
        "channels": channels,
        "mebibytes": mebibytes(regions, channels),
        "answers": len(answers),
        "pairs": {split: len(pairs.labels) for split, pairs in splits.items()},
        "C": best[1],
        "accuracy": float(right.mean()),
        "accuracy_interval": bootstrap.mean(image, right),
        "majority": float((test.labels == majority).mean()),
    }


def mebibytes(regions: int, channels: int) -> float:
    """What an image takes in ``features.h5``: float16 ``[R, C]``."""
    return 2 * regions * channels / MEBIBYTE


def cost(name: str) -> tuple[str, ...]:
    """A row of the table of costs, for ``NAME`` or ``NAME@SIZE``."""
    backbone_name, _, size = name.partition("@")
    backbone = build_backbone(backbone_name, "none", size or None)
    rows, columns = backbone.grid
    return (
        backbone_name,
        str(backbone.preprocessing.image_size),
        f"{rows} x {columns}",
        f"{rows * columns:,}",
        f"{backbone.channels:,}",
        f"{mebibytes(rows * columns, backbone.channels):.2f}",
    )


def probe_row(figures: dict[str, Any]) -> tuple[str, ...]:
    """A row of the table of probes."""
    low, high = figures["accuracy_interval"] or (float("nan"),) * 2
    return (
        f"{figures['features']['backbone']} at {figures['features']['image_size']}",
        f"{figures['channels']:,}",
        f"{figures['regions']:,}",
        f"{figures['mebibytes']:.2f}",
        f"{100 * figures['accuracy']:.1f} [{100 * low:.1f}, {100 * high:.1f}]",
        f"{100 * figures['majority']:.1f}",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", type=Path, help="data directories with features")
    parser.add_argument("--answers", type=int, default=20, help="how many answers (default: 20)")
    parser.add_argument("--costs", nargs="+", metavar="NAME[@SIZE]", help="of these backbones")
    parser.add_argument("--output", metavar="FILE", help="JSON file to write, replaced if there")
    args = parser.parse_args(arguments)
    if not args.data and not args.costs:
        parser.error("give data directories, or --costs")
    try:
        if args.costs:
            print(markdown_table(COST_HEAD, [cost(name) for name in args.costs]))
        if args.data:
            probes = [probe(folder, args.answers) for folder in args.data]
            print(markdown_table(PROBE_HEAD, [probe_row(figures) for figures in probes]))
            if args.output:
                write_json(Path(args.output), {"probes": probes}, overwrite=True)
    except InputError as error:
        parser.exit(2, f"backbones.py: error: {error}\n")


if __name__ == "__main__":
    main()
