import math

import numpy as np
import pytest

from vqapg.errors import InputError
from vqapg.evaluation.drawn_by_image import design_effect, estimate_drawn_by_image
from vqapg.evaluation.proportions import student_t, wilson

ENDLESS = 10**15


def test_design_effect_of_images_that_are_all_one_or_other():
    # Of 10 images with 6 pairs each, 5 are right as a whole: 60 judgements count for 9.
    right = np.repeat([1, 0], 30)
    image = np.repeat(np.arange(10), 6)
    assert design_effect(right - 0.5, image) == pytest.approx(6 * 10 / 9)


def test_design_effect_is_the_obvious_loop():
    rng = np.random.default_rng(5)
    image = [f"{number}.png" for number in rng.integers(8, size=50)]
    deviations = rng.normal(size=50) + np.array([int(name[0]) - 4 for name in image])
    sums = dict.fromkeys(image, 0.0)
    for name, deviation in zip(image, deviations):
        sums[name] += deviation
    expected = len(sums) / (len(sums) - 1) * sum(s**2 for s in sums.values())
    expected /= sum(d**2 for d in deviations)
    assert expected > 1.5
    assert design_effect(deviations, image) == pytest.approx(expected)
    # Only ratios count.
    assert design_effect(7 * deviations, image) == pytest.approx(expected)


def test_design_effect_is_never_below_1():
    # Each image has one right and one wrong pair, which is luck.
    assert design_effect([0.5, -0.5] * 20, np.repeat(np.arange(20), 2)) == 1


def test_design_effect_is_the_most_where_nothing_is_known():
    # 1 judgement shares its image with none, 3 share one of 3: (1 + 9) / 4.
    assert design_effect([0.0] * 4, ["a", "b", "b", "b"]) == 2.5
    assert design_effect([0.5, -0.5, 0.0], ["a"] * 3) == 3


def test_the_estimate_weights_strata_as_in_the_file():
    # 30 of 40 judged are accepted ones, in a file where half are.
    stratum = [1] * 30 + [0] * 10
    right = [True] * 24 + [False] * 6 + [True] * 2 + [False] * 8
    found = estimate_drawn_by_image([ENDLESS, ENDLESS], stratum, range(40), right)
    assert found.value == pytest.approx(0.5 * 24 / 30 + 0.5 * 2 / 10)
    # Each image has one pair, so the design effect is 40/39 and the quantile that of 39 degrees.
    t, down = student_t(39), 0.0
    for share, n in ((0.8, 30), (0.2, 10)):
        down += (0.5 * (share - float(wilson(share, n * 39 / 40, t).low))) ** 2
    spread = [*[0.2 / 60] * 24, *[0.8 / 60] * 6, *[0.8 / 20] * 2, *[0.2 / 20] * 8]
    assert pytest.approx(design_effect(spread, range(40))) == 40 / 39
    assert found.low == pytest.approx(found.value - math.sqrt(down))


def test_one_stratum_of_single_pairs_is_nearly_wilson():
    found = estimate_drawn_by_image(
        [ENDLESS], [0] * 1000, range(1000), [True] * 900 + [False] * 100
    )
    ends = wilson(0.9, 1000)
    assert (found.low, found.high) == pytest.approx((float(ends.low), float(ends.high)), abs=1e-4)


def test_judgements_of_one_image_say_nothing_of_others():
    found = estimate_drawn_by_image([5, 5], [0, 1], ["a", "a"], [True, False])
    assert (found.value, found.low, found.high) == (0.5, 0, 1)


def test_a_stratum_without_judgements_can_be_anything():
    found = estimate_drawn_by_image([100, 300], [1] * 300, range(300), [True] * 180 + [False] * 120)
    assert (found.low, found.high) == pytest.approx((0.45, 0.70))


def test_no_judgement_by_image_is_an_error():
    with pytest.raises(InputError, match="no pair is judged right or wrong yet"):
        estimate_drawn_by_image([5, 5], [], [], [])


def test_intervals_hold_the_truth_where_images_are_alike():
    # 200 images of 6 pairs, right together: a pair's chance is its image's, 0.3 or 1.
    rng = np.random.default_rng(2)
    chance = np.repeat(np.where(rng.random(200) < 0.7, 1.0, 0.3), 6)
    truth = rng.random(1200) < chance
    accepted = np.where(rng.random(1200) < 0.8, truth, ~truth).astype(int)
    sizes, held, held_plain = np.bincount(accepted).tolist(), 0, 0
    for _ in range(600):
        image = rng.choice(200, 20, replace=False)
        pairs = (image[:, None] * 6 + np.arange(6)).ravel()
        found = estimate_drawn_by_image(sizes, accepted[pairs], pairs // 6, truth[pairs])
        held += found.low <= truth.mean() <= found.high
        # As if the pairs had been drawn one by one.
        alone = wilson(truth[pairs].mean(), 120)
        held_plain += bool(alone.low <= truth.mean() <= alone.high)
    assert 0.92 < held / 600 < 0.995
    assert held_plain / 600 < 0.87
