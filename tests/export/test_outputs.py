import csv
import importlib.metadata
import json
import os
import re
import subprocess
import sys

import hypothesis
import pytest
from hypothesis import strategies as st
from PIL import Image

from tests.support.tiny_checkpoints import draw_pictures
from vqapg.csv_cells import unescape_cell
from vqapg.data.input_image import InputImage
from vqapg.data.vqa_answers import normalise_answer
from vqapg.datasets import vqa2
from vqapg.errors import InputError
from vqapg.export.format import Format
from vqapg.export.outputs import files_of, format_of, write_records
from vqapg.export.pair_origin import Origin
from vqapg.export.vqa2_files import image_numbers, ten_answers, write
from vqapg.sampling.images import find_images


@pytest.fixture
def images(tmp_path):
    return find_images([draw_pictures(tmp_path / "test photos", 3)])


@pytest.fixture
def records(images):
    return [
        {
            "image": images[0].name,
            "question": "what's this?",
            "answer": "a “cat”, 2 dogs",
            "score": -0.5,
            "draw": 0,
        },
        {
            "image": images[0].name,
            "question": "Is it red?",
            "answer": "yes",
            "score": -1.25,
            "draw": 3,
        },
        {
            "image": images[2].name,
            "question": "how many dogs are there?",
            "answer": "2",
            "score": -0.75,
            "draw": 1,
        },
    ]


def test_json_lines(tmp_path, records, images):
    path = tmp_path / "pairs.jsonl"
    assert write_records(path, "jsonl", iter(records), images) == 3
    assert [json.loads(line) for line in path.read_text().splitlines()] == records


