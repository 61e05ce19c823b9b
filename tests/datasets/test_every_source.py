"""What holds for every data set that `vqapg prepare` reads, each in its official form."""

import json

import pytest

from tests.datasets.test_official_sources import write_visual7w, write_vqa2
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.datasets import DATASETS

# One image of each split, by the numbers under which the writers below put them.
TRAIN, VALID, TEST = 1, 2, 3


def write_jsonl(root, pairs):
    lines = []
    for split, number in (("train", TRAIN), ("valid", VALID), ("test", TEST)):
        (root / f"{number}.jpg").touch()
        lines += [
            {"image": f"{number}.jpg", "question": question, "answer": answer, "split": split}
            for question, answer in pairs[number]
        ]
    (root / "pairs.jsonl").write_text(
        "\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8"
    )


def write_easy_vqa(root, pairs):
    # Nine more images for training, so that a tenth of ten become valid.
    parts = {
        "train": {TRAIN: pairs[TRAIN]} | dict.fromkeys(range(10, 19), pairs[VALID]),
        "test": {TEST: pairs[TEST]},
    }
    for part, images in parts.items():
        (root / part / "images").mkdir(parents=True)
        items = [
            [question, answer, number]
            for number, listed in images.items()
            for question, answer in listed
        ]
        (root / part / "questions.json").write_text(
            json.dumps(items, ensure_ascii=False), encoding="utf-8"
        )
        for number in images:
            (root / part / f"images/{number}.png").touch()


def write(name, root, pairs):
    """*pairs*: {TRAIN: [(question, answer), ...], VALID: ..., TEST: ...}"""
    root.mkdir(parents=True, exist_ok=True)
    if name == "jsonl":
        write_jsonl(root, pairs)
    elif name == "easy-vqa":
        write_easy_vqa(root, pairs)
    elif name == "visual7w":
        write_visual7w(
            root,
            {
                TRAIN: ("train", pairs[TRAIN]),
                VALID: ("val", pairs[VALID]),
                TEST: ("test", pairs[TEST]),
            },
        )
    else:
        write_vqa2(root, {TRAIN: pairs[TRAIN], VALID: pairs[VALID]}, {TEST: pairs[TEST]})
    return root


# The file with the training questions, and a file of a training image
QUESTIONS = {
    "jsonl": "pairs.jsonl",
    "easy-vqa": "train/questions.json",
    "visual7w": "dataset_v7w_telling.json",
    "vqa2": "v2_OpenEnded_mscoco_train2014_questions.json",
}
IMAGE = {
    "jsonl": "1.jpg",
    "easy-vqa": "train/images/1.png",
    "visual7w": "images/v7w_1.jpg",
    "vqa2": "train2014/COCO_train2014_000000000001.jpg",
}
SEED = "3"  # easy-VQA: draws another image than TRAIN for valid
PAIRS = {TRAIN: [("What is it?", "A cake")], VALID: [("Where?", "Home")], TEST: [("When?", "Now")]}


def prepare(name, root, dest):
    source = root / "pairs.jsonl" if name == "jsonl" else root
    more = [] if name == "jsonl" else ["--seed", SEED]
    more += ["--valid-pairs", "1"] if name == "vqa2" else []
    return main(
        [
            "prepare",
            "--dataset",
            name,
            "--source",
            str(source),
            "--dest",
            str(dest),
            *more,
        ]
    )


def train_pairs(name, dest):
    """(question, answer) of the training image, as lines of the data directory."""
    return [
        (p.question, p.answer) for p in DataDirectory(dest).pairs("train") if p.image == IMAGE[name]
    ]


def one_line(capsys, *expected):
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("vqapg prepare: error: "), error
    for text in expected:
        assert str(text) in error, error


# Scenes are made, not read.
every_source = pytest.mark.parametrize(
    "name", [name for name in DATASETS.names() if name != "scenes"]
)


@every_source
def test_normal(tmp_path, name, capsys):
    # VQA v2.0 draws its one validation pair from both images of train.
    pairs = PAIRS | {TRAIN: PAIRS[TRAIN] * 2} if name == "vqa2" else PAIRS
    assert prepare(name, write(name, tmp_path / "source", pairs), tmp_path / "data") == 0
    assert set(train_pairs(name, tmp_path / "data")) == {("what is it ?", "a cake")}
    assert [(p.question, p.answer) for p in DataDirectory(tmp_path / "data").pairs("test")] == [
        ("when ?", "now")
    ]


