"""Other people's JSON: every reader refuses each kind of fault in one line, with place and cure."""

import json

import pytest

from tests.support.handwritten_data import write_data
from vqapg import strict_json
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory, read_manifest
from vqapg.datasets import easy_vqa, jsonl, visual7w, vqa2
from vqapg.errors import InputError
from vqapg.evaluation.generated import read_generated
from vqapg.reports.stored import read_json
from vqapg.strict_json import parse_json, read_lines

# A value that stands for each kind of fault, and what the line says of it.
WRONG_VALUES = {
    "depth": ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    "depth of objects": ('{"a":' * 100_000, "nested too deeply"),
    "digits": ("1" * 100_000, "the number 11111111111111111111... is too large"),
    "a huge float": ("1e999", "the number 1e999 is too large"),
    "NaN": ("NaN", "NaN is not a JSON number"),
    "Infinity": ("-Infinity", "-Infinity is not a JSON number"),
    "a key twice": ('{"b": 1, "b": 2}', "the key 'b' is there twice"),
    "half a character": (r'"\ud83d"', "half a character"),
    "half a character as key": (r'{"\uDE00": 1}', "half a character"),
    "a bare NUL": ('"\0"', "broken or cut JSON"),
    "single quotes": ("'a'", "broken or cut JSON"),
}
WRONG_FILES = {
    "empty": (b"", "is empty|no pair in it"),
    "blank": (b" \n \r\n", "is empty|no pair in it"),
    "cut": (b'{"a": ', "broken or cut JSON"),
    "not UTF-8": (b'{"a": "\xff"}', "not valid UTF-8"),
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "only NUL": (b"\0" * 100, ""),
    "a list": (b"[1]", ""),
    "a number": (b"3", ""),
}
WRONG_FILES["UTF-16"] = (WRONG_FILES["UTF-16"], "not valid UTF-8")


@pytest.fixture
def data(tmp_path):
    return DataDirectory(write_data(tmp_path / "DATA", [("a.png", "what ?", "a cat")]))


def _vqa2(path, folder, data):
    for part in ("train", "val"):
        (folder / f"{part}2014").mkdir()
        for name in (vqa2.QUESTIONS, vqa2.ANNOTATIONS):
            (folder / name.format(part)).write_bytes(path.read_bytes())
    vqa2.read(folder, seed=1, valid_pairs=1, min_pairs_per_image=0, max_images=0, max_test_images=0)


def _visual7w(path, folder, data):
    (folder / "images").mkdir()
    (folder / visual7w.FILE).write_bytes(path.read_bytes())
    visual7w.read(folder, seed=1, min_pairs_per_image=0, max_images=0, max_test_images=0)


def _easy_vqa(path, folder, data):
    for part in ("train", "test"):
        (folder / part).mkdir()
        (folder / part / "questions.json").write_bytes(path.read_bytes())
    easy_vqa.read(folder, seed=1)


def _manifest(path, folder, data):
    (folder / "manifest.json").write_bytes(path.read_bytes())
    read_manifest(folder)


READERS = {
    "jsonl": lambda path, folder, data: jsonl.read(path),
    "generated": lambda path, folder, data: read_generated(path, data),
    "stored figures": lambda path, folder, data: read_json(path, "make it again"),
    "vqa2": _vqa2,
    "visual7w": _visual7w,
    "easy-vqa": _easy_vqa,
    "manifest": _manifest,
}


def refusal(name, content, tmp_path, data):
    """The one line with which the reader *name* refuses *content*."""
    path, folder = tmp_path / "given.json", tmp_path / "folder"
    path.write_bytes(content)
    folder.mkdir()
    with pytest.raises(InputError) as caught:
        READERS[name](path, folder, data)
    line = str(caught.value)
    assert "\n" not in line and ";" in line and line.startswith(str(tmp_path)) and len(line) < 600
    return line


@pytest.mark.parametrize("kind", WRONG_VALUES)
@pytest.mark.parametrize("name", READERS)
def test_a_wrong_value_is_one_line(name, kind, tmp_path, data):
    value, said = WRONG_VALUES[kind]
    assert said in refusal(name, f'{{"a": {value}}}'.encode(), tmp_path, data)