def test_csv(tmp_path, records, images):
    path = tmp_path / "pairs.csv"
    assert write_records(path, "csv", iter(records), images) == 3
    with open(path, newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [
            {key: str(value) for key, value in record.items()} for record in records
        ]
    path = tmp_path / "none.csv"
    assert write_records(path, "csv", [], images) == 0
    assert path.read_text() == "image,question,answer,score\n"


def official_accuracy(questions, annotations, results, since_2021=False):
    """The VQA accuracy of *results* {question id: answer}, by the rule of the official code,
    slowly.

    Over the ten sets of nine answers, the mean of min(1, matching / 3). The code before March 2021
    takes the normal form of the system's answer, and punctuation out of ten answers that differ.
    The code since then takes normal forms of all where the ten differ, and compares as they are
    where they are equal.
    """
    for key in ("info", "task_type", "data_type", "data_subtype", "license"):
        assert key in questions and key in annotations
    by_id = {question["question_id"]: question for question in questions["questions"]}
    accuracies = []
    for annotation in annotations["annotations"]:
        assert by_id[annotation["question_id"]]["image_id"] == annotation["image_id"]
        assert annotation["question_type"] and annotation["answer_type"] in (
            "yes/no",
            "number",
            "other",
        )
        given = [answer["answer"] for answer in annotation["answers"]]
        assert len(given) == 10 and [
            answer["answer_id"] for answer in annotation["answers"]
        ] == list(range(1, 11))
        assert all(given) and annotation["multiple_choice_answer"]
        accuracies.append(accuracy(results[annotation["question_id"]], given, since_2021))
    return sum(accuracies) / len(accuracies)


def accuracy(result, given, since_2021):
    differ = len(set(given)) > 1
    if since_2021:
        if differ:
            result, given = normalise_answer(result), [normalise_answer(answer) for answer in given]
    else:
        result = normalise_answer(result)
        if differ:
            given = [without_signs(answer) for answer in given]
    sets = [given[:left] + given[left + 1 :] for left in range(10)]
    return sum(min(1, nine.count(result) / 3) for nine in sets) / 10


def without_signs(text):
    """What the code before 2021 takes out of annotated answers that differ."""
    result = text
    for sign in ';/[]"{}()=+\\_-><@`,?!':
        goes = re.search(r"\d,\d", text) or f"{sign} " in text or f" {sign}" in text
        result = result.replace(sign, "" if goes else " ")
    return re.sub(r"\.(?!\d)", "", result)


ANSWERS = [
    "two",
    "a",
    "a circle",
    "10 a.m.",
    "?",
    ".",
    "the",
    "The T-shirt.",
    "dont know",
    "1,5 kg",
    "None",
    "red",
    "a, b",
]


@pytest.mark.parametrize("since_2021", [False, True])
@pytest.mark.parametrize("answer", ANSWERS)
def test_the_answer_and_its_normal_form_are_right_in_both_codes(answer, since_2021):
    given = ten_answers(answer)
    assert len(given) == 10 and all(given) and answer in given
    for said in (answer, normalise_answer(answer)):
        assert accuracy(said, given, since_2021) == 1
    assert accuracy("something else", given, since_2021) == 0


@hypothesis.given(
    st.text(st.sampled_from("aAnthe two1.,?'-/ "), min_size=1, max_size=12).filter(str.strip)
)
def test_any_answer_is_right_in_both_codes(text):
    answer = " ".join(text.split())
    for since_2021 in (False, True):
        for said in (answer, normalise_answer(answer)):
            assert accuracy(said, ten_answers(answer), since_2021) == 1


def test_vqa2_files_are_what_the_official_evaluation_reads(tmp_path, records, images):
    assert write_records(tmp_path / "out.json", "vqa2", iter(records), images) == 3
    questions, annotations = (
        json.loads(path.read_text()) for path in files_of(tmp_path / "out.json", "vqa2")
    )
    assert [path.name for path in files_of(tmp_path / "out.json", "vqa2")] == [
        "out_questions.json",
        "out_annotations.json",
    ]
    assert questions["questions"] == [
        {"image_id": 1, "question": "what's this?", "question_id": 1000},
        {"image_id": 1, "question": "Is it red?", "question_id": 1001},
        {"image_id": 3, "question": "how many dogs are there?", "question_id": 3000},
    ]
    assert questions["images"] == [
        {"id": 1, "file_name": images[0].name},
        {"id": 3, "file_name": images[2].name},
    ]
    right = {
        1000 * (1 if number < 2 else 3) + number % 2: record["answer"]
        for number, record in enumerate(records)
    }
    assert official_accuracy(questions, annotations, right) == 1
    assert official_accuracy(questions, annotations, right | {1001: "no"}) == pytest.approx(2 / 3)
    kinds = [
        (a["question_type"], a["answer_type"], a["multiple_choice_answer"])
        for a in annotations["annotations"]
    ]
    assert kinds == [
        ("what's this", "other", "a “cat”, 2 dogs"),
        ("is it", "yes/no", "yes"),
        ("how many", "number", "2"),
    ]


def test_coco_images_keep_their_numbers():
    names = ["val2014/COCO_val2014_000000000042.jpg", "val2014/COCO_val2014_000000262148.jpg"]
    assert image_numbers(names) == dict(zip(names, (42, 262148)))
    assert image_numbers([*names, "mine.jpg"]) == dict(zip([*names, "mine.jpg"], (1, 2, 3)))
    of_2017 = ["val2017/000000000042.jpg", "000000123456.jpg"]
    assert image_numbers(of_2017) == dict(zip(of_2017, (42, 123456)))
    for other in ("my000000123456.jpg", "000000123456.png", "0123456.jpg"):
        assert image_numbers([*of_2017, other])[other] == 3
    twice = [names[0], "train2014/COCO_train2014_000000000042.jpg"]
    assert image_numbers(twice) == dict(zip(twice, (1, 2)))


def test_vqa2_files_are_read_back_by_our_own_reader(tmp_path):
    texts = [("what's this?", "a"), ("how many?", "two"), ("why?", "?")]
    images = [InputImage(name, name) for name in ("000000000042.jpg", "000000123456.jpg")]
    records = [
        {"image": image.name, "question": q, "answer": a} for image in images for q, a in texts
    ]
    for part in ("train", "val"):
        targets = [tmp_path / name.format(part) for name in (vqa2.QUESTIONS, vqa2.ANNOTATIONS)]
        write(targets, records, images, Origin())
        for number in (42, 123456):
            picture = tmp_path / f"{part}2014/COCO_{part}2014_{number:012}.jpg"
            picture.parent.mkdir(exist_ok=True)
            picture.touch()
    options = {"min_pairs_per_image": 0, "max_images": 0, "max_test_images": 0}
    read = vqa2.read(tmp_path, seed=1, valid_pairs=1, **options).records
    assert [
        (record.question, record.answer) for record in read if record.split == "test"
    ] == texts * 2


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-2 dogs", "@A1", "\t=1", "\r=1", "'=1", "''", "＝1", "ok", "a=1", ""]
)
def test_csv_cells_cannot_run_and_come_back(tmp_path, text):
    records = [{"image": text, "question": text, "answer": text, "score": -0.5}]
    write_records(tmp_path / "pairs.csv", "csv", records, [])
    with open(tmp_path / "pairs.csv", newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    # A number stays one.
    assert row.pop("score") == "-0.5"
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in row.values())
    assert {unescape_cell(cell) for cell in row.values()} == {text}


