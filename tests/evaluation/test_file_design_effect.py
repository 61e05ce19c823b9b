import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqapg.evaluation.file_design_effect import file_design_effect
from vqapg.evaluation.stratified import Stratum, stratified_estimate

# Triples of a file that is judged whole: stratum, image, right.
FILES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 4), st.booleans()), min_size=1, max_size=25
)


def strata_of(stratum, right, size=None):
    """The strata of judged triples; all of the file, or of *size* triples each."""
    stratum, right = np.array(stratum), np.array(right)
    counts = [(int((stratum == one).sum()), int(right[stratum == one].sum())) for one in range(3)]
    return [Stratum(judged if size is None else size, judged, good) for judged, good in counts]


@given(FILES)
def test_effect_of_a_file_judged_whole_is_exact(file):
    stratum, image, right = zip(*file)
    share, pairs, together = np.mean(right), 0, 0.0
    for first in range(len(file)):
        for second in range(len(file)):
            if first != second and image[first] == image[second]:
                pairs += 1
                together += (right[first] - share) * (right[second] - share)
    most = 1 + pairs / len(file)
    expected = most
    if 0 < share < 1:
        expected = 1 + max(0, together / (len(file) * share * (1 - share)))
    found = file_design_effect(strata_of(stratum, right), stratum, image, right)
    assert found == pytest.approx(min(expected, most))


def test_effect_by_hand_where_a_triple_stands_for_several():
    # 10 of 40 and 10 of 10 are judged. A pair within the first stands for 40 * 39 / (10 * 9), and
    # one across for 4.
    strata = [Stratum(40, 10, 5), Stratum(10, 10, 5)]
    stratum = [0] * 10 + [1] * 10
    right = [True, False] * 10
    # Two right ones of one image in the first stratum, and one right in each of another image.
    image = ["a", "u", "a", "v", "b", *range(5), "b", *range(10, 19)]
    assert stratified_estimate(strata).value == 0.5
    pairs = 2 * 40 * 39 / 90 + 2 * 4
    assert file_design_effect(strata, stratum, image, right) == pytest.approx(1 + pairs / 50)
    # The second of "a" is wrong: only the pair of "b" is alike.
    right[2:4] = right[3], right[2]
    alike = 2 * 4 - 2 * 40 * 39 / 90
    assert alike < 0 and file_design_effect(strata, stratum, image, right) == 1


def test_effect_of_triples_of_different_images_is_1():
    strata = [Stratum(100, 20, 10)]
    found = file_design_effect(strata, [0] * 20, range(20), [True, False] * 10)
    assert found == pytest.approx(1)


def superpopulation(rng, images, correlation):
    """Ten triples of each image, three quarters right: whether right, whether accepted."""
    count = 1 / correlation - 1
    rates = rng.beta(0.75 * count, 0.25 * count, size=(images, 1))
    right = (rng.random((images, 10)) < rates).ravel()
    return right, np.where(rng.random(len(right)) < 0.9, right, ~right)


def draw(rng, right, accepted, n):
    """The strata, and stratum, image and right of the *n* judged triples."""
    members = [np.flatnonzero(accepted == one) for one in (False, True)]
    drawn = [rng.permutation(m)[: round(n * len(m) / len(right))] for m in members]
    strata = [Stratum(len(m), len(d), int(right[d].sum())) for m, d in zip(members, drawn)]
    stratum = np.repeat([0, 1], [len(d) for d in drawn])
    judged = np.concatenate(drawn)
    return strata, stratum, (judged // 10).tolist(), right[judged].tolist()


def test_effect_from_a_sample_is_near_the_files():
    rng = np.random.default_rng(1)
    right, accepted = superpopulation(rng, 60, 0.45)
    whole = draw(rng, right, accepted, len(right))
    sampled = [file_design_effect(*draw(rng, right, accepted, 200)) for _ in range(300)]
    assert file_design_effect(*whole) == pytest.approx(np.mean(sampled), rel=0.05)
    assert 3.5 < file_design_effect(*whole) < 7  # 1 + 9 * 0.45 = 5.05 of all such files


@pytest.mark.parametrize("images", [60, 600])
def test_interval_beyond_the_file_holds_for_other_images(images):
    rng, held, alone = np.random.default_rng(images), 0, 0
    for _ in range(400):
        judged = draw(rng, *superpopulation(rng, images, 0.45), 200)
        estimate = stratified_estimate(judged[0])
        low, high = estimate.beyond_file(file_design_effect(*judged))
        held += low <= 0.75 <= high
        alone += estimate.low <= 0.75 <= estimate.high
    assert held / 400 > 0.925 and alone < held
