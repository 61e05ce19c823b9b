"""VQA v2.0 and Visual7W in their official form, written small."""

import json

import pytest

from vqapg.cli.main import main
from vqapg.datasets import reader
from vqapg.errors import InputError

OPEN = {"seed": 1, "min_pairs_per_image": 0, "max_images": 0, "max_test_images": 0}


def coco(part, number):
    return f"{part}2014/COCO_{part}2014_{number:012d}.jpg"


def write_vqa2(root, train=None, val=None):
    """*train* and *val*: {image id: [(question, answer), ...]}.

    A question's id is the image's id * 10_000 + its place.
    """
    train = (
        {9: [("What is it?", "cake"), ("Is it big?", "yes")], 25: [("How many?", "2")]}
        if train is None
        else train
    )
    val = {42: [("Where?", "home")]} if val is None else val
    for part, images in (("train", train), ("val", val)):
        (root / f"{part}2014").mkdir(parents=True)
        questions, annotations = [], []
        for image, pairs in images.items():
            (root / coco(part, int(image))).touch()
            for place, (question, answer) in enumerate(pairs):
                number = int(image) * 10_000 + place
                questions.append({"image_id": image, "question": question, "question_id": number})
                annotations.append(
                    {
                        "question_type": "what",
                        "multiple_choice_answer": answer,
                        "image_id": image,
                        "answers": [
                            {"answer": answer, "answer_confidence": "yes", "answer_id": n}
                            for n in range(1, 11)
                        ],
                        "answer_type": "other",
                        "question_id": number,
                    }
                )
        head = {
            "info": {"year": 2017},
            "license": {"url": "x"},
            "data_type": "mscoco",
            "data_subtype": f"{part}2014",
        }
        # Annotations need not stand in the order of the questions.
        (root / f"v2_OpenEnded_mscoco_{part}2014_questions.json").write_text(
            json.dumps(head | {"questions": questions})
        )
        (root / f"v2_mscoco_{part}2014_annotations.json").write_text(
            json.dumps(head | {"annotations": annotations[::-1]})
        )
    return root


def vqa2(root, **options):
    return reader("vqa2").read(root, **(OPEN | {"valid_pairs": 1} | options))


def of_split(data, split):
    return [
        (record.image, record.question, record.answer)
        for record in data.records
        if record.split == split
    ]


def test_vqa2_val_is_test_and_valid_is_drawn_from_train(tmp_path):
    data = vqa2(write_vqa2(tmp_path))
    train = [
        (coco("train", 9), "What is it?", "cake"),
        (coco("train", 9), "Is it big?", "yes"),
        (coco("train", 25), "How many?", "2"),
    ]
    assert of_split(data, "test") == [(coco("val", 42), "Where?", "home")]
    (valid,) = of_split(data, "valid")
    assert [pair for pair in train if pair != valid] == of_split(data, "train")
    assert data.image_root == tmp_path and len(data.files) == 4


def test_vqa2_draws_by_the_seed(tmp_path):
    write_vqa2(tmp_path, {n: [("What?", "a"), ("Who?", "b")] for n in range(1, 40)})
    valids = {
        seed: frozenset(of_split(vqa2(tmp_path, seed=seed, valid_pairs=5), "valid"))
        for seed in range(4)
    }
    assert len(set(valids.values())) > 1 and all(len(pairs) == 5 for pairs in valids.values())
    assert valids[2] == frozenset(of_split(vqa2(tmp_path, seed=2, valid_pairs=5), "valid"))


@pytest.mark.parametrize(
    "options, train_images, test_images",
    [
        ({}, {1, 2, 3, 4}, {5, 6}),
        ({"min_pairs_per_image": 2}, {2, 3, 4}, {6}),
        ({"max_images": 2}, 2, {5, 6}),
        ({"max_test_images": 1, "min_pairs_per_image": 1}, {1, 2, 3, 4}, 1),
        ({"max_images": 99}, {1, 2, 3, 4}, {5, 6}),
    ],
)
def test_vqa2_keeps_the_images_it_is_told_to(tmp_path, options, train_images, test_images):
    train = {n: [("What?", "a")] * n for n in range(1, 5)}
    write_vqa2(tmp_path, train, {5: [("What?", "a")], 6: [("What?", "a")] * 3})
    data = vqa2(tmp_path, **options)
    for part, expected in (("train", train_images), ("val", test_images)):
        found = {int(r.image[-16:-4]) for r in data.records if r.image.startswith(part)}
        assert len(found) == expected if isinstance(expected, int) else found == expected
        # An image comes with all its pairs.
        assert sum(r.image.startswith(part) for r in data.records) == sum(
            n if part == "train" else {5: 1, 6: 3}[n] for n in found
        )


