import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqapg.errors import InputError
from vqapg.evaluation.proportions import wilson
from vqapg.evaluation.stratified import (
    Stratum,
    allocate,
    bounds_of_undecided,
    draw,
    strata_by_score,
    stratified_estimate,
)

ENDLESS = 10**15
PAGE = Path(__file__).parents[2] / "docs" / "estimate.md"


JUDGED = st.integers(0, 300)


@st.composite
def strata(draw, judged=JUDGED):
    size = draw(st.integers(0, 300))
    n = min(size, draw(judged))
    return Stratum(size, n, draw(st.integers(0, n)))


FILES = st.lists(strata(), min_size=1, max_size=4).filter(lambda file: any(s.judged for s in file))
SCORES = st.lists(st.sampled_from([0.0, 0.5, 0.50001, 1.0, math.nan]), min_size=1, max_size=300)


def test_the_estimate_worked_out_by_hand():
    # W = 1/4, 3/4; p = 0.1, 0.9. Of 1,000 triples 100 tell as much as 111.1 of endlessly many,
    # and of 3,000 as 103.4. Wilson: 0.0572 to 0.1695, and 0.8271 to 0.9442.
    found = stratified_estimate([Stratum(1000, 100, 10), Stratum(3000, 100, 90)])
    assert found.value == pytest.approx(0.25 * 0.1 + 0.75 * 0.9)
    down = (0.25 * 0.0428) ** 2 + (0.75 * 0.0729) ** 2
    up = (0.25 * 0.0695) ** 2 + (0.75 * 0.0442) ** 2
    assert found.low == pytest.approx(0.7 - math.sqrt(down), abs=1e-4)
    assert found.high == pytest.approx(0.7 + math.sqrt(up), abs=1e-4)
    assert (found.size, found.judged) == (4000, 200)


@given(FILES)
def test_ends_stand_about_the_value_within_0_and_1(file):
    found = stratified_estimate(file)
    assert 0 <= found.low <= found.value <= found.high <= 1
    for low, high in (found.people_alone, found.beyond_file(3.0)):
        assert -1e-12 <= low <= found.value <= high <= 1 + 1e-12


@given(st.lists(strata(judged=st.just(300)), min_size=1, max_size=4))
def test_a_file_judged_whole_has_no_uncertainty(file):
    if not sum(stratum.size for stratum in file):
        return
    found = stratified_estimate(file)
    share = sum(stratum.right for stratum in file) / sum(stratum.size for stratum in file)
    assert found.low == found.value == found.high == pytest.approx(share)
    assert found.effective_size == pytest.approx(found.size)
    assert found.more_for(0.001) == 0


def test_a_stratum_judged_whole_adds_no_uncertainty():
    whole = stratified_estimate([Stratum(100, 100, 3), Stratum(900, 90, 60)])
    other = wilson(2 / 3, 100)  # 90 of 900: 90 / (1 - 0.1)
    assert whole.value - whole.low == pytest.approx(0.9 * float(2 / 3 - other.low))


@given(FILES, st.randoms())
def test_the_order_of_strata_does_not_matter(file, random):
    mixed = random.sample(file, len(file))
    one, other = stratified_estimate(file), stratified_estimate(mixed)
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_one_stratum_alone_has_the_interval_of_wilson():
    ends = wilson(0.81, 200)
    for file in ([Stratum(ENDLESS, 200, 162)], [Stratum(0, 0, 0), Stratum(ENDLESS, 200, 162)]):
        found = stratified_estimate(file)
        assert (found.low, found.high) == pytest.approx((float(ends.low), float(ends.high)))
        assert found.people_alone == pytest.approx((found.low, found.high))
        assert found.effective_size == pytest.approx(200, rel=1e-3)


def test_an_unjudged_stratum_can_be_all_right_or_all_wrong():
    # A quarter of the file is not looked at, and the rest is judged whole: 60% of it is right.
    found = stratified_estimate([Stratum(100, 0, 0), Stratum(300, 300, 180)])
    assert (found.low, found.high) == pytest.approx((0.75 * 0.6, 0.75 * 0.6 + 0.25))
    assert found.value == pytest.approx(0.75 * 0.6 + 0.125)
    # With a sample of the rest, its own uncertainty stands outside of that.
    wider = stratified_estimate([Stratum(100, 0, 0), Stratum(300, 30, 18)])
    assert wider.low < found.low - 0.05 and wider.high > found.high + 0.05


