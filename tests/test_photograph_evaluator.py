"""The table of benchmarks/photograph_evaluator.py, from reports written by hand."""

import json

import pytest

from benchmarks.photograph_evaluator import CHANGES, cell, found_in, parts_of, table
from vqapg.errors import InputError


def report(four_way, area):
    """What the table reads of a report of check-evaluator."""
    value = lambda number: {"value": number}  # noqa: E731
    asked = {"all": {"judge": value(four_way), "question_and_answer": value(0.25)}}
    return {
        "verdict": {
            "wrong_pairs": "people",
            "rejects_wrong": value(0.4),
            "accepts_right": value(0.9),
        },
        "four_way": {"by_type": asked},
        "image_swap": {"auc": value(area)},
        "negatives": {
            "people": {"calibration_error": value(0.1)},
            "hard": {"calibration_error": value(0.7)},
        },
    }


def test_table_has_means_and_ranges_of_what_is_done(tmp_path):
    runs = {"seed-1": report(0.5, 0.6), "seed-3": report(0.6, 0.7)}
    for name, content in runs.items():
        (tmp_path / "paper" / name).mkdir(parents=True)
        (tmp_path / "paper" / name / "report.json").write_text(json.dumps(content))
    (tmp_path / "paper" / "ensemble-1-2-3.json").write_text(json.dumps(report(0.625, 0.75)))
    # A run without a report is not done.
    (tmp_path / "swapped" / "seed-1").mkdir(parents=True)
    found = found_in(tmp_path, ["paper", "swapped"], [1, 2, 3], ["paper"])
    (first, second) = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table(found).splitlines()[2:]
    ]
    assert first[:3] == ["the paper's evaluator", "1, 3", "55.0 [50.0, 60.0]"]
    assert first[3:5] == ["25.0 [25.0, 25.0]", "0.650 [0.600, 0.700]"]
    assert first[5:] == ["40 [40, 40] / 90 [90, 90]", "0.100 [0.100, 0.100]"]
    assert second[1:3] == ["mean of 1, 2, 3", "62.5"] and second[4] == "0.750"


def test_cell_without_a_figure_is_a_dash():
    assert cell([None, None]) == "-" and cell([None, 0.5], 100, 1) == "50.0"


def test_changes_join_by_a_plus_and_unknown_ones_are_refused():
    assert parts_of("swapped+glove") == [CHANGES["swapped"], CHANGES["glove"]]
    with pytest.raises(InputError, match="no sharper; give of paper, hard"):
        parts_of("swapped+sharper")