def test_vqa2_pairs_of_an_image_stand_together_however_many_and_in_whatever_order(tmp_path):
    write_vqa2(
        tmp_path,
        {
            7: [("Was ist das?", "Kuchen 🎂"), ("Où?", "là")],
            3: [(f"What is {n}?", "one") for n in range(1000)],
        },
    )
    path = tmp_path / "v2_OpenEnded_mscoco_train2014_questions.json"
    content = json.loads(path.read_text())
    content["questions"].sort(key=lambda item: hash(item["question"]) % 97)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    train = of_split(vqa2(tmp_path), "train")
    images = [image for image, _, _ in train]
    assert images == sorted(images) and len(train) == 1001
    assert {(q, a) for image, q, a in train if image == coco("train", 7)} <= {
        ("Was ist das?", "Kuchen 🎂"),
        ("Où?", "là"),
    }


def test_vqa2_ids_may_be_strings_and_equal_pairs_are_kept(tmp_path):
    write_vqa2(tmp_path, {"9": [("What is it?", "cake"), ("What is it?", "cake"), ("Who?", "me")]})
    for path in tmp_path.glob("*.json"):
        path.write_text(path.read_text().replace('"question_id": 90001', '"question_id": "90001"'))
    data = vqa2(tmp_path, valid_pairs=0)
    assert of_split(data, "train") == [(coco("train", 9), "What is it?", "cake")] * 2 + [
        (coco("train", 9), "Who?", "me")
    ]


def refuses(capsys, name, source, *expected, options=()):
    """vqapg prepare exits with 2 and one line with each of *expected*; it leaves no directory."""
    dest = source / "made"
    assert (
        main(
            [
                "prepare",
                "--dataset",
                name,
                "--source",
                str(source),
                "--dest",
                str(dest),
                *map(str, options),
            ]
        )
        == 2
    )
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("vqapg prepare: error: "), error
    for text in expected:
        assert str(text) in error, error
    assert not (dest / "manifest.json").exists()


@pytest.mark.parametrize(
    "name",
    [
        "v2_OpenEnded_mscoco_train2014_questions.json",
        "v2_OpenEnded_mscoco_val2014_questions.json",
        "v2_mscoco_train2014_annotations.json",
        "v2_mscoco_val2014_annotations.json",
        "train2014",
        "val2014",
    ],
)
def test_vqa2_says_which_file_is_missing(tmp_path, capsys, name):
    write_vqa2(tmp_path)
    (tmp_path / name).rename(tmp_path / "away")
    refuses(capsys, "vqa2", tmp_path, tmp_path / name, "https://visualqa.org/download.html")


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


QUESTIONS, ANNOTATIONS = (
    "v2_OpenEnded_mscoco_train2014_questions.json",
    "v2_mscoco_train2014_annotations.json",
)


@pytest.mark.parametrize(
    "name, old, new, expected",
    [
        (
            QUESTIONS,
            '"question_id": 90001',
            '"question_id": 90000',
            "question 90000 is there twice",
        ),
        (
            ANNOTATIONS,
            '"question_id": 90001',
            '"question_id": 77',
            "has no answer to question 90001",
        ),
        (
            ANNOTATIONS,
            '"multiple_choice_answer": "cake"',
            '"multiple_choice_answer": 3',
            "not of the official form",
        ),
        (QUESTIONS, '"image_id": 25', '"image_id": "a"', "not of the official form"),
        (QUESTIONS, '"image_id": 25, ', "", "not of the official form (KeyError: 'image_id')"),
        (QUESTIONS, '"questions":', '"riddles":', "has no list of questions"),
        (
            QUESTIONS,
            '"questions": [',
            '"questions": [3, ',
            "an item of its questions is not of the official form",
        ),
    ],
)
def test_vqa2_in_another_form_is_refused(tmp_path, capsys, name, old, new, expected):
    write_vqa2(tmp_path)
    change(tmp_path / name, old, new)
    refuses(capsys, "vqa2", tmp_path, name, expected, options=["--valid-pairs", 1])


