import json
import os
from types import SimpleNamespace

import numpy as np
import pytest

from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_store import FeatureStore
from vqapg.data.feature_writer import FeatureWriter, write_joined
from vqapg.data.prepare import prepare

RECORDS = [
    ("a.png", "What is this?", "a dog", "train"),
    ("b.png", "Is it red?", "no", "train"),
    ("c.png", "Is it red?", "yes", "valid"),
    ("d.png", "What is this?", "a cat", "test"),
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
        lines.append(
            json.dumps(
                {"image": f"images/{image}", "question": question, "answer": answer, "split": split}
            )
        )
    (tmp_path / "qa.jsonl").write_text("\n".join(lines))
    prepare("jsonl", str(tmp_path / "qa.jsonl"), tmp_path / "data", {})
    data = DataDirectory(tmp_path / "data")
    features = np.arange(4 * 6 * 5, dtype=np.float16).reshape(4, 6, 5)
    source = {"backbone": "none", "weights": "none", "weights_sha256": "ab", "image_size": 8}
    statistics = np.zeros(5, np.float32), np.ones(5, np.float32)
    for number, rows in ((1, slice(0, 3)), (2, slice(3, 4))):
        path = data.path / f"features.{number}-of-2.h5"
        writer = FeatureWriter.create(
            path, data.image_ids()[rows], (2, 3), 5, source, data.images_digest()
        )
        writer.write(0, features[rows])
        writer.finish(statistics)
    write_joined(
        data.features_path,
        [FeatureStore(data.path / f"features.{number}-of-2.h5") for number in (1, 2)],
    )
    return SimpleNamespace(directory=data, features=features)


@pytest.fixture
def make(data, tmp_path, capsys):
    """make(generated text) -> (exit status, what was printed)."""

    def make(text=GENERATED, dest="dest", *more):
        (tmp_path / "generate-train.txt").write_text(text)
        arguments = ["--data", str(data.directory.path), "--dest", str(tmp_path / dest)]
        status = main(["pretraining-data", str(tmp_path / "generate-train.txt"), *arguments, *more])
        return status, "".join(capsys.readouterr())

    return make


def test_generated_pairs_train_and_all_else_is_as_it_was(data, make, tmp_path):
    status, printed = make()
    assert status == 0 and "3 pairs of 2 images for training; 1 malformed left out" in printed
    made = DataDirectory(tmp_path / "dest")
    assert [tuple(pair) for pair in made.pairs("train")] == [
        ("images/a.png", "what is red ?", "a dog"),
        ("images/a.png", "is it a dog ?", "yes"),
        ("images/b.png", "is this red ?", "no"),
    ]
    for split in ("valid", "test"):
        assert made.pairs(split) == data.directory.pairs(split)
    assert made.dictionary_path.read_bytes() == data.directory.dictionary_path.read_bytes()
    assert made.manifest["counts"]["train"] == {"images": 2, "pairs": 3}
    assert made.manifest["counts"]["test"] == data.directory.manifest["counts"]["test"]


def test_features_of_shards_are_linked_and_readable(data, make, tmp_path):
    make()
    links = sorted(path.name for path in (tmp_path / "dest").iterdir() if path.is_symlink())
    assert links == ["features.h5"]
    store = FeatureStore(tmp_path / "dest/features.h5")
    np.testing.assert_array_equal(store.read(range(4)), data.features)
    assert os.path.samefile(tmp_path / "dest/features.h5", data.directory.features_path)


def test_made_again_of_the_same_nothing_is_written_and_of_others_it_is_refused(make, tmp_path):
    make()
    before = (tmp_path / "dest/manifest.json").stat().st_mtime_ns
    assert make()[0] == 0 and (tmp_path / "dest/manifest.json").stat().st_mtime_ns == before
    other = GENERATED.replace("yes", "no")
    status, printed = make(other)
    assert status == 2 and "dest: is there already; give another name, or --overwrite" in printed
    assert make(other, "dest", "--overwrite")[0] == 0
    assert DataDirectory(tmp_path / "dest").pairs("train")[1].answer == "no"
    for more in ([], ["--overwrite"]):
        status, printed = make(GENERATED, "data", *more)
        assert status == 2 and "data: is the data directory that is read" in printed


def test_nothing_well_formed_or_no_features_is_an_error(data, make, tmp_path):
    status, printed = make("H-0\t-0.5\tno separator\n")
    assert (
        status == 2
        and "all its hypotheses are malformed" in printed
        and not (tmp_path / "dest").exists()
    )
    data.directory.features_path.unlink()
    status, printed = make()
    assert status == 2 and "no such features" in printed and not (tmp_path / "dest").exists()
