"""Table 8: what a gain over the control can come from."""

import csv
import json
import shutil

import pytest

from tests.support.study_folder import figure, trained, write, write_study
from vqapg.reports.report import write_report


@pytest.fixture
def folder(tmp_path):
    return write_study(tmp_path / "study")


def made(folder, out):
    write_report(folder, out, overwrite=True)


def test_updates_of_pre_training_count(folder, tmp_path):
    path = folder / "downstream/vqg/joint_variational/seed-1"
    write(path / "pre-training/trained.json", trained(1600))
    write(path / "trained.json", trained(801))
    write_report(folder, tmp_path / "out")
    with open(tmp_path / "out/table8.csv", newline="") as file:
        (row,) = [
            row
            for row in csv.DictReader(file)
            if (row["task"], row["pre-trained on pairs of"]) == ("VQG", "Joint*")
        ]
    assert row["updates"] == "2,401"


def test_the_control_tells_a_gain_from_longer_training(folder, tmp_path):
    """0.29 of the control, give or take 0.01, against 0.25, 0.33, 0.30 and 0.26."""
    path = folder / "downstream/vqa/joint_variational/seed-1/metrics.json"
    write(path, json.loads(path.read_text()) | {"bleu4": figure(0.5)})
    write_report(folder, tmp_path / "out")
    with open(tmp_path / "out/table8.csv", newline="") as file:
        table = list(csv.DictReader(file))
    everything = "BLEU-4, METEOR, ROUGE-L, exact"
    assert [(row["task"], row["updates"], row["beside the control"]) for row in table] == [
        ("VQG", "800", f"less: {everything}"),
        ("VQG", "2,400", "-"),
        ("VQG", "2,400", f"more: {everything}"),
        ("VQG", "2,400", "not told apart"),
        ("VQG", "2,400", f"less: {everything}"),
        ("VQA", "800", f"less: {everything}"),
        ("VQA", "2,400", "-"),
        ("VQA", "2,400", f"more: {everything}"),
        ("VQA", "2,400", "more: BLEU-4"),
        ("VQA", "2,400", f"less: {everything}"),
    ]
    assert table[1]["BLEU-4 (%) paper Visual7W"] == ""


def test_updates_that_differ_are_explained_in_the_note(folder, tmp_path):
    rows = [
        folder / f"downstream/vqg/{name}/seed-1/trained.json" for name in ("control", "baseline")
    ]
    said = []
    for path, weights, updates in (
        (rows[1], "last", 801),
        (rows[0], "last", 2401),
        (rows[0], "best", 2401),
    ):
        write(path, trained(updates, weights=weights))
        if weights == "last":
            for other in folder.glob("downstream/vqg/*_variational/seed-1/trained.json"):
                write(other, trained(2400, weights="last"))
        made(folder, tmp_path / "out")
        said.append((tmp_path / "out/table8.md").read_text().split("\n\n")[1])
    other = "The rows of VQG were not trained for as many updates"
    best = (
        "The rows of VQG differ in updates: each has the weights of its epoch that was best on dev"
    )
    # The baseline is to be shorter.
    assert [(other in note, best in note) for note in said] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    assert "VQA" not in said[2].partition(best)[0].partition("control's")[2]


def test_one_seed_of_the_control_is_said_in_the_note(folder, tmp_path):
    sentence = "VQG has a control of one seed: a difference can come from the seed."
    made(folder, tmp_path / "out")
    assert sentence in (tmp_path / "out/table8.md").read_text()
    first = folder / "downstream/vqg/control/seed-1"
    shutil.copytree(first, first.with_name("seed-2"))
    made(folder, tmp_path / "out")
    assert sentence not in (tmp_path / "out/table8.md").read_text()


def test_without_a_control_the_note_warns(folder, tmp_path):
    shutil.rmtree(folder / "downstream/vqa/control")
    shutil.rmtree(folder / "downstream/vqa/joint_variational")
    made(folder, tmp_path / "out")
    note = (tmp_path / "out/table8.md").read_text()
    assert "VQA has no row of Joint*: nothing was evaluated there." in note
    assert "VQA has no control row: a gain there may come from longer training." in note
