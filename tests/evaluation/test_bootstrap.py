from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqapg.evaluation.bootstrap import ImageBootstrap

IMAGES = 6
# Everything said of the images: (image, number of what was said).
SAID = st.lists(st.tuples(st.integers(0, IMAGES - 1), st.integers(0, 4)), min_size=1, max_size=30)


# Of two images at least: the others have no interval but for counts.
SEVERAL = SAID.filter(lambda said: len({image for image, _ in said}) > 1)


def resampled_sets(bootstrap, said):
    """Slow and obvious: one image after the other, each with all that was said of it."""
    for weights in bootstrap.weights:
        drawn = [image for image, times in enumerate(weights) for _ in range(times)]
        yield [item for image in drawn for of, item in said if of == image]


def shifted(replicates, estimate, low, high):
    mean = sum(replicates) / len(replicates)
    return [
        min(max(np.percentile(replicates, q) - mean + estimate, low), high) for q in (2.5, 97.5)
    ]


def columns(said):
    return np.array(said).T


@given(SEVERAL)
def test_mean_is_the_obvious_loop(said):
    bootstrap = ImageBootstrap(IMAGES, resamples=40, seed=3)
    means = [sum(values) / len(values) for values in resampled_sets(bootstrap, said) if values]
    image, value = columns(said)
    assert bootstrap.mean(image, value, (0, 4)) == pytest.approx(shifted(means, value.mean(), 0, 4))


@given(SAID)
def test_distinct_count_is_the_obvious_loop(said):
    bootstrap = ImageBootstrap(IMAGES, resamples=40, seed=3)
    counts = [len(set(items)) for items in resampled_sets(bootstrap, said)]
    image, item = columns(said)
    expected = shifted(counts, len({item for _, item in said}), 1, 5)
    assert bootstrap.distinct_count(image, item, (1, 5)) == pytest.approx(expected)


@given(SEVERAL)
def test_distinct_ratio_is_the_obvious_loop(said):
    bootstrap = ImageBootstrap(IMAGES, resamples=40, seed=3)
    ratios = [len(set(items)) / len(items) for items in resampled_sets(bootstrap, said) if items]
    image, item = columns(said)
    expected = shifted(ratios, len({item for _, item in said}) / len(said), 0, 1)
    assert bootstrap.distinct_ratio(image, item) == pytest.approx(expected)


@given(SEVERAL, st.sets(st.integers(0, 4)))
def test_distinct_share_is_the_obvious_loop(said, chosen):
    bootstrap = ImageBootstrap(IMAGES, resamples=40, seed=3)
    sets = [set(items) for items in resampled_sets(bootstrap, said) if items]
    shares = [len(items & chosen) / len(items) for items in sets]
    image, item = columns(said)
    everything = set(item.tolist())
    if len(everything & chosen) in (0, len(everything)):  # see the test of one kind
        return
    expected = shifted(shares, len(everything & chosen) / len(everything), 0, 1)
    assert bootstrap.distinct_share(image, item, np.isin(item, list(chosen))) == pytest.approx(
        expected
    )


@given(SEVERAL)
def test_a_function_of_sums_is_the_obvious_loop(said):
    bootstrap = ImageBootstrap(IMAGES, resamples=40, seed=3)

    def root_of_mean_square(items):
        return (sum(item**2 for item in items) / len(items)) ** 0.5

    figures = [root_of_mean_square(items) for items in resampled_sets(bootstrap, said) if items]
    image, item = columns(said)
    parts = np.stack([item**2, np.ones(len(item))], axis=1)
    found = bootstrap.of_sums(image, parts, lambda sums: np.sqrt(sums[:, 0] / sums[:, 1]), (0, 4))
    assert found == pytest.approx(shifted(figures, root_of_mean_square(item), 0, 4))


def test_draws_are_images_with_replacement_by_seed():
    bootstrap = ImageBootstrap(5, resamples=7, seed=11)
    rng = np.random.default_rng(11)
    for row in bootstrap.weights:
        drawn = Counter(rng.integers(5, size=5).tolist())
        assert row.tolist() == [drawn[image] for image in range(5)]
    assert (ImageBootstrap(5, 7, seed=12).weights != bootstrap.weights).any()


def test_the_unit_is_the_image():
    rng = np.random.default_rng(0)
    value = rng.integers(2, size=300).astype(float)
    image = np.arange(300)
    bootstrap = ImageBootstrap(300, seed=1)
    once = bootstrap.mean(image, value)
    # Saying of every image the same thing five times is no new evidence.
    assert bootstrap.mean(np.repeat(image, 5), np.repeat(value, 5)) == pytest.approx(once)
    # With one value an image, the interval is the textbook one.
    half_width = 1.96 * value.std() / np.sqrt(300)
    assert once == pytest.approx(
        [value.mean() - half_width, value.mean() + half_width], abs=0.1 * half_width
    )


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_share_of_one_kind_has_wilsons_interval_of_the_images(share):
    # 12 values of 4 images; 2 more images have none.
    image, value = np.arange(12) % 4, np.full(12, share)
    bootstrap = ImageBootstrap(6)
    z = 1.959964
    reach = z**2 / (4 + z**2)
    expected = [1 - reach, 1.0] if share else [0.0, reach]
    assert bootstrap.mean(image, value) == pytest.approx(expected)
    assert bootstrap.distinct_share(image, image, value == 1) == pytest.approx(expected)


