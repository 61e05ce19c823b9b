import csv

import pytest

from vqapg.annotation.sheet import read_sheet, write_sheet
from vqapg.errors import InputError


@pytest.fixture
def sheet(tmp_path, session):
    path = tmp_path / "sheet.csv"
    write_sheet(path, session, "anna", {})
    return path


def rows_of(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows, delimiter=","):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def test_a_sheet_has_every_pair_in_the_annotators_order_and_no_model(sheet, session):
    rows = rows_of(sheet)
    pairs = [pair for group in session.order("anna") for pair in group.pairs]
    assert [row["pair"] for row in rows] == [pair.id for pair in pairs]
    assert [row["question"] for row in rows] == [pair.question for pair in pairs]
    assert all((session.path / row["image"]).is_file() for row in rows)
    assert all(
        row["question_type"] in ("what color", "is there", "what is", "where is") for row in rows
    )
    assert {row["consistency"] + row["object"] for row in rows} == {""}
    assert "model" not in sheet.read_text()


def test_what_is_judged_already_stands_in_the_sheet(tmp_path, session):
    judged = {
        "g1p1": {"consistency": "?", "question_type": "which", "object": "cat"},
        "g2p1": {"consistency": "0"},
    }
    write_sheet(tmp_path / "sheet.csv", session, "anna", judged)
    rows = {row["pair"]: row for row in rows_of(tmp_path / "sheet.csv")}
    assert [rows["g1p1"][field] for field in ("consistency", "question_type", "object")] == [
        "?",
        "which",
        "cat",
    ]
    assert rows["g2p1"]["consistency"] == "0" and rows["g2p1"]["object"] == ""


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_filled_rows_are_read_and_others_left_out(sheet, session, delimiter):
    rows = rows_of(sheet)
    rows[0] |= {"consistency": "2", "object": "Cat, the"}
    rows[3] |= {"consistency": " ? ", "object": "-", "question_type": "what kind"}
    write_rows(sheet, rows, delimiter)
    kind = rows[0]["question_type"]
    assert read_sheet(sheet, session) == [
        (
            "anna",
            rows[0]["pair"],
            {"consistency": "2", "question_type": kind, "object": "Cat, the"},
        ),
        (
            "anna",
            rows[3]["pair"],
            {"consistency": "?", "question_type": "what kind", "object": "-"},
        ),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"consistency": "3", "object": "cat"}, r"sheet.csv:3: consistency '3'"),
        ({"consistency": "2"}, r"sheet.csv:3: object ''"),
        ({"object": "cat"}, r"sheet.csv:3: consistency ''"),
        (
            {"consistency": "2", "object": "cat", "question_type": ""},
            r"sheet.csv:3: question_type ''",
        ),
        ({"consistency": "2", "object": "cat", "annotator": ""}, r"sheet.csv:3: annotator ''"),
        ({"pair": "g99p1"}, r"sheet.csv:3: pair 'g99p1'"),
        ({"question": "who?"}, r"sheet.csv:3: pair 'g\dp\d' with this question"),
    ],
)
def test_bad_rows_are_named(sheet, session, change, message):
    rows = rows_of(sheet)
    rows[1] |= change
    write_rows(sheet, rows)
    with pytest.raises(InputError, match=message):
        read_sheet(sheet, session)


def test_a_pair_twice_is_bad_input(sheet, session):
    rows = rows_of(sheet)
    rows[0] |= {"consistency": "2", "object": "cat"}
    write_rows(sheet, [*rows, rows[0]])
    with pytest.raises(InputError, match="stands twice"):
        read_sheet(sheet, session)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no column"),
        (b"a,b\n1,2\n", "no column annotator, group"),
        (b"\xff\xfe,", "not valid UTF-8"),
        (b'"a', "CSV"),
    ],
)
def test_what_is_no_sheet_is_bad_input(tmp_path, session, content, message):
    (tmp_path / "sheet.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_sheet(tmp_path / "sheet.csv", session)
    with pytest.raises(InputError, match="none.csv: cannot be read"):
        read_sheet(tmp_path / "none.csv", session)
