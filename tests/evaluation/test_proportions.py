import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqapg.evaluation.proportions import (
    Z95,
    more_judgements,
    student_t,
    weighted_sum,
    wilson,
)

ENDLESS = 10**15


def slow_wilson(right, judged, z, unseen=1.0):
    """The shares p that the data do not reject: |right / judged - p| <= z s.

    s^2 = p (1 - p) / n, times the part of the set that is *unseen*.
    """
    share = right / judged

    def end(outside):
        inside = share
        for _ in range(100):
            middle = (inside + outside) / 2
            if abs(share - middle) <= z * math.sqrt(unseen * middle * (1 - middle) / judged):
                inside = middle
            else:
                outside = middle
        return inside

    return end(0.0), end(1.0)


def slow_sum(terms, z):
    """One stratum after the other; *terms* are (weight, size, judged, right)."""
    value = low = high = down = up = 0.0
    for weight, size, judged, right in terms:
        if not judged:
            value += weight / 2
            low += min(weight, 0)
            high += max(weight, 0)
            continue
        share, ends = right / judged, slow_wilson(right, judged, z, 1 - judged / size)
        value, low, high = (number + weight * share for number in (value, low, high))
        below, above = sorted(weight * end for end in ends)
        down += (weight * share - below) ** 2
        up += (above - weight * share) ** 2
    return value, low - math.sqrt(down), high + math.sqrt(up)


WEIGHTS = st.floats(-1, 1)


@st.composite
def terms(draw, weights=WEIGHTS):
    size = draw(st.integers(1, 200))
    judged = draw(st.integers(0, size))
    return draw(weights), size, judged, draw(st.integers(0, judged))


@pytest.mark.parametrize(
    ("right", "judged", "low", "high"),
    [
        # Newcombe, 1998, "Two-sided confidence intervals for the single proportion", method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_published_values(right, judged, low, high):
    found = wilson(right / judged, judged)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 300), st.data(), st.sampled_from([Z95, 1.0, 4.0]))
def test_wilson_is_the_shares_that_data_do_not_reject(judged, data, z):
    right = data.draw(st.integers(0, judged))
    found = wilson(right / judged, judged, z)
    assert (found.low, found.high) == pytest.approx(slow_wilson(right, judged, z), abs=1e-9)


def test_wilson_of_no_judgement_is_all_that_is_possible():
    assert tuple(map(float, wilson(0.9, 0))) == (0.5, 0.0, 1.0)


@pytest.mark.parametrize(
    ("right", "judged", "low", "high"),
    [
        # Newcombe, 1998, "Interval estimation for the difference between independent
        # proportions", method 10.
        ((56, 48), (70, 80), 0.0524, 0.3339),
        ((9, 3), (10, 10), 0.1705, 0.8090),
        ((10, 0), (10, 20), 0.6791, 1.0000),
    ],
)
def test_a_difference_gives_published_values(right, judged, low, high):
    found = weighted_sum([1, -1], [ENDLESS, ENDLESS], judged, right)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(st.lists(terms(), min_size=1, max_size=5), st.sampled_from([Z95, 3.0]))
def test_weighted_sum_is_the_obvious_loop(strata, z):
    found = weighted_sum(*zip(*strata), z=z)
    assert tuple(map(float, found)) == pytest.approx(slow_sum(strata, z), abs=1e-9)


@given(st.lists(st.tuples(terms(), terms()), min_size=1, max_size=4))
def test_weighted_sums_of_many_samples_are_one_by_one(samples):
    together = weighted_sum(*np.moveaxis(np.array(samples, dtype=float), -1, 0))
    for number, sample in enumerate(samples):
        assert [end[number] for end in together] == pytest.approx(weighted_sum(*zip(*sample)))


def test_a_design_effect_divides_the_judgements():
    # 40 judgements that count for 10, of which the finite population still sees 40.
    low, high = slow_wilson(9, 10, Z95, 1 - 40 / 50)
    found = weighted_sum([1], [50], [40], [36], design_effect=4)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_interval_of_a_small_file_with_few_wrong_ones_holds():
    # 2 of 948 are wrong, 400 are judged. Shrinking Wilson's ends by sqrt(1 - 400 / 948) misses
    # where both are seen, which is one draw of six.
    found = weighted_sum([1], [948], [400], [398])
    assert found.low <= 946 / 948 <= found.high
    assert 0.995 + (float(wilson(0.995, 400).high) - 0.995) * math.sqrt(548 / 948) < 946 / 948


@given(st.lists(terms(WEIGHTS.filter(lambda w: abs(w) > 0.01)), min_size=1, max_size=3))
def test_more_judgements_reach_the_width_and_fewer_do_not(strata):
    weight, size, judged, right = np.array(strata, dtype=float).T
    share = np.where(judged > 0, right / np.maximum(judged, 1), 0.5)
    portion = abs(weight) / abs(weight).sum()

    def width(total):
        planned = np.maximum(judged, np.minimum(size, total * portion))
        found = weighted_sum(weight, size, planned, share * planned)
        return float(found.high - found.low)

    total = 0
    while width(total) > 0.1:  # one after the other
        total += 1
    more = np.maximum(judged, np.minimum(size, total * portion)) - judged
    assert more_judgements(weight, size, judged, right, 0.05) == math.ceil(more.sum() - 1e-9)


def test_more_judgements_of_endless_strata_is_textbook():
    # (1.96 / 0.02)^2 (0.8 * 0.9 * 0.1 + 0.2 * 0.3 * 0.7) = 1,095 in all, of which 200 are made.
    more = more_judgements([0.8, 0.2], [ENDLESS] * 2, [160, 40], [144, 12], 0.02)
    assert more == pytest.approx(895, rel=0.01)


def test_a_width_of_nothing_is_refused():
    with pytest.raises(ValueError, match="half_width 0: must be above 0"):
        more_judgements([1], [10], [5], [5], 0)


@pytest.mark.parametrize(
    ("degrees", "t"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042), (120, 1.980)],
)
def test_student_t_is_the_table(degrees, t):
    assert student_t(degrees) == pytest.approx(t, abs=5e-4)


def test_student_t_ends_at_the_normal_and_begins_at_infinity():
    assert student_t(100_000) == pytest.approx(Z95, abs=1e-4)
    assert student_t(0) == math.inf
