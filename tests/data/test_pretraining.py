import json
import os
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory, Pair
from vqapg.data.feature_store import FeatureStore
from vqapg.data.feature_writer import FeatureWriter, write_joined
from vqapg.data.prepare import prepare
from vqapg.data.pretraining import replace_malformed
from vqapg.files import sha256

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
    assert status == 0 and "4 pairs of 2 images for training; 1 malformed, replaced" in printed
    made = DataDirectory(tmp_path / "dest")
    assert [tuple(pair) for pair in made.pairs("train")] == [
        ("images/a.png", "what is red ?", "a dog"),
        ("images/a.png", "is it a dog ?", "yes"),
        # In the place of the malformed one
        ("images/b.png", "is this red ?", "no"),
        ("images/b.png", "is this red ?", "no"),
    ]
    for split in ("valid", "test"):
        assert made.pairs(split) == data.directory.pairs(split)
    assert made.dictionary_path.read_bytes() == data.directory.dictionary_path.read_bytes()
    assert made.manifest["counts"]["train"] == {"images": 2, "pairs": 4}
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
        and "all hypotheses are malformed" in printed
        and not (tmp_path / "dest").exists()
    )
    data.directory.features_path.unlink()
    status, printed = make()
    assert status == 2 and "no such features" in printed and not (tmp_path / "dest").exists()


SECOND = """\
H-1\t-0.2\tis it red ? <sep> no
H-0\t-0.2\twhat is red ? <sep> a dog
"""


@pytest.fixture
def run(data, tmp_path, capsys):
    """run(arguments) -> (exit status, what was printed); a.txt and b.txt are two passes."""
    (tmp_path / "a.txt").write_text(GENERATED)
    (tmp_path / "b.txt").write_text(SECOND)

    def run(*arguments, data_path=data.directory.path):
        given = [argument.format(tmp=tmp_path) for argument in arguments]
        given += ["--data", str(data_path), "--dest", str(tmp_path / "dest")]
        return main(["pretraining-data", *given]), "".join(capsys.readouterr())

    return run


def test_passes_follow_each_other_and_are_recorded(run, tmp_path):
    status, printed = run("{tmp}/b.txt", "{tmp}/a.txt")
    assert status == 0, printed
    assert "6 pairs of 2 images for training; of 2 passes; 1 malformed, replaced" in printed
    made = DataDirectory(tmp_path / "dest")
    assert [tuple(pair) for pair in made.pairs("train")] == [
        ("images/a.png", "what is red ?", "a dog"),
        ("images/b.png", "is it red ?", "no"),
        ("images/a.png", "what is red ?", "a dog"),
        ("images/a.png", "is it a dog ?", "yes"),
        ("images/b.png", "is it red ?", "no"),
        ("images/b.png", "is this red ?", "no"),
    ]
    files = [tmp_path / "b.txt", tmp_path / "a.txt"]
    recorded = [{"path": str(file), "sha256": sha256(file)} for file in files]
    assert made.manifest["generated"]["files"] == recorded
    assert made.manifest["generated"]["gold_copies"] is None
    inputs = made.manifest["provenance"]["inputs"]
    assert [inputs["pairs 1"], inputs["pairs 2"]] == recorded and "data" in inputs
    assert made.manifest["counts"]["train"] == {"images": 2, "pairs": 6}


def test_malformed_pairs_take_turns_of_their_image():
    def pairs(text):
        return [Pair(*word.split("-", 1), "yes") for word in text.split()]

    def formed(found):
        return [f"{pair.image}-{pair.question}" for pair in found]

    given = pairs("a-x b-1 b-x b-x b-2 b-x a-x a-x a-x")
    given = [pair._replace(question=None) if pair.question == "x" else pair for pair in given]
    # Image a has no well-formed pair: it gets all others in turn.
    assert formed(replace_malformed(given)) == "b-1 b-1 b-1 b-2 b-2 b-1 b-2 b-1 b-2".split()
    assert replace_malformed(given[:1]) == []


def test_gold_pairs_come_as_often_as_asked(data, run, tmp_path):
    status, printed = run("--gold", "3")
    assert status == 0 and "6 pairs of 2 images for training; the gold pairs 3 times" in printed
    made, gold = DataDirectory(tmp_path / "dest"), data.directory.pairs("train")
    counted = Counter(made.pairs("train"))
    assert counted == dict.fromkeys(gold, 3) and len(made.pairs("train")) == 6
    assert made.manifest["generated"]["gold_copies"] == 3
    assert made.manifest["generated"]["files"] == []
    assert FeatureStore(made.features_path).read(range(4)).shape == data.features.shape


@pytest.mark.parametrize(
    "first, other",
    [
        (["--gold", "3"], ["--gold", "2"]),
        (["{tmp}/a.txt", "{tmp}/b.txt"], ["{tmp}/a.txt"]),
        (["{tmp}/a.txt"], ["--gold", "3"]),
    ],
)
def test_same_passes_again_write_nothing(run, tmp_path, first, other):
    assert run(*first)[0] == 0
    before = (tmp_path / "dest/manifest.json").stat().st_mtime_ns
    assert run(*first)[0] == 0
    status, printed = run(*other)
    assert status == 2 and "is there already; give another name, or --overwrite" in printed
    assert (tmp_path / "dest/manifest.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "GENERATED and --gold: neither is given; give generated files, or --gold N"),
        (["{tmp}/a.txt", "--gold", "3"], "GENERATED and --gold: both are given"),
        (["--gold", "0"], "--gold 0: must be 1 or more"),
        (["{tmp}/a.txt", "{tmp}/a.txt"], "a.txt: is given twice; give passes with seeds of their"),
        (["{tmp}/a.txt", "{tmp}/copy.txt"], "copy.txt: is equal to {tmp}/a.txt; give passes"),
        (["{tmp}/a.txt", "{tmp}/none.txt"], "none.txt: cannot be read (No such file or directory)"),
    ],
)
def test_wrong_passes_are_one_line(run, tmp_path, arguments, message):
    (tmp_path / "copy.txt").write_text(GENERATED)
    status, printed = run(*arguments)
    assert status == 2 and printed.count("\n") == 1, printed
    assert message.format(tmp=tmp_path) in printed and not (tmp_path / "dest").exists()


def test_files_may_follow_the_flags(data, tmp_path, run):
    given = ["--data", str(data.directory.path), "--dest", str(tmp_path / "dest")]
    files = [str(tmp_path / name) for name in ("a.txt", "b.txt")]
    assert main(["pretraining-data", *given, *files]) == 0