@pytest.mark.parametrize("file", [[], [Stratum(0, 0, 0)], [Stratum(9, 0, 0), Stratum(3, 0, 0)]])
def test_nothing_judged_is_an_error(file):
    with pytest.raises(InputError, match="no pair is judged right or wrong yet"):
        stratified_estimate(file)


@pytest.mark.parametrize("numbers", [(5, 6, 0), (5, 2, 3), (5, 2, -1)])
def test_impossible_counts_are_refused(numbers):
    with pytest.raises(ValueError, match="wants 0 <= right <= judged <= size"):
        Stratum(*numbers)


def test_people_alone_have_as_many_judgements_without_strata():
    found = stratified_estimate([Stratum(200, 40, 2), Stratum(800, 160, 156)])
    ends = wilson(found.value, 250)  # 200 of 1,000: 200 / (1 - 0.2)
    assert found.people_alone == pytest.approx((float(ends.low), float(ends.high)))


def test_effective_size_of_large_samples_is_a_variance_ratio():
    found = stratified_estimate([Stratum(ENDLESS, 4000, 400), Stratum(ENDLESS, 4000, 3600)])
    variance = ((found.high - found.low) / (2 * 1.959964)) ** 2
    assert found.effective_size == pytest.approx(found.value * (1 - found.value) / variance, 2e-3)
    # Strata that are alike are worth nothing: 8,000 judgements count for 8,000.
    alike = stratified_estimate([Stratum(ENDLESS, 4000, 3000), Stratum(ENDLESS, 4000, 3000)])
    assert alike.effective_size == pytest.approx(8000, rel=2e-3)


def test_effective_size_gives_an_interval_of_the_same_width():
    found = stratified_estimate([Stratum(900, 40, 3), Stratum(3000, 160, 155)])
    size = found.effective_size
    ends = wilson(found.value, size / (1 - size / 3900))
    assert float(ends.high - ends.low) == pytest.approx(found.high - found.low)
    assert 200 < found.effective_size < 3900


def test_effective_size_exists_where_all_are_right():
    found = stratified_estimate([Stratum(1000, 100, 100)])
    assert found.effective_size == pytest.approx(100)


def test_more_for_two_points_is_what_is_left_of_the_needed():
    # (1.96 / 0.02)^2 (0.25 * 0.09 + 0.75 * 0.09) = 864 in all.
    found = stratified_estimate([Stratum(ENDLESS, 50, 5), Stratum(3 * ENDLESS, 150, 135)])
    assert found.judged + found.more_for(0.02) == pytest.approx(864, rel=0.03)
    enough = stratified_estimate([Stratum(ENDLESS, 225, 22), Stratum(3 * ENDLESS, 675, 607)])
    assert enough.more_for(0.02) == 0


def test_beyond_the_file_adds_the_interval_of_its_triples():
    # Judged whole, the estimate has no width: what is left is Wilson's interval of 400 / 3.5.
    found = stratified_estimate([Stratum(400, 400, 300)])
    own = wilson(0.75, 400 / 3.5)
    assert found.beyond_file(3.5) == pytest.approx((float(own.low), float(own.high)))
    found = stratified_estimate([Stratum(400, 100, 75)])
    one = wilson(0.75, 400)
    low, high = found.beyond_file()
    assert 0.75 - low == pytest.approx(math.hypot(0.75 - found.low, 0.75 - one.low))
    assert high - 0.75 == pytest.approx(math.hypot(found.high - 0.75, one.high - 0.75))


def test_a_small_file_without_an_error_is_not_certain_beyond_it():
    low, high = stratified_estimate([Stratum(20, 20, 20)]).beyond_file()
    assert high == 1 and low == pytest.approx(20 / (20 + 1.959964**2))


