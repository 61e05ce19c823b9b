import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqapg.evaluation import vendi
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.vendi import vendi_figure, vendi_figures

# (image, question) of some pairs; repeats and short questions among them.
SAID = st.lists(
    st.tuples(
        st.sampled_from("xyz"),
        st.lists(st.sampled_from("abc"), min_size=1, max_size=5).map(" ".join),
    ),
    min_size=1,
    max_size=12,
)


def figures_of(said, **options):
    """The figures of [(image, question), ...], each answered "z"."""
    pairs = [
        GeneratedPair(n, image, question, "z", 0.0) for n, (image, question) in enumerate(said)
    ]
    return Figures(pairs, **options)


def grams(text, length):
    tokens = text.split()
    return [tuple(tokens[start : start + length]) for start in range(len(tokens) - length + 1)]


def similarity(first, second):
    """The mean of two cosines, of words and of two-word sequences, counted one by one."""
    cosines = []
    for length in (1, 2):
        ours, theirs = grams(first, length), grams(second, length)
        dot = sum(1 for a in ours for b in theirs if a == b)
        norms = [sum(1 for a in some for b in some if a == b) for some in (ours, theirs)]
        cosines.append(dot / math.sqrt(norms[0] * norms[1]))
    return sum(cosines) / 2


def slow_score(texts):
    """Definition 3.1, with a row of K for every text, repeats included."""
    kernel = np.array([[similarity(a, b) for b in texts] for a in texts])
    values = np.linalg.eigvalsh(kernel / len(texts))
    return math.exp(-sum(value * math.log(value) for value in values if value > 1e-12))


def test_unlike_pairs_score_their_number_and_equal_ones_1():
    unlike = [("x", "a a"), ("x", "b b"), ("y", "c c")]
    # Every answer is z: without it they have nothing in common.
    pairs = [GeneratedPair(n, i, q, f"answer{n}", 0.0) for n, (i, q) in enumerate(unlike)]
    assert vendi_figures(Figures(pairs, resamples=5))["vendi"]["value"] == pytest.approx(3)
    found = vendi_figures(figures_of([("x", "a b")] * 3 + [("y", "a b")], resamples=5))
    assert found["vendi"]["value"] == pytest.approx(1) and found["vendi"]["n"] == 4
    assert found["vendi"]["ci95"] == pytest.approx([1, 1])
    assert found["vendi_distinct_triples"]["n"] == 2


def test_two_halves_alike_by_hand():
    # "a z" and "b z": the cosine of words is 1/2, of two-word sequences 0, so K has 1/4 beside
    # its diagonal, and K / 2 the eigenvalues 5/8 and 3/8.
    found = vendi_figures(figures_of([("x", "a"), ("x", "b")], resamples=5))["vendi"]
    entropy = -5 / 8 * math.log(5 / 8) - 3 / 8 * math.log(3 / 8)
    assert found["value"] == pytest.approx(math.exp(entropy))
    assert found["ci95"] is None  # one image


@given(SAID)
def test_score_is_that_of_the_whole_kernel(said):
    figures = figures_of(said, resamples=5)
    found = vendi_figures(figures)
    assert found["vendi"]["value"] == pytest.approx(slow_score(figures.texts))
    distinct = found["vendi_distinct_triples"]["value"]
    assert distinct == pytest.approx(slow_score(figures.triple_texts))


def test_both_sides_of_the_matrix_give_one_score():
    # Of two words: more texts than n-grams. Of words of their own: more n-grams than texts.
    rng = np.random.default_rng(0)
    few = [("x", " ".join(rng.choice(list("ab"), 6))) for _ in range(60)]
    many = [("x", f"a{n} b{n} c{n % 3}") for n in range(9)]
    for said, wide in ((few, False), (many, True)):
        figures = figures_of(said, resamples=5)
        shape = vendi.vectors_of(list(dict.fromkeys(figures.texts))).shape
        assert (shape[1] > shape[0]) is wide
        assert vendi_figures(figures)["vendi"]["value"] == pytest.approx(slow_score(figures.texts))


def test_interval_is_near_that_of_scores_of_resamples():
    rng = np.random.default_rng(1)
    words = [f"w{n}" for n in range(30)]
    said = []
    for image in range(60):
        known = rng.choice(words, 1 + image % 4)  # images differ in how much is said of them
        said += [(f"{image}.png", " ".join(rng.choice(known, 3))) for _ in range(4)]
    figures = figures_of(said, resamples=300, seed=2)
    found = vendi_figures(figures)["vendi"]
    vectors = vendi.vectors_of(figures.texts)
    slow = []
    for drawn in figures.bootstrap.weights:
        weights = drawn[figures.image].astype(float)
        kept = weights > 0
        weights = weights[kept] / weights.sum()
        slow.append(math.exp(weights @ vendi.contributions(vectors[np.flatnonzero(kept)], weights)))
    spread = np.subtract(*np.percentile(slow, [97.5, 2.5]))
    low, high = found["ci95"]
    assert low < found["value"] < high
    assert high - low == pytest.approx(spread, rel=0.25)


def test_larger_files_are_scored_by_a_seeded_sample():
    said = [("xy"[n % 2], f"a{n // 2} b{n // 2}") for n in range(40)]  # each text twice
    one, again, other = (figures_of(said, resamples=5, seed=seed) for seed in (2, 2, 3))
    found = [vendi_figure(f, f.image, f.texts, largest=10) for f in (one, again, other)]
    assert found[0] == found[1] and found[0]["n"] == 10
    drawn = np.random.default_rng(2).choice(40, 10, replace=False)
    assert len({place // 2 for place in drawn}) < 10
    expected = slow_score([one.texts[place] for place in drawn])
    assert found[0]["value"] == pytest.approx(expected)
    # Not more than 10 different texts: the whole file, exactly.
    few = figures_of(said[:20] * 2, resamples=5)
    assert vendi_figure(few, few.image, few.texts, largest=10)["n"] == 40


def test_nothing_has_no_score():
    nothing = vendi_figures(Figures([GeneratedPair(0, "x", None, None, 0.0)], resamples=5))
    assert nothing["vendi"] == {"value": None, "n": 0, "ci95": None}
