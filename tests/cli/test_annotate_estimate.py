import csv
import json

import pytest

from tests.support.annotate_commands import annotate, fill, write_folder
from tests.support.annotated_pairs import MODELS
from vqapg.annotation.consistency_estimate import estimate_session
from vqapg.annotation.judgements import read_judgements
from vqapg.annotation.session import read_session
from vqapg.cli.main import main
from vqapg.evaluation.summary import format_table

CONSISTENCY = "start session --for consistency --data DATA --pairs model-one.txt".split()
PAIRS_OF = [f"--pairs={model}={model}.txt" for model in MODELS]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return write_folder(tmp_path, monkeypatch)


def evaluate(pairs, output):
    """vqapg evaluate, with the judge YesMan: he accepts the answer "yes" alone."""
    judge = "tests.support.judges:YesMan:"
    words = ["evaluate", "DATA", "--pairs", pairs, "--judge", judge, "--output", output]
    assert main(words) == 0


def judged_by_sheet(name, mark_of):
    """The annotator of that name fills in a sheet; how many rows it has."""
    assert annotate("sheet", "session", "--annotator", name, "--output", f"{name}.csv") == 0
    with open(f"{name}.csv", encoding="utf-8-sig", newline="") as file:
        rows = len(list(csv.DictReader(file)))
    fill(f"{name}.csv", lambda row: {"consistency": mark_of(row)})
    assert annotate("read-sheet", "session", f"{name}.csv") == 0
    return rows


def test_from_pairs_to_an_estimate_in_metrics(folder, capsys):
    evaluate("model-one.txt", "metrics.json")
    judge = ["--judge", "tests.support.judges:YesMan:"]
    assert annotate(*CONSISTENCY, *judge, "-n", 9) == 0
    out = capsys.readouterr().out
    assert "session: 3 images, 9 pairs to judge, by 2 annotators each" in out
    is_dog = {"Anna": "2", "ben": "1"}
    for name, mark in is_dog.items():
        rows = judged_by_sheet(name, lambda row, mark=mark: mark if "dog" in row["question"] else 2)
        assert rows == 9
    # They disagree on the dogs of the three images, and the third sees them alone.
    assert judged_by_sheet("cleo", lambda row: "0") == 3
    assert "cleo: 3 of 3 pairs judged" in capsys.readouterr().out
    assert annotate("estimate", "session", "--output", "e.json", "--metrics", "metrics.json") == 0
    out = capsys.readouterr().out
    assert "model-one.txt: 9 distinct triples; 1 malformed, left out" in out
    assert "66.7%  [66.7, 66.7] of these triples; 9 judged" in out
    assert "33.3%  33.3 points below the estimate" in out
    assert "they disagree on 3 of 9 pairs (33.3%)" in out
    figures = json.loads((folder / "e.json").read_text())
    metrics = json.loads((folder / "metrics.json").read_text())
    expected = figures["files"]["model-one.txt"]["estimated_consistent"]
    assert metrics["estimated_consistent"] == expected
    assert (expected["value"], expected["n"]) == (pytest.approx(2 / 3), 9)
    lines = format_table(metrics).splitlines()
    at = lines.index("consistency")
    assert "estimated from judgements of people (%)" in lines[at + 1] and "66.67" in lines[at + 1]
    assert "P: scored above 0.5" in lines[at + 2]
    # The same command again replaces the estimate; the output needs leave.
    assert annotate("estimate", "session", "--metrics", "metrics.json") == 0
    assert annotate("estimate", "session", "--output", "e.json") == 2
    assert json.loads((folder / "metrics.json").read_text()) == metrics


def test_estimate_refuses_metrics_of_another_file(folder, capsys):
    evaluate("model-two.txt", "metrics.json")
    before = (folder / "metrics.json").read_bytes()
    annotate(*CONSISTENCY, "--annotators", 1)
    judged_by_sheet("anna", lambda row: "2")
    capsys.readouterr()
    words = ["--output", "e.json", "--metrics", "metrics.json"]
    assert annotate("estimate", "session", *words) == 2
    assert "metrics.json: is of other pairs" in capsys.readouterr().err
    assert not (folder / "e.json").exists()
    assert (folder / "metrics.json").read_bytes() == before


def test_two_files_are_compared_by_what_they_do_not_share(folder, capsys):
    words = ["start", "session", "--for", "consistency", "--data", "DATA", *PAIRS_OF]
    assert annotate(*words, "--annotators", 1) == 0
    session = read_session("session")
    assert set(session.plan.files) == set(MODELS)
    judged_by_sheet("anna", lambda row: "2" if "cat" in row["question"] else "1")
    capsys.readouterr()
    assert annotate("estimate", "session") == 0
    # Of model-one the cats, 6 of 9; of model-two 3 of 6.
    assert "model-one minus model-two: 0 triples are in both" in capsys.readouterr().out
    figures = estimate_session(session, read_judgements(session))
    assert figures["differences"][0]["value"] == pytest.approx(6 / 9 - 3 / 6)


def test_sheet_has_the_words_of_the_page_and_reads_them(folder, capsys):
    assert annotate(*CONSISTENCY, "-n", 9) == 0
    capsys.readouterr()
    marks = iter(["right", "Wrong", "not answerable", "cannot  tell"])
    assert judged_by_sheet("anna", lambda row: next(marks, "right")) == 9
    out = capsys.readouterr().out
    assert "fill in consistency with one of: right, wrong, not answerable, cannot tell;" in out
    assert out.rstrip().endswith("next: vqapg annotate estimate session")
    assert annotate("sheet", "session", "--annotator", "anna", "--output", "again.csv") == 0
    with open("again.csv", encoding="utf-8-sig", newline="") as file:
        words = [row["consistency"] for row in csv.DictReader(file)]
    assert words == ["right", "wrong", "not answerable", "cannot tell"] + ["right"] * 5
    # The scores of the paper are read too.
    assert judged_by_sheet("ben", lambda row: "2") == 9


@pytest.mark.parametrize(
    ("n", "told"),
    [
        (3, "9 pairs to judge, by 2 annotators each (more than -n 3: 10 of each stratum at least)"),
        (50, "9 pairs to judge, by 2 annotators each (there are no more; -n 50)"),
    ],
)
def test_another_number_than_was_asked_for_is_told(folder, capsys, n, told):
    assert annotate(*CONSISTENCY, "-n", n) == 0
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("unsure", [{"g1p1"}, set()])
def test_undecided_pairs_beyond_the_interval_are_told(folder, capsys, unsure):
    assert annotate(*CONSISTENCY, "-n", 9) == 0
    for name in ("anna", "ben"):
        judged_by_sheet(name, lambda row: "cannot tell" if row["pair"] in unsure else "right")
    capsys.readouterr()
    assert annotate("estimate", "session") == 0
    assert ("that is beyond the interval" in capsys.readouterr().out) == bool(unsure)
