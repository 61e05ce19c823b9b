import json

import numpy as np
import pytest

import vqapg
from tests.support.handwritten_data import write_data
from tests.support.photo_pairs import LINES, write_photo_pairs
from vqapg.cli.main import main

YES_MAN = "tests.support.judges:YesMan:unsure"
NAME = "yes man:unsure"


@pytest.fixture
def score(tmp_path):
    """score([arguments]) -> exit status; photos/, pairs.jsonl and scores.jsonl in tmp_path."""
    photos, pairs = write_photo_pairs(tmp_path)

    def run(*arguments, place=("--images", photos)):
        files = ["--pairs", pairs, "--output", tmp_path / "scores.jsonl"]
        # A second --judge would be averaged with the first.
        judge = [] if "--judge" in arguments else ["--judge", YES_MAN]
        return main(["score", *map(str, [*place, *files, *judge, *arguments])])

    return run


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_line_keeps_what_it_has_and_gets_its_score(score, tmp_path, capsys):
    assert score() == 0
    # What an earlier judge said goes; a malformed pair and what cannot be told have no score.
    expected = [0.9, 0.9, None, None, 0.9]
    kept = [{key: line[key] for key in line if key != "consistency"} for line in LINES]
    found = lines_of(tmp_path / "scores.jsonl")
    assert found == [
        line | {"consistency": value, "judge": NAME} for line, value in zip(kept, expected)
    ]
    assert list(found[0])[-2:] == ["consistency", "judge"]
    assert capsys.readouterr().out == (
        f"{tmp_path}/scores.jsonl: 5 pairs, 3 scored by yes man:unsure\n"
    )


def test_lines_stay_in_order_whatever_their_ids(score, tmp_path):
    lines = [LINES[0] | {"id": 7}, LINES[1] | {"id": 3}]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n\n" for line in lines))
    assert score() == 0
    assert [line["id"] for line in lines_of(tmp_path / "scores.jsonl")] == [7, 3]


def test_scores_are_pairs_that_can_be_measured_again(score, tmp_path):
    assert score() == 0
    again = tmp_path / "again.jsonl"
    assert score("--pairs", tmp_path / "scores.jsonl", "--output", again) == 0
    assert again.read_text() == (tmp_path / "scores.jsonl").read_text()
    metrics = vqapg.evaluate(images=tmp_path / "photos", pairs=again)
    assert (metrics["pairs"], metrics["malformed"]) == (5, 1)


def test_hypotheses_of_fairseq_become_json_lines(score, tmp_path):
    data = write_data(tmp_path / "DATA", [("a.png", "why ?", "so"), ("b.png", "who ?", "he")])
    generated = tmp_path / "generate-test.txt"
    generated.write_text("H-1\t-0.5\twhat 's it ? <sep> yes\nH-0\t-1\tno separator\n")
    assert score("--pairs", generated, place=[data]) == 0
    end = {"judge": NAME}
    assert lines_of(tmp_path / "scores.jsonl") == [
        {"id": 1, "image": "b.png", "question": "what's it?", "answer": "yes", "score": -0.3466}
        | {"consistency": 0.9}
        | end,
        {"id": 0, "image": "a.png", "question": "", "answer": "", "score": -0.6931}
        | {"consistency": None}
        | end,
    ]


def test_scores_from_python_are_those_of_the_command(score, tmp_path):
    assert score() == 0
    written = [line["consistency"] for line in lines_of(tmp_path / "scores.jsonl")]
    found = vqapg.score(images=tmp_path / "photos", pairs=tmp_path / "pairs.jsonl", judge=YES_MAN)
    np.testing.assert_array_equal(found, np.array(written, float))
    listed = [("0.png", "Why?", "yes"), {"image": "1.png", "question": "Why?", "answer": "no"}]
    assert vqapg.score(images=tmp_path / "photos", pairs=listed, judge=YES_MAN).tolist() == [
        0.9,
        0.2,
    ]


def test_only_our_own_scores_are_replaced(score, tmp_path, capsys):
    output = tmp_path / "scores.jsonl"
    assert score() == 0
    assert score() == 2 and "--overwrite to replace it" in capsys.readouterr().err
    assert score("--overwrite") == 0
    output.write_text(json.dumps(LINES[0]))
    assert score("--overwrite") == 2 and "was not written by vqapg" in capsys.readouterr().err
    assert score("--overwrite", "--output", tmp_path / "pairs.jsonl") == 2
    assert "is read by this very command" in capsys.readouterr().err
    assert output.read_text() == json.dumps(LINES[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "{tmp}/none"], "--images {tmp}/none: there is no such folder"),
        (["--judge", ""], "no judge is named ''"),
        (["--judge", "truth:easy-vqa"], "--judge truth:easy-vqa: needs a data directory, and here"),
        (["--pairs", "{tmp}/none.jsonl"], "none.jsonl: cannot be read"),
        (["--pairs", "{tmp}/empty.jsonl"], "empty.jsonl: no pair in it"),
        (["--split", "train"], "--split train: a folder of pictures has no splits"),
    ],
)
def test_bad_input_is_one_line(score, tmp_path, capsys, arguments, message):
    (tmp_path / "empty.jsonl").touch()
    assert score(*(argument.format(tmp=tmp_path) for argument in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("vqapg score: error: ") and err.count("\n") == 1
    assert message.format(tmp=tmp_path) in err
    assert not (tmp_path / "scores.jsonl").exists()


def test_the_command_needs_a_judge(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["score", "--images", "photos", "--pairs", "a.jsonl", "--output", "b.jsonl"])
    assert stopped.value.code == 2 and "--judge --evaluator is required" in capsys.readouterr().err