@pytest.mark.parametrize("images", [10, 40, 200])
def test_interval_of_a_rare_thing_holds_it(images):
    """Where one image of fifty is wrong, most small samples see none. Zero width would miss it."""
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(300):
        value = (rng.random(images) < 0.98).astype(float)
        low, high = ImageBootstrap(images, resamples=200, seed=seed).mean(np.arange(images), value)
        held += low <= 0.98 <= high
    assert held >= 0.85 * 300


def test_interval_of_a_distinct_count_holds_its_estimate():
    # 500 images, each with a string of its own: a resample holds about 316 of them.
    image = np.arange(500)
    low, high = ImageBootstrap(500).distinct_count(image, image, (1, 1000))
    assert 450 < low < 500 < high < 550


def test_bounds_are_cut_to_what_is_possible():
    image = np.arange(50)
    assert ImageBootstrap(50).distinct_count(image, image, (1, 50))[1] == 50
    assert ImageBootstrap(50).distinct_ratio(image, image)[1] == 1.0
    low, high = ImageBootstrap(50).mean(image, image / 10, possible=(2.4, 2.5))
    assert (low, high) == (2.4, 2.5)


def test_no_interval_from_one_image_or_of_nothing():
    one = np.zeros(3, dtype=int)
    nothing = np.zeros(0, dtype=int)
    assert ImageBootstrap(1).mean(one, [0.0, 1.0, 1.0]) is None
    assert ImageBootstrap(1).distinct_count(one, np.arange(3), (1, 3)) is None
    assert ImageBootstrap(1).distinct_ratio(one, np.arange(3)) is None
    assert ImageBootstrap(1).distinct_share(one, np.arange(3), np.ones(3, dtype=bool)) is None
    assert ImageBootstrap(1).of_sums(one, np.ones((3, 2)), lambda sums: sums[:, 0]) is None
    assert ImageBootstrap(4).mean(nothing, []) is None
    assert ImageBootstrap(4).distinct_count(nothing, nothing, (0, 3)) is None
    assert ImageBootstrap(4).distinct_ratio(nothing, nothing) is None
    assert ImageBootstrap(4).distinct_share(nothing, nothing, nothing.astype(bool)) is None
    assert ImageBootstrap(4).of_sums(nothing, np.ones((0, 2)), lambda sums: sums[:, 0]) is None


def test_no_interval_where_all_values_are_of_one_image_of_several():
    one = np.zeros(3, dtype=int)
    bootstrap = ImageBootstrap(4)
    assert bootstrap.mean(one, [0.0, 1.0, 1.0]) is None
    assert bootstrap.distinct_ratio(one, np.arange(3)) is None
    assert bootstrap.distinct_share(one, np.arange(3), np.ones(3, dtype=bool)) is None
    assert bootstrap.of_sums(one, np.ones((3, 2)), lambda sums: sums[:, 0]) is None
    # A resample without that image holds no item at all, which is a count.
    assert bootstrap.distinct_count(one, np.arange(3), (0, 3)) is not None


def test_a_statistic_leaves_out_resamples_that_have_none():
    bootstrap = ImageBootstrap(4, resamples=60, seed=3)
    value = np.array([1.0, 5.0, 2.0, 4.0])

    def mean_of_first_two(weights):
        drawn = weights[:2].sum()
        return weights[:2] @ value[:2] / drawn if drawn else np.nan

    replicates = [mean_of_first_two(row) for row in bootstrap.weights if row[:2].any()]
    assert 0 < len(replicates) < 60
    found = bootstrap.statistic(np.arange(4), mean_of_first_two, (0, 4.5))
    assert found == pytest.approx(shifted(replicates, 3.0, 0, 4.5))


def test_a_statistic_of_nothing_or_of_one_image_has_no_interval():
    bootstrap = ImageBootstrap(4, resamples=5)
    assert bootstrap.statistic(np.array([2, 2]), lambda weights: 1.0, (0, 1)) is None
    assert bootstrap.statistic(np.arange(4), lambda weights: np.nan, (0, 1)) is None
    assert bootstrap.statistic(np.arange(2), lambda weights: 1.0, (0, 1)) == [1, 1]


def test_the_interval_of_a_sum_is_about_the_whole_sum():
    bootstrap, image = ImageBootstrap(3, resamples=50, seed=3), np.array([0, 0, 1, 2])
    said = [(0, 1.0), (0, 2.0), (1, 3.0), (2, 4.0)]
    sums = [sum(items) for items in resampled_sets(bootstrap, said)]
    parts = np.array([[1.0], [2], [3], [4]])
    found = bootstrap.of_sums(image, parts, lambda sums: sums[:, 0], (0, 100))
    assert found == pytest.approx(shifted(sums, 10.0, 0, 100))