def test_a_score_that_is_no_number_is_never_written(tmp_path):
    with pytest.raises(ValueError):
        write_records(
            tmp_path / "pairs.jsonl", "jsonl", [{"image": "a", "score": float("nan")}], []
        )
    assert not list(tmp_path.iterdir())


def test_no_two_questions_have_a_number(tmp_path):
    images = [InputImage(name, name) for name in "ab"]
    records = [
        {"image": name, "question": f"{number}?", "answer": "no"}
        for name in "ab"
        for number in range(2500)
    ]
    write_records(tmp_path / "out", "vqa2", records, images)
    questions = json.loads((tmp_path / "out_questions.json").read_text())["questions"]
    assert len({question["question_id"] for question in questions}) == 5000


def test_the_system_that_gives_an_answer_as_it_was_generated_is_right(tmp_path, images):
    answers = ["two", "a cat", "The T-shirt.", "dont know", "1,5 kg", "red, white", "None", "?"]
    records = [
        {"image": images[0].name, "question": "what?", "answer": answer} for answer in answers
    ]
    write_records(tmp_path / "out", "vqa2", records, images)
    questions, annotations = (
        json.loads(path.read_text()) for path in files_of(tmp_path / "out", "vqa2")
    )
    results = {1000 + number: answer for number, answer in enumerate(answers)}
    assert official_accuracy(questions, annotations, results) == 1
    assert official_accuracy(questions, annotations, results, since_2021=True) == 1
    assert [a["answer_type"] for a in annotations["annotations"]] == ["number"] + ["other"] * 5 + [
        "number",
        "other",
    ]