@pytest.mark.parametrize(
    "name, write, file, old, new, field",
    [
        ("vqa2", write_vqa2, QUESTIONS, '"What is it?"', '" "', "question"),
        (
            "vqa2",
            write_vqa2,
            ANNOTATIONS,
            '"multiple_choice_answer": "cake"',
            '"multiple_choice_answer": ""',
            "answer",
        ),
        (
            "visual7w",
            lambda root: write_visual7w(root),
            "dataset_v7w_telling.json",
            '"A cake."',
            '"\\u200b"',
            "answer",
        ),
    ],
)
def test_empty_texts_are_refused(tmp_path, capsys, name, write, file, old, new, field):
    write(tmp_path)
    change(tmp_path / file, old, new)
    options = ["--valid-pairs", 1] if name == "vqa2" else []
    refuses(
        capsys, name, tmp_path, f"the {field} of a pair of", "has no token in it", options=options
    )


@pytest.mark.parametrize("keep", [0, 1, 300])
@pytest.mark.parametrize("name", [QUESTIONS, ANNOTATIONS])
def test_vqa2_cut_json_is_refused(tmp_path, capsys, name, keep):
    write_vqa2(tmp_path)
    path = tmp_path / name
    path.write_text(path.read_text()[:keep])
    refuses(
        capsys, "vqa2", tmp_path, path, "broken or cut JSON" if keep else "is empty", "visualqa.org"
    )


def test_vqa2_missing_images_bytes_and_impossible_numbers_are_refused(tmp_path, capsys):
    write_vqa2(tmp_path)
    refuses(capsys, "vqa2", tmp_path, "--valid-pairs 10000: there are only 3 pairs")
    refuses(
        capsys,
        "vqa2",
        tmp_path,
        "--max-images -1: must be at least 0",
        options=["--max-images", -1],
    )
    refuses(capsys, "vqa2", tmp_path, "the valid split is empty", options=["--valid-pairs", 0])
    (tmp_path / coco("train", 25)).unlink()
    refuses(
        capsys,
        "vqa2",
        tmp_path,
        coco("train", 25),
        "this image is missing",
        options=["--valid-pairs", 1],
    )
    (tmp_path / QUESTIONS).write_bytes(b'{"questions": ["\xff"]}')
    refuses(capsys, "vqa2", tmp_path, "not valid UTF-8", options=["--valid-pairs", 1])


@pytest.mark.parametrize("name", ["vqa2", "visual7w"])
def test_a_source_must_be_named_and_be_there(tmp_path, name):
    options = OPEN | ({"valid_pairs": 1} if name == "vqa2" else {})
    with pytest.raises(InputError, match="reads a folder: name it with --source FOLDER"):
        reader(name).read(None, **options)
    with pytest.raises(InputError, match="no such folder"):
        reader(name).read(tmp_path / "none", **options)


def write_visual7w(root, images=None):
    """*images*: {number: (split, [(question, answer), ...])}"""
    images = images or {
        2: ("train", [("What is it?", "A cake."), ("Who is there?", "No one.")]),
        1: ("val", [("Where?", "Home.")]),
        5: ("test", [("When?", "Daytime.")]),
    }
    (root / "images").mkdir(parents=True, exist_ok=True)
    entries = []
    for number, (split, pairs) in images.items():
        (root / f"images/v7w_{number}.jpg").touch()
        entries.append(
            {
                "split": split,
                "image_id": number,
                "filename": f"v7w_{number}.jpg",
                "qa_pairs": [
                    {
                        "qa_id": number * 100 + place,
                        "question": question,
                        "answer": answer,
                        "type": "what",
                        "multiple_choices": ["Wrong.", "False.", "No."],
                        "image_id": number,
                    }
                    for place, (question, answer) in enumerate(pairs)
                ],
            }
        )
    (root / "dataset_v7w_telling.json").write_text(
        json.dumps({"dataset": "v7w_telling", "images": entries})
    )
    return root


def test_visual7w_keeps_its_official_splits_and_the_right_answers(tmp_path):
    data = reader("visual7w").read(write_visual7w(tmp_path), **OPEN)
    assert of_split(data, "train") == [
        ("images/v7w_2.jpg", "What is it?", "A cake."),
        ("images/v7w_2.jpg", "Who is there?", "No one."),
    ]
    assert of_split(data, "valid") == [("images/v7w_1.jpg", "Where?", "Home.")]
    assert of_split(data, "test") == [("images/v7w_5.jpg", "When?", "Daytime.")]