@pytest.mark.parametrize("kind", WRONG_FILES)
@pytest.mark.parametrize("name", READERS)
def test_a_wrong_file_is_one_line(name, kind, tmp_path, data):
    content, said = WRONG_FILES[kind]
    line = refusal(name, content, tmp_path, data)
    assert any(part in line for part in said.split("|"))


LINE = '{"image": "a.png", "question": "why?", "answer": "a cat", "split": "train"}'


@pytest.mark.parametrize("name", ["jsonl", "generated"])
def test_the_line_of_a_fault_is_named(name, tmp_path, data):
    (tmp_path / "a.png").touch()
    content = f'\ufeff{LINE}\r\n\r\n{LINE[:-1]}, "more": NaN}}\n'.encode()
    assert "given.json:3: NaN" in refusal(name, content, tmp_path, data)


def test_byte_order_mark_and_windows_line_ends_are_no_fault(tmp_path, data):
    (tmp_path / "a.png").touch()
    (tmp_path / "given.json").write_bytes(f"\ufeff{LINE}\r\n{LINE}".encode())
    assert [record.answer for record in jsonl.read(tmp_path / "given.json").records] == [
        "a cat"
    ] * 2
    assert [pair.answer for pair in read_generated(tmp_path / "given.json", data)] == ["a cat"] * 2
    (tmp_path / "given.json").write_bytes('\ufeff{"a": [1,\r\n 2]}'.encode())
    assert read_json(tmp_path / "given.json", "make it again") == {"a": [1, 2]}


@pytest.mark.parametrize("name", ["jsonl", "generated"])
def test_a_line_without_end_is_refused_before_it_is_read(name, tmp_path, data, monkeypatch):
    monkeypatch.setattr(strict_json, "MAX_LINE_BYTES", 1000)
    line = refusal(name, b'{"a": "' + b"x" * 2000 + b'"}', tmp_path, data)
    assert "given.json:1: the line is longer than 1,000 bytes" in line
    (tmp_path / "given.json").write_bytes(b"a" * 1000)
    assert list(read_lines(tmp_path / "given.json", "")) == [(1, "a" * 1000)]


def test_the_line_of_a_whole_file_is_named():
    with pytest.raises(InputError, match=r"^m\.json:3: broken or cut JSON \(column 2.*; mend it$"):
        parse_json('{\n"a": 1,\n\tb}', "m.json", "mend it")


def test_what_is_strict_json_is_read_as_python_reads_it():
    text = (
        r'{"a": [1, -2.5, 1e300, true, null, "\ud83d\ude00 \u0000", {}], "b": 9223372036854775808}'
    )
    assert parse_json(text, "a", "b") == json.loads(text)


BAD_IDS = [
    "-1",
    "1.0",
    "1.5",
    "true",
    "null",
    "[1]",
    "{}",
    '""',
    '"1.5"',
    '"\u0661"',
    "9223372036854775808",
    '"1e3"',
]


@pytest.mark.parametrize("id", [*BAD_IDS, '"7"'])
def test_ids_of_generated_pairs_are_whole_numbers(id, tmp_path, data):
    line = '{"image": "a.png", "question": "why?", "answer": "cat", "id": %s}'
    assert "given.json:1: id " in refusal("generated", (line % id).encode(), tmp_path, data)


@pytest.mark.parametrize("id", BAD_IDS)
@pytest.mark.parametrize("key", ["question_id", "image_id"])
def test_ids_of_vqa2_are_whole_numbers(key, id, tmp_path):
    questions = '{"questions": [{"image_id": 1, "question": "why?", "question_id": 1}]}'
    annotations = '{"annotations": [{"question_id": 1, "multiple_choice_answer": "so"}]}'
    for part in ("train", "val"):
        (tmp_path / f"{part}2014").mkdir()
        (tmp_path / vqa2.ANNOTATIONS.format(part)).write_text(annotations)
        (tmp_path / vqa2.QUESTIONS.format(part)).write_text(
            questions.replace(f'"{key}": 1', f'"{key}": {id}')
        )
    with pytest.raises(
        InputError,
        match="questions.json: not of the official form .*the id .* is not a whole number",
    ):
        vqa2.read(
            tmp_path, seed=1, valid_pairs=0, min_pairs_per_image=0, max_images=0, max_test_images=0
        )


