import inspect
import json
import re

import pytest

from vqapg.cli.main import main
from vqapg.datasets import DATASETS, reader
from vqapg.errors import InputError


def _easy_vqa(root, train=20, test=3):
    for part, count in (("train", train), ("test", test)):
        (root / part / "images").mkdir(parents=True)
        # Pairs of an image do not stand together in the file.
        questions = [
            [f"{part} q{turn}?", "yes", number] for turn in range(2) for number in range(count)
        ]
        (root / part / "questions.json").write_text(json.dumps(questions))
        for number in range(count):
            (root / part / "images" / f"{number}.png").touch()
    return root


def test_every_reader_takes_the_options_that_it_declares():
    for name in DATASETS.names():
        parameters = list(inspect.signature(reader(name).read).parameters)
        assert parameters[0] == "source"
        assert parameters[1:] == [option.name for option in reader(name).options]


def test_easy_vqa_splits_by_image_and_keeps_its_pairs_together(tmp_path):
    data = reader("easy-vqa").read(_easy_vqa(tmp_path), seed=1)
    assert data.image_root == tmp_path
    images = {}
    for record in data.records:
        images.setdefault(record.split, []).append(record.image)
    distinct = {split: set(names) for split, names in images.items()}
    assert {split: len(names) for split, names in distinct.items()} == {
        "train": 18,
        "valid": 2,
        "test": 3,
    }
    assert distinct["train"].isdisjoint(distinct["valid"])
    assert distinct["test"] == {f"test/images/{number}.png" for number in range(3)}
    for names in images.values():
        assert (
            names[::2]
            == names[1::2]
            == sorted(set(names), key=lambda name: int(name.split("/")[-1][:-4]))
        )
    assert data.records[0].question == "train q0?"
    assert data.records[1].question == "train q1?"


def test_easy_vqa_draws_by_the_seed(tmp_path):
    _easy_vqa(tmp_path)

    def valid(seed):
        records = reader("easy-vqa").read(tmp_path, seed=seed).records
        return {record.image for record in records if record.split == "valid"}

    assert valid(1) == valid(1)
    assert len({frozenset(valid(seed)) for seed in range(5)}) > 1


def test_easy_vqa_from_the_package():
    pytest.importorskip("easy_vqa")
    data = reader("easy-vqa").read(seed=1)
    assert len(data.records) == 48248
    assert (data.image_root / data.records[-1].image).is_file()


def test_easy_vqa_errors(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no train/questions.json"):
        reader("easy-vqa").read(tmp_path, seed=1)
    _easy_vqa(tmp_path)
    (tmp_path / "train/images/3.png").unlink()
    with pytest.raises(InputError, match=r"3\.png: this image is missing"):
        reader("easy-vqa").read(tmp_path, seed=1)
    (tmp_path / "test/questions.json").write_text('{"a": 1}')
    with pytest.raises(InputError, match=r"test/questions\.json"):
        reader("easy-vqa").read(tmp_path, seed=1)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "vqapg\[quickstart\]"'):
        reader("easy-vqa").read(seed=1)


def test_jsonl_orders_pairs_by_image_and_keeps_names(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "b b.jpg").touch()
    (tmp_path / "c.jpg").touch()
    lines = [
        {"image": "b b.jpg", "question": "q1", "answer": "a", "split": "train"},
        {"image": "a.jpg", "question": "q2", "answer": "a", "split": "test"},
        {"image": "./b b.jpg", "question": "q3", "answer": "a", "split": "train"},
        {"image": str(tmp_path / "c.jpg"), "question": "q4", "answer": "a", "split": "valid"},
    ]
    path = tmp_path / "qa.jsonl"
    path.write_text("\ufeff" + "\n\n".join(map(json.dumps, lines)) + "\r\n", encoding="utf-8")
    data = reader("jsonl").read(path)
    assert data.image_root == tmp_path
    assert [(record.image, record.question) for record in data.records] == [
        ("b b.jpg", "q1"),
        ("b b.jpg", "q3"),
        ("a.jpg", "q2"),
        (str(tmp_path / "c.jpg"), "q4"),
    ]


def test_jsonl_keeps_wrong_answers(tmp_path):
    (tmp_path / "a.jpg").touch()
    lines = [GOOD | {"wrong_answers": ["a dog", "a cow"]}, GOOD | {"wrong_answers": []}, GOOD]
    path = tmp_path / "qa.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    kept = [record.wrong_answers for record in reader("jsonl").read(path).records]
    assert kept == [("a dog", "a cow"), (), ()]


GOOD = {"image": "a.jpg", "question": "what?", "answer": "a cat", "split": "train"}


def _without(key):
    return {name: value for name, value in GOOD.items() if name != key}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{'image': 1}", "broken or cut JSON"),
        (b'["a", "b"]', "not a JSON object but a list"),
        (b"3", "not a JSON object but the number 3"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"image": "\xff"}', "not valid UTF-8"),
        (_without("image"), '"image" is missing'),
        (_without("question"), '"question" is missing'),
        (_without("answer"), '"answer" is missing'),
        (_without("split"), '"split" must be one of train, valid, test, and it is missing'),
        (GOOD | {"split": "dev"}, "'dev' is not one"),
        (GOOD | {"split": ["train"]}, "is not one"),
        (GOOD | {"answer": 2}, '"answer" must be a string, not the number 2'),
        (GOOD | {"answer": None}, '"answer" must be a string, not null'),
        (GOOD | {"question": " \u3000"}, '"question" is empty'),
        (GOOD | {"question": "\u200b"}, '"question" has no token'),
        (GOOD | {"answer": "half \ud83d"}, "lone surrogate"),
        (GOOD | {"image": "b.jpg"}, "there is no image .*b.jpg"),
        (GOOD | {"image": "."}, "there is no image"),
        (GOOD | {"image": "a\n.jpg"}, "line break"),
        (GOOD | {"wrong_answers": "a dog"}, '"wrong_answers" must be a list of texts'),
        (GOOD | {"wrong_answers": ["a dog", " "]}, '"wrong_answers" must be a list of texts'),
        (GOOD | {"wrong_answers": ["a dog", 2]}, '"wrong_answers" must be a list of texts'),
        (GOOD | {"split": "test"}, r"is in test here but in train at .*qa\.jsonl:1"),
    ],
)
def test_jsonl_errors_name_the_line(tmp_path, capsys, line, message):
    (tmp_path / "a.jpg").touch()
    path = tmp_path / "qa.jsonl"
    line = line if isinstance(line, bytes) else json.dumps(line).encode()
    path.write_bytes(json.dumps(GOOD).encode() + b"\n\n" + line + b"\n")
    assert (
        main(
            [
                "prepare",
                "--dataset",
                "jsonl",
                "--source",
                str(path),
                "--dest",
                str(tmp_path / "data"),
            ]
        )
        == 2
    )
    error = capsys.readouterr().err
    assert error.startswith(f"vqapg prepare: error: {path}:3: ") and error.count("\n") == 1
    assert re.search(message, error)
    assert not (tmp_path / "data").exists()


def test_jsonl_errors_of_the_whole_file(tmp_path):
    with pytest.raises(InputError, match="--source FILE.jsonl"):
        reader("jsonl").read()
    with pytest.raises(InputError, match="no such file"):
        reader("jsonl").read(tmp_path / "none.jsonl")
    (tmp_path / "qa.jsonl").write_text("\n \n")
    with pytest.raises(InputError, match=r"qa\.jsonl: the file is empty"):
        reader("jsonl").read(tmp_path / "qa.jsonl")
