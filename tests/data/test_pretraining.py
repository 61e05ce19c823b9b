import json
import os
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_store import FeatureStore
from vqapg.data.prepare import prepare

RECORDS = [
    ("a.png", "What is this?", "a dog", "train"), ("b.png", "Is it red?", "no", "train"),
    ("c.png", "Is it red?", "yes", "valid"), ("d.png", "What is this?", "a cat", "test"),
]
GENERATED = """\
H-0\t-0.5\twhat is red ? <sep> a dog
D-0\t-0.5\twhat is red ? <sep> a dog
H-0\t-0.6\tis it a dog ? <sep> yes
H-1\t-0.5\tno separator
H-1\t-0.7\tis this red ? <sep> no
"""


@pytest.fixture
def data(tmp_path):
    """A data directory with features that were joined of two shards beside them."""
    (tmp_path / "images").mkdir()
    lines = []
    for image, question, answer, split in RECORDS:
        (tmp_path / "images" / image).write_bytes(image.encode())
        lines.append(json.dumps({"image": f"images/{image}", "question": question, "answer": answer, "split": split}))
    (tmp_path / "qa.jsonl").write_text("\n".join(lines))
    prepare("jsonl", str(tmp_path / "qa.jsonl"), tmp_path / "data", {"seed": 1})
    data = DataDirectory(tmp_path / "data")
    features = np.arange(4 * 6 * 5, dtype=np.float16).reshape(4, 6, 5)
    for shard, rows in (("one", features[:3]), ("two", features[3:])):
        rows.tofile(data.path / f"features.{shard}")
    with h5py.File(data.features_path, "w") as file:
        parts = [(f"features.{shard}", 0, 2 * 6 * 5 * count) for shard, count in (("one", 3), ("two", 1))]
        file.create_dataset("features", (4, 6, 5), np.float16, external=parts)
        file.create_dataset("ids", data=data.image_ids(), dtype=h5py.string_dtype())
        file.create_dataset("train_mean", data=np.zeros(5, np.float32))
        file.create_dataset("train_std", data=np.ones(5, np.float32))
        file.attrs.update(
            format=1, backbone="none", weights="none", weights_sha256="ab", image_size=8, grid_height=2, grid_width=3,
            images_digest=data.images_digest(),
        )
    return SimpleNamespace(directory=data, features=features)


@pytest.fixture
def make(data, tmp_path, capsys):
    """make(generated text) -> (exit status, what was printed)."""

    def make(text=GENERATED, dest="dest"):
        (tmp_path / "generate-train.txt").write_text(text)
        arguments = ["--data", str(data.directory.path), "--dest", str(tmp_path / dest)]
        status = main(["pretraining-data", str(tmp_path / "generate-train.txt"), *arguments])
        return status, "".join(capsys.readouterr())

    return make


def test_generated_pairs_train_and_all_else_is_as_it_was(data, make, tmp_path):
    status, printed = make()
    assert status == 0 and "3 pairs of 2 images for training; 1 malformed left out" in printed
    made = DataDirectory(tmp_path / "dest")
    assert [tuple(pair) for pair in made.pairs("train")] == [
        ("images/a.png", "what is red ?", "a dog"), ("images/a.png", "is it a dog ?", "yes"),
        ("images/b.png", "is this red ?", "no"),
    ]
    for split in ("valid", "test"):
        assert made.pairs(split) == data.directory.pairs(split)
    assert made.dictionary_path.read_bytes() == data.directory.dictionary_path.read_bytes()
    assert made.manifest["counts"]["train"] == {"images": 2, "pairs": 3}
    assert made.manifest["counts"]["test"] == data.directory.manifest["counts"]["test"]


def test_features_and_their_shards_are_linked_and_readable(data, make, tmp_path):
    make()
    links = sorted(path.name for path in (tmp_path / "dest").iterdir() if path.is_symlink())
    assert links == ["features.h5", "features.one", "features.two"]
    store = FeatureStore(tmp_path / "dest/features.h5")
    np.testing.assert_array_equal(store.read(range(4)), data.features)
    assert os.path.samefile(tmp_path / "dest/features.h5", data.directory.features_path)


def test_made_again_of_the_same_nothing_is_written_and_of_others_it_is_refused(make, tmp_path):
    make()
    before = (tmp_path / "dest/manifest.json").stat().st_mtime_ns
    assert make()[0] == 0 and (tmp_path / "dest/manifest.json").stat().st_mtime_ns == before
    status, printed = make(GENERATED.replace("yes", "no"))
    assert status == 2 and printed.endswith("dest: is another data directory; remove it, or give another --dest\n")
    status, printed = make(dest="data")
    assert status == 2 and "is another data directory" in printed


def test_what_a_killed_run_left_is_gone_over(make, tmp_path):
    make()
    (tmp_path / "dest/manifest.json").unlink()
    assert make()[0] == 0 and DataDirectory(tmp_path / "dest").manifest["generated"]["pairs_sha256"]


def test_nothing_well_formed_or_no_features_is_an_error(data, make, tmp_path):
    status, printed = make("H-0\t-0.5\tno separator\n")
    assert status == 2 and "all its hypotheses are malformed" in printed and not (tmp_path / "dest").exists()
    data.directory.features_path.unlink()
    status, printed = make()
    assert status == 2 and "no such features" in printed and not (tmp_path / "dest").exists()
