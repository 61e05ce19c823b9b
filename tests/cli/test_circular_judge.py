"""P by the judge that chose the pairs says nothing of them."""

import json

import pytest

import vqapg
from tests.support.handwritten_data import write_data
from tests.support.photo_pairs import LINES, write_photo_pairs
from vqapg.cli.main import main

JUDGE = "tests.support.judges:YesMan:unsure"
NAME = "yes man:unsure"
OTHER = "tests.support.judges:Brightness"
ALL = "the same judge chose these pairs: P says nothing of them; use another judge, or people"


def chosen(*choosers):
    """The lines of a file of pairs, each chosen by one of the judges, or by none."""
    chosen_by = [{} if chooser is None else {"chosen_by": chooser} for chooser in choosers]
    return [line | chooser for line, chooser in zip(LINES, chosen_by, strict=True)]


@pytest.fixture
def run(tmp_path):
    """run(command, lines, judge) -> exit status; the output is COMMAND.json in tmp_path."""

    def call(command, lines, judge=JUDGE, *flags):
        photos, pairs = write_photo_pairs(tmp_path, lines)
        place = ["--images", photos, "--pairs", pairs, "--output", tmp_path / f"{command}.json"]
        return main([command, *map(str, place), "--judge", judge, "--overwrite", *flags])

    return call


@pytest.mark.parametrize("flags", [[], ["--all"]])
def test_evaluate_says_below_p_that_p_is_circular(run, tmp_path, capsys, flags):
    assert run("evaluate", chosen(*[NAME] * 5), JUDGE, *flags) == 0
    out = capsys.readouterr().out
    assert out.count(ALL) == 1
    (line,) = [line for line in out.splitlines() if "can P be relied on?" in line]
    assert line.split()[5] == "no"
    metrics = json.loads((tmp_path / "evaluate.json").read_text())
    assert metrics["verdict"] == {"text": ALL, "rely": False}


def test_only_some_pairs_chosen_are_counted(run, capsys):
    assert run("evaluate", chosen(NAME, None, NAME, "another", None)) == 0
    assert "the same judge chose 2 of these pairs: P says nothing of" in capsys.readouterr().out


def test_one_of_several_averaged_choosers_is_found_out(run, capsys):
    assert run("evaluate", chosen(*[f"{NAME}, another"] * 4, f"not {NAME}, another")) == 0
    assert "the same judge chose 4 of these pairs: P says nothing of" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["evaluate", "score"])
@pytest.mark.parametrize(("choosers", "judge"), [([None] * 5, JUDGE), ([NAME] * 5, OTHER)])
def test_another_judge_is_not_circular(run, capsys, command, choosers, judge):
    assert run(command, chosen(*choosers), judge) == 0
    out, err = capsys.readouterr()
    assert "the same judge" not in out + err


def test_score_warns_and_keeps_who_chose(run, tmp_path, capsys):
    assert run("score", chosen(*[NAME] * 5)) == 0
    assert capsys.readouterr().err == f"warning: {ALL}\n"
    scored = [json.loads(line) for line in (tmp_path / "score.json").read_text().splitlines()]
    assert [line["chosen_by"] for line in scored] == [NAME] * 5
    # The second judge is one that did not choose; the first is still found out.
    assert run("score", scored, OTHER) == 0
    scored = [json.loads(line) for line in (tmp_path / "score.json").read_text().splitlines()]
    assert run("evaluate", scored) == 0
    assert ALL in capsys.readouterr().out


def test_scores_alone_choose_nothing(run, tmp_path, capsys):
    assert run("score", LINES) == 0
    scored = [json.loads(line) for line in (tmp_path / "score.json").read_text().splitlines()]
    assert run("evaluate", scored) == 0
    out, err = capsys.readouterr()
    assert "the same judge" not in out + err


def test_pairs_in_memory_say_who_chose_them(tmp_path):
    photos, _ = write_photo_pairs(tmp_path)
    metrics = vqapg.evaluate(images=photos, pairs=chosen(*[NAME] * 5), judge=JUDGE)
    assert metrics["verdict"]["text"] == ALL


def test_export_keeps_who_chose(tmp_path):
    gold = [(f"{number}.png", "is there a shape ?", "yes") for number in range(3)]
    data = write_data(tmp_path / "DATA", gold)
    _, pairs = write_photo_pairs(tmp_path, chosen(NAME, None, None, NAME, None))
    output = tmp_path / "out.jsonl"
    words = ["export", pairs, "--data", data, "--format", "jsonl", "--output", output]
    for flags in ([], ["--overwrite"], ["--judge", JUDGE, "--overwrite"]):
        assert main([*map(str, words), *flags]) == 0
        exported = [json.loads(line) for line in output.read_text().splitlines()]
        assert [line["chosen_by"] for line in exported] == [NAME, None, None, None]