def test_visual7w_keeps_the_wrong_answers_of_people(tmp_path, capsys):
    source, dest = write_visual7w(tmp_path / "source"), tmp_path / "data"
    kept = {r.wrong_answers for r in reader("visual7w").read(source, **OPEN).records}
    assert kept == {("Wrong.", "False.", "No.")}
    command = ["prepare", "--dataset", "visual7w", "--source", str(source), "--dest", str(dest)]
    assert main(command) == 0
    lines = (dest / "train.wrong_answers").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [["wrong .", "false .", "no ."]] * 2
    # A directory of an earlier version has none, and is told of.
    for path in dest.glob("*.wrong_answers"):
        path.unlink()
    manifest = json.loads((dest / "manifest.json").read_text())
    for split in ("train", "valid", "test"):
        del manifest["sha256"][f"{split}.wrong_answers"]
    (dest / "manifest.json").write_text(json.dumps(manifest))
    capsys.readouterr()
    assert main(command) == 0
    assert "was made before vqapg kept wrong answers" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert main(command) == 0 and "warning" not in capsys.readouterr().err


def test_visual7w_without_wrong_answers_is_read(tmp_path):
    write_visual7w(tmp_path)
    path = tmp_path / "dataset_v7w_telling.json"
    path.write_text(path.read_text().replace('"multiple_choices"', '"other"'))
    assert {r.wrong_answers for r in reader("visual7w").read(tmp_path, **OPEN).records} == {()}


def test_visual7w_keeps_the_images_it_is_told_to(tmp_path):
    pairs = [("What?", "A."), ("Who?", "B.")]
    images = {n: ("train" if n < 6 else "test", pairs[: 1 + n % 2]) for n in range(10)}
    images |= dict.fromkeys(range(20, 25), ("val", pairs))
    write_visual7w(tmp_path, images)
    wanted = {"min_pairs_per_image": 2, "max_valid_images": 2, "max_test_images": 1}
    data = reader("visual7w").read(tmp_path, **(OPEN | wanted))
    assert {r.image for r in data.records if r.split == "train"} == {
        f"images/v7w_{n}.jpg" for n in (1, 3, 5)
    }
    assert len({r.image for r in data.records if r.split == "valid"}) == 2
    assert len({r.image for r in data.records if r.split == "test"}) == 1


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ('"split": "val"', '"split": "dev"', "image images/v7w_1.jpg is in split 'dev'"),
        (
            '"filename": "v7w_1.jpg"',
            '"filename": "v7w_2.jpg"',
            "image images/v7w_2.jpg is in train and in val",
        ),
        ('"filename": "v7w_5.jpg"', '"filename": "none.jpg"', "none.jpg: this image is missing"),
        ('"filename": "v7w_5.jpg", ', "", "not of the official form (KeyError: 'filename')"),
        ('"answer": "Home."', '"answer": null', "not of the official form"),
        ('["Wrong.", ', "[null, ", "a wrong answer to question 200 is no text"),
        ('"images": [', '"pictures": [', "has no list of images"),
        ('"images": [', '"images": [1, ', "an item of its images is not of the official form"),
        ('"dataset": "v7w_telling", ', '"dataset" "v7w_telling", ', "broken or cut JSON"),
    ],
)
def test_visual7w_in_another_form_is_refused(tmp_path, capsys, old, new, expected):
    write_visual7w(tmp_path)
    change(tmp_path / "dataset_v7w_telling.json", old, new)
    refuses(capsys, "visual7w", tmp_path, expected)


@pytest.mark.parametrize("name", ["dataset_v7w_telling.json", "images"])
def test_visual7w_says_which_file_is_missing(tmp_path, capsys, name):
    write_visual7w(tmp_path)
    (tmp_path / name).rename(tmp_path / "away")
    refuses(capsys, "visual7w", tmp_path, tmp_path / name, "missing", "visual7w")


@pytest.mark.parametrize(
    "name, write, paper",
    [
        ("vqa2", write_vqa2, ["70,600", "10,000", "36,900"]),
        ("visual7w", write_visual7w, ["69,800", "28,000", "42,000"]),
    ],
)
def test_table_2_is_printed_and_stored_beside_the_papers(tmp_path, capsys, name, write, paper):
    write(tmp_path / "source")
    more = ["--valid-pairs", "1"] if name == "vqa2" else []
    command = [
        "prepare",
        "--dataset",
        name,
        "--source",
        str(tmp_path / "source"),
        "--dest",
        str(tmp_path / "data"),
        *more,
    ]
    assert main(command) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines()]
    assert rows[3] == ["pairs", "2", "1", "1"] and rows[4] == ["in", "the", "paper", *paper]
    stored = json.loads((tmp_path / "data/manifest.json").read_text())["paper_table_2"]
    assert [f"{stored[split]['pairs']:,}" for split in ("train", "valid", "test")] == paper
    assert main(command) == 0 and "already done" in capsys.readouterr().out
