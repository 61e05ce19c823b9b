import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqapg.errors import InputError
from vqapg.evaluation.paired import (
    Part,
    allocate_paired,
    paired_difference,
)
from vqapg.evaluation.stratified import Stratum, stratified_estimate

FILES = st.lists(st.integers(0, 60), min_size=1, max_size=60, unique=True)


def judged_whole(first, second, right):
    """The parts of two files of which every triple is judged."""
    first, second = set(first), set(second)
    parts = {"first": first - second, "second": second - first, "both": first & second}
    return [Part(one, Stratum(len(of), len(of), len(of & right))) for one, of in parts.items()]


@given(FILES, FILES, st.sets(st.integers(0, 60)))
def test_a_difference_of_files_judged_whole_is_exact(first, second, right):
    found = paired_difference(judged_whole(first, second, right))
    shares = [sum(triple in right for triple in file) / len(file) for file in (first, second)]
    assert found.value == pytest.approx(shares[0] - shares[1])
    assert found.low == found.value == found.high
    assert found.more_for(0.01) == 0


@st.composite
def parts(draw):
    size = draw(st.integers(1, 100))
    judged = draw(st.integers(1, size))
    owner = draw(st.sampled_from(["first", "second", "both"]))
    return Part(owner, Stratum(size, judged, draw(st.integers(0, judged))))


@given(st.lists(parts(), min_size=1, max_size=6), st.randoms())
def test_exchanging_the_files_turns_the_sign(of, random):
    of = [*of, Part("first", Stratum(40, 10, 5)), Part("second", Stratum(30, 10, 5))]
    other = {"first": "second", "second": "first", "both": "both"}
    found = paired_difference(of)
    turned = paired_difference(
        [Part(other[part.owner], part.stratum) for part in random.sample(of, len(of))]
    )
    assert (turned.value, turned.low, turned.high) == pytest.approx(
        (-found.value, -found.high, -found.low)
    )
    assert -1 <= found.low <= found.value <= found.high <= 1


def test_files_without_shared_triples_differ_by_their_estimates():
    one = [Stratum(300, 30, 6), Stratum(700, 70, 66)]
    other = [Stratum(100, 20, 3), Stratum(400, 80, 70)]
    found = paired_difference(
        [*(Part("first", part) for part in one), *(Part("second", part) for part in other)]
    )
    a, b = stratified_estimate(one), stratified_estimate(other)
    assert found.value == pytest.approx(a.value - b.value)
    assert found.low == pytest.approx(found.value - math.hypot(a.value - a.low, b.high - b.value))
    assert found.high == pytest.approx(found.value + math.hypot(a.high - a.value, b.value - b.low))
    assert found.judged == 200


def test_shared_triples_cancel_where_files_are_equally_long():
    apart = [Part("first", Stratum(100, 50, 40)), Part("second", Stratum(100, 50, 30))]
    found = [paired_difference([*apart, Part("both", Stratum(900, n, 0))]) for n in (0, 300)]
    # 100 of 1,000 triples: a difference of 0.2 among them is one of 0.02.
    for one in found:
        assert one.value == pytest.approx(0.1 * (0.8 - 0.6))
    assert (found[0].low, found[0].high) == (found[1].low, found[1].high)
    assert found[0].more_for(0.001) == found[1].more_for(0.001)


def test_unjudged_shared_triples_bound_by_their_weight():
    # 200 shared of 300 and of 400: they weigh 200/300 - 200/400 = 1/6, all right or all wrong.
    found = paired_difference(
        [
            Part("first", Stratum(100, 100, 80)),
            Part("second", Stratum(200, 200, 100)),
            Part("both", Stratum(200, 0, 0)),
        ]
    )
    apart = 80 / 300 - 100 / 400
    assert (found.low, found.high) == pytest.approx((apart, apart + 1 / 6))
    assert found.value == pytest.approx(apart + 1 / 12)


def test_equal_files_do_not_differ_without_any_judgement():
    found = paired_difference([Part("both", Stratum(500, 0, 0))])
    assert (found.value, found.low, found.high, found.more_for()) == (0, 0, 0, 0)


def test_files_that_differ_need_judgements():
    with pytest.raises(InputError, match="no pair is judged right or wrong yet"):
        paired_difference([Part("first", Stratum(5, 0, 0)), Part("second", Stratum(5, 0, 0))])


@pytest.mark.parametrize(("owner", "missing"), [("first", "second"), ("second", "first")])
def test_a_file_without_triples_is_an_error(owner, missing):
    with pytest.raises(InputError, match=f"the {missing} of the two files has no well-formed pair"):
        paired_difference([Part(owner, Stratum(5, 5, 5))])


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        # N = 1,000 each: the weights are 0.3 and 0.1, twice; nothing of what both have.
        (
            [("first", 300), ("first", 100), ("second", 300), ("second", 100), ("both", 600)],
            [75, 25, 75, 25, 0],
        ),
        # N = 400 and 800: 200/400, 600/800, and 200 (1/400 - 1/800) = 1/4 of 1.5.
        ([("first", 200), ("second", 600), ("both", 200)], [67, 100, 33]),
        # At least ten, or all, of what one file has; a part is judged whole at most.
        ([("first", 20), ("second", 15), ("second", 5), ("both", 980)], [20, 15, 5, 0]),
        ([("first", 1000), ("second", 990), ("second", 10)], [100, 99, 10]),
        ([("both", 50)], [0]),
    ],
)
def test_allocation_follows_the_weights(sizes, expected):
    assert allocate_paired(sizes, 200) == expected


def test_no_pair_to_compare_by_is_an_error():
    with pytest.raises(InputError, match="n 0: must be 1 or more"):
        allocate_paired([("first", 5), ("second", 5)], 0)


@pytest.mark.parametrize("longer", [0, 400])
def test_intervals_hold_the_difference(longer):
    rng = np.random.default_rng(longer)
    owner = ["first"] * 500 + ["second"] * (500 + longer) + ["both"] * 600
    chance = np.repeat([0.8, 0.7, 0.9], [500, 500 + longer, 600])
    truth = rng.random(len(owner)) < chance
    scores = np.where(rng.random(len(owner)) < 0.9, truth, ~truth).astype(float)
    is_of = np.array(owner)
    difference = truth[is_of != "second"].mean() - truth[is_of != "first"].mean()
    members = [
        (one, np.flatnonzero((is_of == one) & (scores == score)))
        for one in ("first", "second", "both")
        for score in (0, 1)
    ]
    numbers = allocate_paired([(one, len(part)) for one, part in members], 150)
    held = 0
    for _ in range(1000):
        drawn = [rng.permutation(part)[:number] for (_, part), number in zip(members, numbers)]
        found = paired_difference(
            [
                Part(one, Stratum(len(part), len(of), int(truth[of].sum())))
                for (one, part), of in zip(members, drawn)
            ]
        )
        held += found.low <= difference <= found.high
    assert 0.93 < held / 1000 < 0.997
