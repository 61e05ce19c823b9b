from types import SimpleNamespace

import numpy as np
import pytest

from vqapg.evaluation.judges_agreement import format_agreement_of_judges, judges_agreement
from vqapg.judges.mean import MeanJudge
from vqapg.judges.platt import Calibration

NAN = np.nan
# Accepted is above 0.5, not at it.
SCORES = np.array(
    [
        [0.9, 0.6, 0.5, 0.1, 0.2, NAN],
        [0.8, 0.4, 0.1, 0.0, 0.7, 0.9],
        [NAN, 0.9, 0.2, 0.3, NAN, NAN],
    ]
)


def judges(*names, slope=1.0):
    """Judges of these names; that of "a" has a checkpoint, that of "b" a model."""
    identity = {"a": {"path": "a.pt"}, "b": {"model": "some/model"}}
    made = [SimpleNamespace(name=name, identity=identity.get(name, {})) for name in names]
    return MeanJudge(made, [Calibration(slope, 0.5, 10)] * len(made))


def test_agreement_of_three_judges_by_hand():
    found = judges_agreement(judges("a", "b", "c"), SCORES)
    assert [(one["name"], one["accepted"]) for one in found["judges"]] == [
        ("a", {"value": 2 / 5, "n": 5}),
        ("b", {"value": 3 / 6, "n": 6}),
        ("c", {"value": 1 / 3, "n": 3}),
    ]
    assert [(pair["judges"], pair["agreed"]) for pair in found["pairs"]] == [
        (["a", "b"], {"value": 3 / 5, "n": 5}),
        (["a", "c"], {"value": 1.0, "n": 3}),
        (["b", "c"], {"value": 2 / 3, "n": 3}),
    ]
    # Units with their accepted and rejected: (2, 0), (2, 1), (0, 3), (0, 3), (1, 1). The last
    # triple has one judge. n = 13 values, 5 accepted and 8 rejected. Unlike ordered pairs: 2 * 2 of
    # the second unit, each 1 / 2, and 2 of the fifth, each 1.
    observed = (4 / 2 + 2) / 13
    expected = 2 * 5 * 8 / (13 * 12)
    assert found["n"] == 5 and found["alpha"] == pytest.approx(1 - observed / expected)


def test_judges_who_accept_everything_have_no_alpha():
    found = judges_agreement(judges("a", "b"), np.full((2, 4), 0.9))
    assert found["alpha"] is None and found["pairs"][0]["agreed"] == {"value": 1.0, "n": 4}
    assert "alpha on accepted or rejected: not defined (4 triples" in format_agreement_of_judges(
        found
    )


def test_nothing_to_judge_is_no_agreement():
    found = judges_agreement(judges("a", "b"), np.empty((2, 0)))
    assert found["alpha"] is None and found["n"] == 0
    assert "a and b agree on no triple that can be told" in format_agreement_of_judges(found)


def test_agreement_is_printed_a_line_a_figure():
    lines = format_agreement_of_judges(judges_agreement(judges("a", "b", "c"), SCORES)).splitlines()
    assert lines[1] == "  a (a.pt) accepts 40.0% of 5 triples"
    assert lines[2:4] == [
        "  b (some/model) accepts 50.0% of 6 triples",
        "  c accepts 33.3% of 3 triples",
    ]
    assert lines[4] == "  a and b agree on 60.0% of 5 triples"
    assert lines[-1].endswith("rejected: 0.40 (5 triples that two or more judges can tell of)")


def test_a_judge_without_a_slope_is_named_as_one():
    found = judges_agreement(judges("c", "d", slope=0.0), SCORES[:2])
    assert format_agreement_of_judges(found).splitlines()[1] == (
        "  c accepts 40.0% of 5 triples; its scores do not tell right from wrong there"
    )


@pytest.mark.parametrize(
    ("kind", "words"), [("people", "wrong answers of people"), ("hard", "hard negatives")]
)
def test_printed_agreement_says_what_was_wrong(kind, words):
    made = judges("a", "b")
    made.calibrations = [Calibration(1.0, 0.5, 10, kind)] * 2
    first, *_ = format_agreement_of_judges(
        judges_agreement(made, np.full((2, 4), 0.9))
    ).splitlines()
    assert first == f"Judges, each calibrated on the valid split and {words}:"
