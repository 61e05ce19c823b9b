"""What a backbone's features tell of a picture, and what they cost.

    python benchmarks/backbones.py data/lite0 data/lite2 data/joined --output backbones.json
    python benchmarks/backbones.py --costs resnet50 timm:vit_base_patch16_clip_224.openai@224x288

The first form is a linear probe of each data directory's features. A logistic regression says the
answer of a pair. It is asked about the pairs whose answer is among the --answers most frequent ones
of the train split. It reads one of three things:

- the picture: its features, averaged over its regions
- the words: the question's first two, such as "what color"
- both

The gain is what the picture adds to the words. The valid split chooses the regularisation.
Accuracies are of the test split, with bootstrap intervals over images. The majority always says the
train split's most frequent answer. A model reads regions and whole questions, so the probe is no
bound on it.

The second form builds networks with random weights, which cost as much as any, and needs no data.
NAME@SIZE gives a size, as --image-size does.

What the evaluator makes of the features is measured by photograph_evaluator.py.
"""

import argparse
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from vqapg.backbones import build_backbone
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_store import FeatureStore
from vqapg.data.question_type import question_type
from vqapg.errors import InputError
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.reports.table import markdown_table
from vqapg.targets import write_json

STRENGTHS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)  # sklearn's C: the larger, the freer
WORDS_SCALE = 30  # their few weights are hardly regularised then
ROWS = 256  # images read at a time
MEBIBYTE = 1 << 20
PROBE_HEAD = ("features", "majority (%)", "picture (%)", "words (%)", "both (%)", "gain (points)")
COST_HEAD = ("backbone", "pixels", "grid", "R", "channels", "MiB an image")


class Asked(NamedTuple):
    """The pairs of a split that the probe is asked about: row, words and label of each."""

    rows: NDArray[np.int64]
    words: list[str]
    labels: NDArray[np.int64]


def asked(data: DataDirectory, store: FeatureStore, split: str, answers: dict[str, int]) -> Asked:
    """The pairs of *split* whose answer is one of *answers* (by label), where the image is read."""
    pairs = [
        pair for pair in data.pairs(split) if pair.answer in answers and pair.image in store.rows
    ]
    if not pairs:
        raise InputError(f"{data.path}: no {split} pair has a frequent answer; raise --answers")
    return Asked(
        np.array([store.rows[pair.image] for pair in pairs]),
        [question_type(pair.question) for pair in pairs],
        np.array([answers[pair.answer] for pair in pairs]),
    )


def pooled(store: FeatureStore, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The features of *rows*, standardised, averaged over regions: ``[len(rows), C]``."""
    distinct, index = np.unique(rows, return_inverse=True)
    means = [
        store.read(distinct[start : start + ROWS]).astype(np.float32).mean(axis=1)
        for start in range(0, len(distinct), ROWS)
    ]
    found: NDArray[np.float32] = ((np.concatenate(means) - store.mean) / store.std)[index]
    return found


def one_hot(words: Sequence[str], kinds: Sequence[str]) -> NDArray[np.float32]:
    """WORDS_SCALE where the words are of a kind: ``[len(words), len(kinds)]``."""
    found: NDArray[np.float32] = np.array(words)[:, None] == np.array(kinds)[None]
    return WORDS_SCALE * found.astype(np.float32)


def right_answers(
    inputs: Mapping[str, NDArray[np.float32]], splits: Mapping[str, Asked]
) -> NDArray[np.float64]:
    """1 for each pair of the test split whose answer the probe says, and 0 for the others."""
    models = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=300)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(inputs["train"], splits["train"].labels)
        models.append((model.score(inputs["valid"], splits["valid"].labels), model))
    # The most regularised of the best
    best = max(models, key=lambda found: found[0])[1]
    right: NDArray[np.float64] = best.predict(inputs["test"]) == splits["test"].labels
    return right.astype(np.float64)


def probe(folder: Path, most: int) -> dict[str, Any]:
    """The figures of one data directory's features."""
    data, store = DataDirectory(folder), FeatureStore(folder / "features.h5")
    frequent = Counter(pair.answer for pair in data.pairs("train")).most_common(most)
    answers = {answer: label for label, (answer, _) in enumerate(frequent)}
    splits = {split: asked(data, store, split, answers) for split in ("train", "valid", "test")}
    picture = {split: pooled(store, pairs.rows) for split, pairs in splits.items()}
    # One scale for all channels, so that all features meet the same regularisation.
    scale = picture["train"].std() or 1.0
    picture = {split: values / scale for split, values in picture.items()}
    kinds = sorted(set(splits["train"].words))
    words = {split: one_hot(pairs.words, kinds) for split, pairs in splits.items()}
    both = {split: np.concatenate([picture[split], words[split]], axis=1) for split in splits}
    right = {
        name: right_answers(inputs, splits)
        for name, inputs in (("picture", picture), ("words", words), ("both", both))
    }
    test = splits["test"]
    images, image = np.unique(test.rows, return_inverse=True)
    bootstrap = ImageBootstrap(len(images))
    majority = np.bincount(splits["train"].labels).argmax()
    gain = right["both"] - right["words"]
    count, regions, channels = store.shape
    return {
        "features": store.source,
        "images": count,
        "regions": regions,
        "channels": channels,
        "mebibytes": mebibytes(regions, channels),
        "answers": len(answers),
        "pairs": {split: len(pairs.labels) for split, pairs in splits.items()},
        "majority": float((test.labels == majority).mean()),
        **{
            name: {"value": float(values.mean()), "interval": bootstrap.mean(image, values)}
            for name, values in right.items()
        },
        "gain": {"value": float(gain.mean()), "interval": bootstrap.mean(image, gain, (-1, 1))},
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


def probe_row(figures: Mapping[str, Any]) -> tuple[str, ...]:
    """A row of the table of probes."""

    def percent(name: str) -> str:
        low, high = figures[name]["interval"] or (np.nan, np.nan)
        return f"{100 * figures[name]['value']:.1f} [{100 * low:.1f}, {100 * high:.1f}]"

    return (
        f"{figures['features']['backbone']} at {figures['features']['image_size']}",
        f"{100 * figures['majority']:.1f}",
        *(percent(name) for name in ("picture", "words", "both", "gain")),
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