@every_source
def test_unicode_comes_through(tmp_path, name):
    asked = [("Où est le café?", "à Zürich 🎂"), ("这 是 什么 ?", "蛋糕"), ("IS IT É?", "ÇA")]
    write(name, tmp_path / "source", PAIRS | {TRAIN: asked, VALID: [("Où?", "là")]})
    assert prepare(name, tmp_path / "source", tmp_path / "data") == 0
    expected = {("où est le café ?", "à zürich 🎂"), ("这 是 什么 ?", "蛋糕"), ("is it é ?", "ça")}
    found = train_pairs(name, tmp_path / "data")
    assert set(found) <= expected and len(found) >= (
        2 if name == "vqa2" else 3
    )  # one may be for validation
    assert "🎂" in (tmp_path / "data/dict.txt").read_text(encoding="utf-8") or name == "vqa2"


@every_source
def test_an_image_of_a_thousand_pairs_keeps_them_in_their_order_and_together(tmp_path, name):
    asked = [(f"what is number {n} ?", f"answer {n}") for n in range(1000)]
    write(name, tmp_path / "source", PAIRS | {TRAIN: asked})
    assert prepare(name, tmp_path / "source", tmp_path / "data") == 0
    found, places = train_pairs(name, tmp_path / "data"), iter(asked)
    assert len(found) >= 999 and all(pair in places for pair in found)  # a subsequence
    images = [pair.image for pair in DataDirectory(tmp_path / "data").pairs("train")]
    first = images.index(IMAGE[name])
    assert images[first : first + len(found)] == [IMAGE[name]] * len(found)


@every_source
def test_pairs_that_are_there_twice_are_kept_and_counted(tmp_path, name):
    write(
        name,
        tmp_path / "source",
        PAIRS | {TRAIN: [("What is it?", "A cake")] * 5, VALID: [("What is it?", "A cake")]},
    )
    assert prepare(name, tmp_path / "source", tmp_path / "data") == 0
    assert len(train_pairs(name, tmp_path / "data")) >= (4 if name == "vqa2" else 5)
    counts = json.loads((tmp_path / "data/manifest.json").read_text())["counts"]
    pairs = {split: counts[split]["pairs"] for split in ("train", "valid", "test")}
    assert pairs == {"train": {"vqa2": 5, "easy-vqa": 13}.get(name, 5), "valid": 1, "test": 1}


@every_source
def test_a_missing_image_is_named(tmp_path, name, capsys):
    root = write(name, tmp_path / "source", PAIRS)
    (root / IMAGE[name]).unlink()
    assert prepare(name, root, tmp_path / "data") == 2
    one_line(capsys, root / IMAGE[name])
    assert not (tmp_path / "data").exists()


@every_source
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_truncated_file_is_named(tmp_path, name, share, capsys):
    root = write(name, tmp_path / "source", PAIRS)
    path = root / QUESTIONS[name]
    path.write_text(path.read_text()[: int(share * path.stat().st_size)])
    assert prepare(name, root, tmp_path / "data") == 2
    one_line(capsys, path)
    assert not (tmp_path / "data").exists()


@every_source
def test_a_file_of_no_questions_is_an_error(tmp_path, name, capsys):
    root = write(name, tmp_path / "source", {number: [] for number in PAIRS})
    assert prepare(name, root, tmp_path / "data") == 2
    one_line(
        capsys,
        {"vqa2": "there are only 0 pairs to draw from", "jsonl": "the file is empty"}.get(
            name, "split is empty"
        ),
    )
    assert not (tmp_path / "data").exists()


@every_source
def test_a_split_without_questions_is_named(tmp_path, name, capsys):
    root = write(name, tmp_path / "source", PAIRS | {TEST: []})
    assert prepare(name, root, tmp_path / "data") == 2
    one_line(capsys, "the test split is empty")


@pytest.mark.parametrize("name", ["easy-vqa", "visual7w", "vqa2"])
def test_numbers_may_be_written_as_strings(tmp_path, name):
    made = {}
    for kind in (int, str):
        root = write(
            name,
            tmp_path / kind.__name__ / "source",
            PAIRS | {TRAIN: [("Who?", "me"), ("Why?", "so")]},
        )
        for path in root.rglob("*.json") if kind is str else ():
            path.write_text(json.dumps(as_strings(json.loads(path.read_text()))))
        assert prepare(name, root, root / "data") == 0
        made[kind] = {
            path.name: path.read_text()
            for path in (root / "data").glob("*.*")
            if path.suffix != ".json"
        }
    # Visual7W has a file of wrong answers for each split besides.
    assert made[int] == made[str] and len(made[int]) == (13 if name == "visual7w" else 10)


def as_strings(value):
    """Every number in it as a string."""
    if isinstance(value, dict):
        return {key: as_strings(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_strings(item) for item in value]
    return str(value) if isinstance(value, int) else value