def test_bounds_count_the_undecided_as_wrong_and_as_right():
    file = [Stratum(400, 30, 10), Stratum(600, 50, 40)]
    low, high = bounds_of_undecided(file, [10, 0])
    assert low.value == pytest.approx(0.4 * 10 / 40 + 0.6 * 0.8)
    assert high.value == pytest.approx(0.4 * 20 / 40 + 0.6 * 0.8)
    assert (low.judged, high.judged) == (90, 90)


@pytest.mark.parametrize(
    ("sizes", "n", "expected"),
    [
        ([2000, 6000], 200, [50, 150]),
        ([100, 5900], 200, [10, 197]),  # at least ten of each
        ([4, 5996], 200, [4, 200]),  # a small stratum whole
        ([0, 6000, 0], 200, [0, 200, 0]),
        ([30, 60], 200, [30, 60]),
        ([0, 0], 200, [0, 0]),
    ],
)
def test_allocation_is_in_proportion_and_at_least_ten(sizes, n, expected):
    assert allocate(sizes, n) == expected


def test_no_pair_to_judge_is_an_error():
    with pytest.raises(InputError, match="n 0: must be 1 or more"):
        allocate([5, 5], 0)


def test_strata_are_rejected_accepted_and_untold():
    scores = np.array([0.5, 0.51, math.nan, 0.0, 1.0])
    assert [part.tolist() for part in strata_by_score(scores)] == [[0, 3], [1, 4], [2]]


@given(SCORES, st.integers(1, 400), st.integers(0, 5))
def test_a_draw_is_without_replacement_within_strata(scores, n, seed):
    scores = np.array(scores)
    members = strata_by_score(scores)
    drawn = draw(scores, n, np.random.default_rng(seed))
    assert [len(part) for part in drawn] == allocate([len(part) for part in members], n)
    for part, of in zip(drawn, members):
        assert len(set(part.tolist())) == len(part)
        assert set(part.tolist()) <= set(of.tolist())


@given(SCORES, st.integers(1, 200), st.integers(0, 200), st.integers(0, 5))
def test_a_larger_draw_of_a_seed_holds_the_smaller(scores, n, more, seed):
    scores = np.array(scores)
    small, large = (draw(scores, m, np.random.default_rng(seed)) for m in (n, n + more))
    for few, many in zip(small, large):
        assert many[: len(few)].tolist() == few.tolist()


def test_every_triple_of_a_stratum_is_drawn_as_often():
    scores = np.r_[np.zeros(20), np.ones(40)]
    rng = np.random.default_rng(3)
    times = np.bincount(
        np.concatenate([np.concatenate(draw(scores, 30, rng)) for _ in range(4000)]), minlength=60
    )
    # 10 of 20 and 20 of 40: each in half of the draws, give or take 4.5 standard deviations.
    assert times == pytest.approx(np.full(60, 2000), abs=145)


@pytest.mark.parametrize(("accepted", "rejected"), [(0.95, 0.10), (0.9, 0.4), (0.8, 0.8)])
@pytest.mark.parametrize("n", [50, 200])
def test_nineteen_of_twenty_intervals_hold_the_truth(accepted, rejected, n):
    sizes = np.array([400, 1600])
    right = np.round(sizes * [rejected, accepted]).astype(int)
    numbers = allocate(sizes.tolist(), n)
    rng = np.random.default_rng(n)
    draws = rng.hypergeometric(right, sizes - right, numbers, size=(3000, 2))
    truth, held = right.sum() / 2000, 0
    for one in draws.tolist():
        found = stratified_estimate([Stratum(*s) for s in zip(sizes.tolist(), numbers, one)])
        held += found.low <= truth <= found.high
    assert 0.935 < held / 3000 < 0.995


def test_the_example_of_the_page_runs(capsys):
    [example] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    rng = np.random.default_rng(7)
    right = rng.random(3000) < 0.8
    scores = np.where(right, 0.9, 0.1)
    exec(example, {"scores": scores, "right": right})
    value, low, high = map(float, capsys.readouterr().out.split())
    # The scores tell right from wrong, so the drawn ones are all right or all wrong.
    assert value == pytest.approx(right.mean())
    assert 0 < value - low < 0.03 and 0 < high - value < 0.03
