import json
import math
from dataclasses import replace

import pytest

from tests.support.handwritten_data import write_data
from vqapg.data.directory import DataDirectory
from vqapg.errors import InputError
from vqapg.evaluation.generated import GeneratedPair, read_generated, readable_records

GOLD = [
    ("a.png", "what is the blue shape ?", "circle"),
    ("a.png", "what color is the circle ?", "blue"),
    ("b.png", "is there a circle ?", "no"),
]
GENERATED = """\
2024-01-01 10:00:00 | INFO | fairseq_cli.generate | {'_name': None}
S-2\tb.png
T-2\tis there a circle ? <sep> no
H-2\t-0.5\twhat is this ? <sep> a red cat
D-2\t-0.5\twhat is this ? <sep> a red cat
P-2\t-0.5 -0.5
H-0\t-1.25\twhat is the blue shape ? <sep> circle
H-1\t-2\twhat color <sep> is <sep> blue
Generate test with beam=10: BLEU4 = 0.00
"""


@pytest.fixture
def data(tmp_path):
    return DataDirectory(write_data(tmp_path / "DATA", GOLD))


@pytest.fixture
def read(data, tmp_path):
    def read(text, split="test"):
        path = tmp_path / "some-pairs"
        path.write_text(text)
        return read_generated(path, data, split)

    return read


def test_hypotheses_among_log_lines_sorted_by_id(read):
    assert read(GENERATED) == [
        GeneratedPair(
            0, "a.png", "what is the blue shape ?", "circle", pytest.approx(-1.25 * math.log(2))
        ),
        GeneratedPair(1, "a.png", None, None, pytest.approx(-2 * math.log(2))),
        GeneratedPair(2, "b.png", "what is this ?", "a red cat", pytest.approx(-0.5 * math.log(2))),
    ]


def test_what_a_killed_run_left_is_read_with_a_warning(read, capsys):
    read(GENERATED)
    assert capsys.readouterr().err == ""
    assert len(read(GENERATED[: GENERATED.index("H-1")])) == 2
    assert "no hypothesis for 1 of the 3 pairs of split test" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["", "what is this ?", "<sep>", "<sep> cat", "what ? <sep>", "a <sep> b <sep> c"]
)
def test_malformed_hypotheses(read, text):
    (pair,) = read(f"H-0\t-1\t{text}\n")
    assert pair.malformed and pair.question is None and pair.answer is None


def test_nbest_list_keeps_its_order_and_windows_line_ends_are_no_tokens(read):
    pairs = read("H-1\t-3\tx ? <sep> a\r\nH-0\t-2\tx ? <sep> b\r\nH-0\t-1\tx ? <sep> c\r\n")
    assert [(pair.id, pair.answer) for pair in pairs] == [(0, "b"), (0, "c"), (1, "a")]


def test_ids_count_within_the_split_asked_for(read):
    (pair,) = read("H-0\t-1\tx ? <sep> a\n", split="valid")
    assert pair.image == "valid.png"


def test_json_lines_are_tokenised_and_need_only_three_keys(read):
    pairs = read(
        '\n{"image": "b.png", "question": "What\'s this?", "answer": "A cat"}\n'
        '{"image": "a.png", "question": "Why?", "answer": " ", "id": 0, "score": -0.5, "more": 1}\n'
    )
    assert pairs[0] == GeneratedPair(0, "a.png", None, None, -0.5)
    assert (pairs[1].id, pairs[1].question, pairs[1].answer) == (1, "what 's this ?", "a cat")
    assert math.isnan(pairs[1].score)


def test_what_is_written_is_read_again(read):
    pairs = read(GENERATED)
    scores = {(pair.image, pair.question, pair.answer): 0.25 for pair in pairs}
    records = list(readable_records(pairs, scores))
    assert len(records) == 2
    assert records[0] == {
        "id": 0,
        "image": "a.png",
        "question": "what is the blue shape?",
        "answer": "circle",
        "score": -0.8664,  # -1.25 in base 2
        "consistency": 0.25,
    }
    text = "".join(json.dumps(record) + "\n" for record in records)
    again = read(text)
    assert again == [
        replace(pair, score=pytest.approx(pair.score, abs=1e-4))
        for pair in pairs
        if not pair.malformed
    ]
    assert list(readable_records(again, scores)) == records


def test_an_unknown_score_is_none(read):
    (record,) = readable_records(read('{"image": "b.png", "question": "why?", "answer": "cat"}\n'))
    assert record["score"] is None and "consistency" not in record
    assert math.isnan(read(json.dumps(record))[0].score)


LINE = '{"image": "a.png", "question": "why?", "answer": "cat"'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "no pair in it"),
        ("S-0\tx\nT-0\ty\n", None, "no pair in it"),
        ("log\nH-3\t-1\tx ? <sep> a\n", 2, "id 3, but split test"),
        ("H-0\tnan\tx ? <sep> a\n", 1, "score 'nan'"),
        ("H-0\t-inf\tx ? <sep> a\n", 1, "score '-inf'"),
        ("H-0\tlow\tx ? <sep> a\n", 1, "score 'low'"),
        ("H-0\t-1\n", 1, "broken hypothesis line"),
        ("H-x\t-1\tx ? <sep> a\n", 1, "broken hypothesis line"),
        (LINE + "}\n" + LINE, 2, "broken or cut JSON"),
        (LINE + "}\n[1]\n", 2, "not a JSON object"),
        ('{"image": "a.png", "question": "why?"}', 1, "no text under 'answer'"),
        ('{"image": "a.png", "question": null, "answer": "cat"}', 1, "no text under 'question'"),
        (LINE.replace("a.png", "z.png") + "}", 1, "image 'z.png' is not in split test"),
        (LINE.replace("a.png", "train.png") + "}", 1, "image 'train.png' is not in split test"),
        (LINE + ', "score": NaN}', 1, "NaN is not a JSON number"),
        (LINE + ', "score": true}', 1, "score True"),
        (LINE + ', "score": [1]}', 1, "score [1]"),
        (LINE + ', "id": "7"}', 1, "id '7'"),
        (LINE + ', "id": -1}', 1, "id -1"),
    ],
)
def test_errors_name_file_line_and_trouble(read, text, line, message):
    with pytest.raises(InputError) as caught:
        read(text)
    assert message in str(caught.value)
    assert ("some-pairs:" if line is None else f"some-pairs:{line}:") in str(caught.value)
    assert ";" in str(caught.value)  # the cure
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(data, tmp_path):
    binary = tmp_path / "binary"
    binary.write_bytes(b"H-0\t\xff")
    for path, message in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "is a folder"),
        (binary, "UTF-8"),
    ):
        with pytest.raises(InputError, match=message):
            read_generated(path, data)