def test_datasets_loads_the_folder(tmp_path, records, images):
    folder = tmp_path / "my test"
    assert write_records(folder, "imagefolder", iter(records), images) == 3
    assert sorted(path.name for path in (folder / "train").iterdir()) == [
        "0000001.png",
        "0000002.png",
        "metadata.jsonl",
    ]
    assert (folder / "train/0000002.png").read_bytes() == images[2].read()
    # In a process of its own: where datasets keeps its copy is read once, when it is imported.
    program = (
        "import sys, datasets, json; loaded = datasets.load_dataset(sys.argv[1])\n"
        "print(json.dumps([list(loaded), [row | {'image': row['image'].size} for row in "
        "loaded['train']]]))"
    )
    environment = os.environ | {"HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, folder], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    splits, rows = json.loads(done.stdout.splitlines()[-1])
    assert splits == ["train"]
    expected = [{"source": record["image"], **record, "image": [90, 60]} for record in records]
    assert rows == expected


def test_a_folder_is_whole_or_not_there(tmp_path, records, images):
    folder = tmp_path / "out"
    (tmp_path / "test photos/2.png").unlink()
    with pytest.raises(InputError, match="2.png: cannot be read"):
        write_records(folder, "imagefolder", records, images)
    assert {path.name for path in tmp_path.iterdir()} == {"test photos"}
    write_records(folder, "imagefolder", records[:2], images)
    assert (folder / ".vqapg.json").exists()
    write_records(folder, "imagefolder", records[:1], images, overwrite=True)
    assert len((folder / "train/metadata.jsonl").read_text().splitlines()) == 1


def test_a_file_keeps_its_kind_whatever_it_is_called(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "photo", "JPEG")
    image = InputImage("photo", str(tmp_path / "photo"))
    write_records(
        tmp_path / "out",
        "imagefolder",
        [{"image": "photo", "question": "a", "answer": "b"}],
        [image],
    )
    assert (tmp_path / "out/train/0000001.jpg").is_file()


def test_the_ending_tells_the_format():
    for name, format in (
        ("a.jsonl", "jsonl"),
        ("a.csv", "csv"),
        ("a.json", "vqa2"),
        ("a", "imagefolder"),
    ):
        assert format_of(name) == format
    assert format_of("a.txt", "csv") == "csv"
    with pytest.raises(InputError, match="--output a.txt: its ending tells no format"):
        format_of("a.txt")


class Yelled:
    """What another package's module holds."""

    FORMAT = Format(
        suffixes=(".txt", ".csv"),
        write=lambda targets, records, images, origin: targets[0].write_text(
            "".join(f"{record['question'].upper()}\n" for record in records)
        ),
        recognise=lambda path: None if path.read_text().isupper() else "does not yell",
    )


@pytest.fixture
def yelled(monkeypatch):
    """The format, registered as another package's entry point does it."""
    point = importlib.metadata.EntryPoint("yelled", "yelling:FORMAT", "vqapg.formats")
    monkeypatch.setattr(importlib.metadata.EntryPoint, "load", lambda self: Yelled.FORMAT)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])


def test_another_packages_format_has_its_ending_but_not_ours(yelled, tmp_path, records, images):
    assert (format_of("a.txt"), format_of("a.csv")) == ("yelled", "csv")
    output = tmp_path / "a.txt"
    assert write_records(output, "yelled", records, images) == 3
    assert output.read_text().splitlines()[1] == "IS IT RED?"


def test_another_packages_format_replaces_only_what_it_wrote(yelled, tmp_path, records, images):
    output = tmp_path / "a.txt"
    write_records(output, "yelled", records, images)
    assert write_records(output, "yelled", records[:1], images, overwrite=True) == 1
    output.write_text("mine")
    with pytest.raises(InputError, match="does not yell, and only what vqapg wrote is replaced"):
        write_records(output, "yelled", records, images, overwrite=True)


def test_what_is_no_format_is_refused(tmp_path):
    with pytest.raises(InputError, match="no format is named 'jsonlines'; did you mean jsonl"):
        format_of("a", "jsonlines")
    with pytest.raises(InputError, match="the format math:pi is a float, not a vqapg.export.Form"):
        format_of("a", "math:pi")


def test_vqa2_files_say_where_they_come_from(tmp_path, records, images):
    write_records(tmp_path / "out", "vqa2", records, images)
    for path in files_of(tmp_path / "out", "vqa2"):
        assert json.loads(path.read_text())["provenance"]["packages"]["torch"]


def test_image_folder_says_where_it_comes_from(tmp_path, records, images):
    write_records(tmp_path / "out", "imagefolder", records, images)
    assert json.loads((tmp_path / "out/.vqapg.json").read_text())["provenance"]["python"]
