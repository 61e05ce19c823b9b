"""Damaged and foreign session files, judgements and sheets."""

import csv
import json
import os
from pathlib import Path

import pytest

from vqapg.annotation.judgements import JudgementLog, read_judgements
from vqapg.annotation.session import check_new, read_session
from vqapg.annotation.sheet import read_sheet, write_sheet
from vqapg.errors import InputError
from vqapg.evaluation.human import ShownPair

GOOD = '{"annotator": "anna", "pair": "g1p1", "field": "consistency", "value": "1", "time": "x"}\n'


def refused(read, *names):
    """The InputError of *read*, which is one line with every one of *names* in it."""
    with pytest.raises(InputError) as caught:
        read()
    message = str(caught.value)
    assert "\n" not in message and len(message) < 600
    for name in names:
        assert name in message
    return message


def without(content, key):
    return {name: value for name, value in content.items() if name != key}


def first_group(content, **change):
    return content | {"groups": [content["groups"][0] | change, *content["groups"][1:]]}


@pytest.mark.parametrize(
    "change",
    [
        lambda content: without(content, "seed"),
        lambda content: without(content, "groups"),
        lambda content: content | {"seed": True},
        lambda content: content | {"seed": "1"},
        lambda content: content | {"images": "abc"},
        lambda content: content | {"images": []},
        lambda content: content | {"groups": []},
        lambda content: content | {"models": []},
        lambda content: content | {"models": {"model-one": {"x": float("nan")}}},
        lambda content: content | {"models": without(content["models"], "model-one")},
        lambda content: content | {"groups": content["groups"] * 2},
        lambda content: content | {"format": "1\n2"},
        lambda content: first_group(content, image=99),
        lambda content: first_group(content, image=-1),
        lambda content: first_group(content, image=True),
        lambda content: first_group(content, pairs=[]),
        lambda content: first_group(content, pairs=[{"id": "a", "question": 1, "answer": "b"}]),
        lambda content: first_group(content, pairs=[{"id": "a"}]),
        lambda content: first_group(content, id="\ud800"),
    ],
)
def test_session_of_another_form_is_one_line(session, change):
    file = session.path / "session.json"
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    refused(lambda: read_session(session.path), "session.json: ")


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", "session.json: is empty"),
        (b'{"format": 1,\n"seed": }', "session.json:2: "),
        (b'{"format": 1, "format": 1}', "session.json: "),
        (b'{"format": NaN}', "session.json: "),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"format": ' + b"9" * 10_000 + b"}", "session.json: "),
        (b"\xff\x00\xff", "session.json: "),
    ],
)
def test_session_that_is_no_json_is_one_line(session, content, where):
    (session.path / "session.json").write_bytes(content)
    refused(lambda: read_session(session.path), where)


def test_session_that_never_ends_is_one_line(session):
    file = session.path / "session.json"
    file.unlink()
    os.mkfifo(file)
    refused(lambda: read_session(session.path), "not a regular file")
    file.unlink()
    file.symlink_to("/dev/zero")
    refused(lambda: read_session(session.path), "not a regular file")


def test_session_too_large_is_one_line(session):
    with open(session.path / "session.json", "r+b") as file:
        file.truncate(65 << 20)
    refused(lambda: read_session(session.path), "at most 67,108,864")


@pytest.mark.parametrize(
    "line",
    [
        "[" * 9000,
        "x" * 20_000,
        "9" * 9000,
        GOOD.replace("{", '{"annotator": "b", ').rstrip(),
        '{"annotator": "anna", "pair": [], "field": "consistency", "value": "1"}',
        '{"annotator": "anna", "pair": "g1p1", "field": {}, "value": "1"}',
        '{"annotator": "anna", "pair": "g1p1", "field": "consistency", "value": "%s"}'
        % ("1" * 9000),
        '{"annotator": "\\ud800", "pair": "g1p1", "field": "consistency", "value": "1"}',
        "\0",
    ],
)
def test_bad_judgement_is_named_by_its_line(session, line):
    file = session.path / "judgements.jsonl"
    file.write_text(GOOD + line + "\n")
    for read in (lambda: read_judgements(session), JudgementLog(session).__enter__):
        refused(read, "judgements.jsonl:2: ")
    assert file.read_text() == GOOD + line + "\n"


def test_foreign_end_of_judgements_is_kept(session):
    file = session.path / "judgements.jsonl"
    for content in ("my notes", GOOD + "my notes"):
        file.write_text(content)
        refused(JudgementLog(session).__enter__, "judgements.jsonl:")
        assert file.read_text() == content


def test_linked_judgements_are_not_written(session, tmp_path):
    notes = tmp_path / "notes"
    notes.write_text("{")
    (session.path / "judgements.jsonl").symlink_to(notes)
    refused(JudgementLog(session).__enter__, "is a link")
    refused(lambda: read_judgements(session), "is a link")
    assert notes.read_text() == "{"


def test_judgements_that_never_end_are_one_line(session):
    os.mkfifo(session.path / "judgements.jsonl")
    refused(JudgementLog(session).__enter__, "not a regular file")
    refused(lambda: read_judgements(session), "not a regular file")


def test_images_of_the_user_are_no_unfinished_session(tmp_path):
    folder = tmp_path / "holiday"
    (folder / "images").mkdir(parents=True)
    (folder / "images/001.jpg").write_text("mine")
    refused(lambda: check_new(folder), "holds something else")
    assert (folder / "images/001.jpg").read_text() == "mine"
    check_new(tmp_path / "new")


def with_questions(session, questions):
    """*session* with these questions in its first group."""
    group = session.groups[0]
    pairs = tuple(
        ShownPair(f"g1p{number}", text, "=A1") for number, text in enumerate(questions, 1)
    )
    return session._replace(groups=[group._replace(pairs=pairs), *session.groups[1:]])


def test_sheet_cells_are_harmless_and_come_back(session, tmp_path):
    questions = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "'=1", "plain ?"]
    session, path = with_questions(session, questions), tmp_path / "sheet.csv"
    given = {"consistency": "2", "question_type": "+what", "object": "-"}
    judged = {f"g1p{number}": given for number in range(1, len(questions) + 1)}
    write_sheet(path, session, "anna", judged)
    with open(path, encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert "'=cmd|' /C calc'!A0" in cells and "''=1" in cells
    assert sorted(read_sheet(path, session)) == [("anna", pair, given) for pair in sorted(judged)]


def test_dash_typed_in_a_sheet_is_no_object(session, tmp_path):
    path = tmp_path / "sheet.csv"
    write_sheet(
        path,
        session,
        "anna",
        {"g1p1": {"consistency": "2", "question_type": "what", "object": "-"}},
    )
    path.write_text(path.read_text(encoding="utf-8-sig").replace("'-", "-"), encoding="utf-8")
    assert read_sheet(path, session)[0][2]["object"] == "-"


def test_sheet_that_never_ends_is_one_line(session):
    refused(lambda: read_sheet(Path("/dev/zero"), session), "not a regular file")
