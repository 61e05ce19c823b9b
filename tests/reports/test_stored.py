import pytest

from vqapg.reports.measures import BLEU, N
from vqapg.reports.stored import compare


def runs(*intervals):
    """A run by seed for each (lowest, value, highest)."""
    return {
        seed: {"unique_pairs": {"value": value, "n": 9, "ci95": [low, high]}}
        for seed, (low, value, high) in enumerate(intervals, start=1)
    }


@pytest.mark.parametrize(
    "ours, verdict",
    [
        ([(21, 25, 30)], "more"),
        # They touch, and then overlap though the value lies outside.
        ([(20, 25, 30)], "not told apart"),
        ([(19, 25, 30)], "not told apart"),
        ([(1, 5, 9)], "less"),
        ([(1, 5, 10)], "not told apart"),
        ([(1, 5, 11)], "not told apart"),
        # The widest of the seeds counts.
        ([(21, 25, 30), (19, 25, 30)], "not told apart"),
        ([(21, 25, 30), (22, 25, 30)], "more"),
    ],
)
def test_figures_differ_where_intervals_do_not_overlap(ours, verdict):
    assert compare(N, runs(*ours), runs((10, 15, 20))) == verdict


@pytest.mark.parametrize(
    "ours, theirs, verdict",
    [
        # Shares are printed as percentages with two decimals: 0.00 and 0.00, 0.00 and 0.01.
        (0.00001, 0.00004, "not told apart"),
        (0.00004, 0.00006, "less"),
        (0.50006, 0.50004, "more"),
    ],
)
def test_figures_printed_alike_are_not_told_apart(ours, theirs, verdict):
    def run(value):
        return {1: {"bleu4": {"value": value, "n": 9, "ci95": [value, value]}}}

    assert compare(BLEU, run(ours), run(theirs)) == verdict


def test_what_lacks_a_figure_is_not_compared():
    assert compare(N, runs((1, 2, 3)), {1: {}}) is None
    assert compare(N, {1: {}}, runs((1, 2, 3))) is None
