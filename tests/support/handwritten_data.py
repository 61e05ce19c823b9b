"""Small data written by hand: tests of its readers do not depend on its writer."""

import json

import numpy as np

from vqapg.data.directory import Pair

PAIRS = [
    Pair("a.png", "what color is the shape ?", "red"),
    Pair("a.png", "is there a circle ?", "no"),
    Pair("b.png", "is there a circle ?", "yes"),
    Pair("c.png", "what color is the shape ?", "blue"),
    Pair("c.png", "is there a circle ?", "yes"),
]
# That people wrote; to the other pairs nobody did.
WRONG_ANSWERS = {
    PAIRS[0]: ("blue", "a circle", "yes"),
    PAIRS[3]: ("red", "there"),
}


def write_data(folder, pairs, dataset="jsonl", split="test"):
    """Makes *folder* a data directory with *pairs*, (image, question, answer) each, as *split*.

    Texts are space-joined tokens; the other splits get one pair of their own. Its images would lie
    in ``images``, beside it.
    """
    folder.mkdir()
    for name in ("train", "valid", "test"):
        rows = pairs if name == split else [(f"{name}.png", "is there a circle ?", "yes")]
        for column, field in enumerate(("image", "question", "answer")):
            (folder / f"{name}.{field}").write_text("".join(f"{row[column]}\n" for row in rows))
    tokens = sorted({token for pair in pairs for text in pair[1:] for token in text.split()})
    (folder / "dict.txt").write_text("".join(f"{token} 1\n" for token in ["<sep>", *tokens]))
    manifest = {
        "format": 1,
        "dataset": dataset,
        "image_root": str(folder.parent.resolve() / "images"),
        "versions": {"tokenizer": 2},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def write_features(
    folder, name="features.h5", ids=("a.png", "b.png"), digest="of other images", value=1.0
):
    """The path of a features file in *folder*: 2x3 regions, 5 channels, each feature *value*."""
    from vqapg.data.feature_writer import FeatureWriter

    source = {"backbone": "tiny", "weights": "none", "weights_sha256": "ab" * 32, "image_size": 8}
    path = folder / name
    writer = FeatureWriter.create(path, list(ids), (2, 3), 5, source, digest)
    writer.write(0, np.full((len(ids), 6, 5), value, np.float16))
    writer.finish((np.zeros(5, np.float32), np.ones(5, np.float32)))
    return path


def write_objects(folder, name="features.h5"):
    """Features of a.png, with 3 regions of 6, and b.png, with 6: ones, each in a box."""
    from vqapg.data.feature_writer import FeatureWriter

    source = {
        "backbone": "imported:own",
        "weights": "own.npz",
        "weights_sha256": "imported",
        "image_size": 0,
    }
    writer = FeatureWriter.create(
        folder / name, ["a.png", "b.png"], None, 5, source, "other", regions=6, with_boxes=True
    )
    for row, count in enumerate((3, 6)):
        boxes = np.tile(np.float32([0, 0.25, 0.5, 1]), (count, 1))
        writer.write_regions(row, np.ones((count, 5), np.float16), boxes)
    writer.finish((np.zeros(5, np.float32), np.ones(5, np.float32)))
    return folder / name
