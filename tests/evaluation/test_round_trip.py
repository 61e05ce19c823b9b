import json

import numpy as np
import pytest

from tests.support.handwritten_data import write_data
from vqapg.data.directory import DataDirectory
from vqapg.evaluation.round_trip import compare
from vqapg.evaluation.round_trip_table import format_agreement
from vqapg.judges.easy_vqa_truth import EasyVQATruth, World
from vqapg.judges.truth import truth_of

TRIPLES = [
    ("a.png", "is there a circle ?", "yes"),
    ("a.png", "what color is the shape ?", "the red"),
    ("b.png", "how many ?", "two"),
    ("b.png", "what color is the shape ?", "dark red"),
]
ANSWERS = ["yes", "red", "3", "red"]
BLIND = ["yes", "blue", "2", "blue"]


def values(figures):
    return {name: (figure["value"], figure["n"]) for name, figure in figures.items()}


def test_agreement_by_hand():
    figures = compare(TRIPLES, ANSWERS, BLIND, seed=1, resamples=30)
    assert (figures["exact"]["value"], figures["exact"]["n"]) == (0.5, 4)
    assert figures["f1"]["value"] == pytest.approx((1 + 1 + 0 + 2 / 3) / 4)
    assert values(figures["exact_by_type"]) == {
        "yes/no": (1, 1),
        "number": (0, 1),
        "other": (0.5, 2),
    }
    assert values(figures["blind"]["exact_by_type"]) == {
        "yes/no": (1, 1),
        "number": (1, 1),
        "other": (0, 2),
    }
    assert figures["blind"]["f1"]["value"] == 0.5
    assert (figures["above_blind"]["value"], figures["above_blind"]["n"]) == (0, 4)
    assert "truth" not in figures and "blind" not in compare(TRIPLES, ANSWERS, seed=1, resamples=30)


def test_tokens_are_read_as_people_write_them():
    # Treebank tokens of "can't", which normalise to the contraction that the other one lacks its
    # apostrophe of.
    assert compare([("a.png", "why ?", "it ca n't")], ["it cant"])["exact"]["value"] == 1


def test_the_difference_to_the_blind_one_is_taken_pair_by_pair():
    """Both agree with all pairs of some images and with none of others.

    So each interval is wide, and that of the difference is nil.
    """
    triples = [(f"{i}.png", "is it ?", "yes") for i in range(40)]
    answers = ["yes" if i % 2 else "no" for i in range(40)]
    figures = compare(triples, answers, answers, seed=1, resamples=200)
    low, high = figures["exact"]["ci95"]
    assert high - low > 0.2 and figures["above_blind"]["ci95"] == [0, 0]
    worse = compare(triples, ["no"] * 40, ["yes"] * 40, seed=1, resamples=200)
    assert worse["above_blind"]["value"] == -1 and worse["above_blind"]["ci95"] == [-1, -1]


def test_agreement_and_truth_by_hand(tmp_path):
    gold = [
        ("a.png", "what is the blue shape ?", "circle"),
        ("b.png", "what is the red shape ?", "circle"),
    ]
    known = truth_of(DataDirectory(write_data(tmp_path / "DATA", gold, "easy-vqa")), "test")
    triples = [
        ("a.png", "is there a circle ?", "yes"),  # right, and agreed with
        ("a.png", "what color is the shape ?", "blue"),  # right, and not agreed with
        ("b.png", "is there a circle ?", "no"),  # wrong, and agreed with
        ("b.png", "what color is the shape ?", "blue"),  # wrong, and not agreed with
        ("b.png", "is there a triangle ?", "yes"),  # wrong, and not agreed with
    ]
    truth = compare(triples, ["yes", "red", "no", "red", "no"], truth=known, resamples=30)["truth"]
    assert values(truth) == {
        "true_consistent": (0.4, 5),
        "agrees_with_truth": (0.6, 5),
        "agrees_with_right": (0.5, 2),
        "disagrees_with_wrong": (pytest.approx(2 / 3), 3),
    }


def test_pairs_of_unknown_truth_count_on_neither_side():
    known = EasyVQATruth({"a.png": frozenset({World("blue", "circle"), World("red", "circle")})})
    triples = [
        ("a.png", "is there a circle ?", "yes"),  # right in both worlds
        ("a.png", "what color is the shape ?", "blue"),  # right in one of them
    ]
    truth = compare(triples, ["no", "blue"], truth=known, resamples=5)["truth"]
    assert values(truth) == {
        "true_consistent": (1, 1),
        "agrees_with_truth": (0, 1),
        "agrees_with_right": (0, 1),
        "disagrees_with_wrong": (None, 0),
    }


def test_nothing_generated_is_a_result_too():
    figures = compare([], [], [], truth=EasyVQATruth({}), resamples=10)
    assert (
        figures["exact"]
        == {"value": None, "n": 0, "ci95": None}
        == figures["truth"]["agrees_with_right"]
    )
    assert json.dumps(figures, allow_nan=False)
    assert "agrees exactly" not in format_agreement({"generated": figures})


def test_the_table_has_a_column_a_set_and_no_row_of_nothing():
    figures = compare(TRIPLES, ANSWERS, BLIND, seed=1, resamples=30)
    lines = format_agreement(
        {"generated": figures, "gold": compare(TRIPLES[:1], ["yes"], resamples=30)}
    ).splitlines()
    assert lines[0].split() == ["generated", "gold"]
    (exact,) = [line for line in lines if line.startswith("agrees exactly")]
    assert "50.00 [" in exact and exact.endswith("100.00 over 1")
    assert not any("truly" in line for line in lines)
    assert np.all([line == line.rstrip() for line in lines])