def test_an_answer_that_is_there_twice_is_refused(tmp_path):
    answer = '{"question_id": 1, "multiple_choice_answer": "%s"}'
    for part in ("train", "val"):
        (tmp_path / f"{part}2014").mkdir()
        (tmp_path / vqa2.QUESTIONS.format(part)).write_text('{"questions": []}')
        (tmp_path / vqa2.ANNOTATIONS.format(part)).write_text(
            f'{{"annotations": [{answer % "yes"}, {answer % "no"}]}}'
        )
    with pytest.raises(InputError, match="the answer to question 1 is there twice"):
        vqa2.read(
            tmp_path, seed=1, valid_pairs=0, min_pairs_per_image=0, max_images=0, max_test_images=0
        )


def test_a_file_name_with_a_line_break_is_refused(tmp_path, data):
    item = r'{"images": [{"filename": "a\nb.jpg", "split": "train", "qa_pairs": []}]}'
    assert "holds a line break" in refusal("visual7w", item.encode(), tmp_path, data)


@pytest.mark.parametrize("score", ["1e308e", "1" * 400, '"1"' * 2, "[]", "true", '"nan"', '"low"'])
def test_scores_are_finite_numbers(score, tmp_path, data):
    line = '{"image": "a.png", "question": "why?", "answer": "cat", "score": %s}'
    assert "given.json:1: " in refusal("generated", (line % score).encode(), tmp_path, data)


@pytest.mark.parametrize(
    "line",
    ["H-" + "1" * 5000, "H-\u0661", "H-0\t" + "9" * 5000 + "\ta <sep> b", "H-0\t1e999\ta <sep> b"],
)
def test_numbers_of_hypotheses_are_bounded(line, tmp_path, data):
    assert "given.json:1: " in refusal(
        "generated", (line if "\t" in line else f"{line}\t-1\ta <sep> b").encode(), tmp_path, data
    )


@pytest.mark.parametrize(
    "change",
    [
        {"counts": []},
        {"counts": {}},
        {"counts": {"train": {"images": 1, "pairs": "x"}}},
        {"options": 3},
        {"versions": [1]},
        {"source": None},
        {"dataset": 3},
        {"image_root": []},
        {"distinct_tokens": "many"},
        {"paper_table_2": {"train": 1}},
        {"format": "1"},
        {"format": None},
    ],
)
def test_a_manifest_of_another_form_is_refused(change, tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1} | change))
    with pytest.raises(InputError, match="manifest.json: .*; give another directory") as caught:
        read_manifest(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_manifest_that_lacks_what_is_needed_is_refused(tmp_path, data):
    (data.path / "manifest.json").write_text('{"format": 1}')
    with pytest.raises(InputError, match="manifest.json: has no dataset; make it anew"):
        DataDirectory(data.path)


def test_the_command_ends_with_status_2(tmp_path, capsys):
    (tmp_path / "pairs.jsonl").write_text('{"image": NaN}\n')
    assert (
        main(
            [
                "prepare",
                "--dataset",
                "jsonl",
                "--source",
                str(tmp_path / "pairs.jsonl"),
                "--dest",
                str(tmp_path / "D"),
            ]
        )
        == 2
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"vqapg prepare: error: {tmp_path}/pairs.jsonl:1: NaN is not a JSON number; "
    )
    assert not (tmp_path / "D").exists()


IMAGE = '{"filename": "a.jpg", "split": "train", "qa_pairs": [%s]}'
QUESTION = '{"question": "what?", "answer": "a cat"}'


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (QUESTION, "an item of its images is not of the official form"),
        (IMAGE % (IMAGE % QUESTION), "pairs that are none"),
    ],
)
def test_visual7w_takes_no_question_for_an_image(item, message, tmp_path, data):
    """A question among the images, and an image among the questions."""
    assert message in refusal("visual7w", f'{{"images": [{item}]}}'.encode(), tmp_path, data)
