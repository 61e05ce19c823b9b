import json

import numpy as np
import pytest

from tests.support.handwritten_data import write_data
from tests.support.judges import fake_evaluator
from vqapg.cli.main import main

GOLD = [("a.png", "what is this ?", "a cat"), ("b.png", "why ?", "yes")]
GENERATED = (
    "H-1\t-0.5\twhat 's this ? <sep> a cat\nH-0\t-2\twhy not ? <sep> no\nH-0\t-3\tno separator\n"
)


@pytest.fixture
def export(tmp_path):
    data = write_data(tmp_path / "DATA", GOLD)
    (tmp_path / "generate-test.txt").write_text(GENERATED)
    (tmp_path / "evaluator.pt").write_bytes(b"weights")

    def run(*arguments):
        options = [
            "--data",
            str(data),
            "--format",
            "jsonl",
            "--output",
            str(tmp_path / "pairs.jsonl"),
        ]
        return main(["export", str(tmp_path / "generate-test.txt"), *options, *map(str, arguments)])

    return run


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_readable_lines_without_the_malformed_ones(export, tmp_path, capsys):
    assert export() == 0
    assert lines(tmp_path / "pairs.jsonl") == [
        {"id": 0, "image": "a.png", "question": "why not?", "answer": "no", "score": -1.3863},
        {
            "id": 1,
            "image": "b.png",
            "question": "what's this?",
            "answer": "a cat",
            "score": -0.3466,
        },
    ]
    said = capsys.readouterr()
    assert said.out.endswith("pairs.jsonl: 2 pairs; 1 malformed left out\n") and said.err == ""


def test_the_official_vqa_files_and_csv(export, tmp_path, capsys):
    assert export("--format", "vqa2", "--output", tmp_path / "out.json") == 0
    assert "out_questions.json, " in capsys.readouterr().out
    questions, annotations = (
        json.loads((tmp_path / f"out_{part}.json").read_text())
        for part in ("questions", "annotations")
    )
    assert [(q["image_id"], q["question_id"], q["question"]) for q in questions["questions"]] == [
        (1, 1000, "why not?"),
        (2, 2000, "what's this?"),
    ]
    assert [a["multiple_choice_answer"] for a in annotations["annotations"]] == ["no", "a cat"]
    assert export("--format", "csv", "--output", tmp_path / "out.csv") == 0
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "id,image,question,answer,score",
        "0,a.png,why not?,no,-1.3863",
        "1,b.png,what's this?,a cat,-0.3466",
    ]


def test_silent_when_nothing_is_malformed(export, tmp_path, capsys):
    (tmp_path / "generate-test.txt").write_text("H-1\t-0.5\twhy ? <sep> yes\n")
    assert export() == 0
    assert "0 malformed left out" in capsys.readouterr().out


def test_consistency_comes_from_the_evaluator(export, tmp_path, monkeypatch):
    fake_evaluator(
        monkeypatch, lambda triples: np.array([len(triple.answer) / 8 for triple in triples])
    )
    assert export("--evaluator", tmp_path / "evaluator.pt") == 0
    assert [line["consistency"] for line in lines(tmp_path / "pairs.jsonl")] == [2 / 8, 5 / 8]


def test_what_a_judge_cannot_tell_is_written_as_null(export, tmp_path):
    assert export("--judge", "tests.support.judges:YesMan:no") == 0
    assert [line["consistency"] for line in lines(tmp_path / "pairs.jsonl")] == [None, 0.2]


def test_an_earlier_file_stays_when_the_work_fails(export, tmp_path, monkeypatch):
    assert export() == 0
    earlier = (tmp_path / "pairs.jsonl").read_text()
    fake_evaluator(monkeypatch, lambda triples: ["no number"] * len(triples))
    with pytest.raises(ValueError, match="no number"):
        export("--overwrite", "--evaluator", tmp_path / "evaluator.pt")
    assert (tmp_path / "pairs.jsonl").read_text() == earlier
    assert not list(tmp_path.glob(".pairs*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "{tmp}"], "not a finished data directory"),
        (["--split", "train"], "generate-test.txt:1: id 1, but split train"),
        (["--evaluator", "{tmp}/none.pt"], "--evaluator {tmp}/none.pt: there is no such file"),
        (["--output", "{tmp}/none/pairs.jsonl"], "there is no folder {tmp}/none"),
        (["--output", "{tmp}"], "is a folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_status_2(export, tmp_path, capsys, arguments, message):
    assert export(*(argument.format(tmp=tmp_path) for argument in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("vqapg export: error: ") and err.count("\n") == 1
    assert message.format(tmp=tmp_path) in err
    assert not (tmp_path / "pairs.jsonl").exists()
