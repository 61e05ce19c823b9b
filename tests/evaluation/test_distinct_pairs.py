from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.distinct_pairs import distinct_pairs_per_image
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.generated import GeneratedPair

# (image, question); None: malformed
SAID = st.lists(
    st.tuples(st.sampled_from("xyz"), st.sampled_from(["a", "b", "c", None])), min_size=1
)


def measure(said):
    pairs = [
        GeneratedPair(n, image, question, question and "z", 0.0)
        for n, (image, question) in enumerate(said)
    ]
    return distinct_pairs_per_image(Figures(pairs, resamples=20, seed=3))


def test_distinct_pairs_an_image_by_hand():
    # x: a and b; y: a; z: nothing but a malformed one.
    found = measure([("x", "a"), ("x", "a"), ("x", "b"), ("y", "a"), ("z", None)])
    assert (found["value"], found["n"]) == (1.0, 3)
    assert found["ci95"] == ImageBootstrap(3, 20, 3).mean([0, 1, 2], [2, 1, 0], (0, 9))


@given(SAID)
def test_distinct_pairs_an_image_are_the_obvious_mean(said):
    images = {image for image, _ in said}
    sizes = [len({q for i, q in said if i == image and q is not None}) for image in images]
    found = measure(said)
    assert (found["value"], found["n"]) == (approx(sum(sizes) / len(images)), len(images))
