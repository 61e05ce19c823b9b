import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from vqapg.data.directory import Pair
from vqapg.data.swapped_images import Swap, choose_swaps
from vqapg.evaluation.image_swap import ImageSwap

COLOURS = ["red", "blue", "teal"]
# Of each image its colour, and a question that no other image is asked.
PAIRS = [
    pair
    for i in range(30)
    for pair in (
        Pair(f"{i}.png", "what color ?", COLOURS[i % 3]),
        Pair(f"{i}.png", f"who {i} ?", f"name {i}"),
    )
]


def right(image, question, answer):
    """A judge that knows colours, and takes names for right on even images."""
    number = int(image.removesuffix(".png"))
    if question.startswith("what"):
        return 0.9 if answer == COLOURS[number % 3] else 0.1
    return 0.6 if number % 2 == 0 else 0.4


def scores_of(test, judge):
    return {triple: judge(*triple) for triple in test.triples}


def test_swap_is_an_image_of_which_the_pair_is_wrong():
    listed = set(PAIRS)
    swaps = choose_swaps(PAIRS, PAIRS, np.random.default_rng(0))
    for pair, swap in zip(PAIRS, swaps):
        assert swap.image != pair.image
        assert (swap.image, pair.question, pair.answer) not in listed
        # The same question is asked of another image, where it can be, with another answer.
        assert swap.same_question == pair.question.startswith("what")
        if swap.same_question:
            (other,) = [p for p in PAIRS if p[:2] == (swap.image, pair.question)]
            assert other.answer != pair.answer


def test_every_image_that_serves_comes():
    pair = PAIRS[0]
    drawn = {choose_swaps([pair], PAIRS, np.random.default_rng(s))[0].image for s in range(300)}
    assert drawn == {f"{i}.png" for i in range(30) if i % 3}


def test_answers_that_vqa_takes_for_equal_do_not_differ():
    pairs = [Pair("a.png", "is it ?", "yes"), Pair("b.png", "is it ?", "yes .")]
    assert choose_swaps(pairs, pairs, np.random.default_rng(0)) == [None, None]
    pairs.append(Pair("b.png", "where is it ?", "here"))
    generator = np.random.default_rng(0)
    assert choose_swaps(pairs[:1], pairs, generator) == [Swap("b.png", False)]


def test_image_with_the_same_pair_is_none_to_swap_with():
    # The question is asked twice of b, and answered in two ways, one of which is a's.
    pairs = [
        Pair("a.png", "what ?", "red"),
        Pair("b.png", "what ?", "red"),
        Pair("b.png", "what ?", "blue"),
    ]
    assert choose_swaps(pairs[:1], pairs, np.random.default_rng(0)) == [None]
    test = ImageSwap(pairs[:1], pairs, seed=1)
    found = test.figures({}, 1, 10)
    assert found["without_another_image"] == 1 and found["pairs"] == 0
    assert found["auc"] == {"value": None, "n": 0, "ci95": None}


def test_figures_are_those_of_a_slow_count():
    test = ImageSwap(PAIRS, PAIRS, seed=3)
    scores = scores_of(test, right)
    found = test.figures(scores, 1, 50)
    for name, wanted in ((None, PAIRS), ("same_question", [p for p in PAIRS if "what" in p[1]])):
        figures = found[name] if name else found
        own = [scores[p] for p in wanted]
        other = [scores[t] for p, t in zip(test.pairs, test.swapped) if p in wanted]
        labels = [1] * len(own) + [0] * len(other)
        assert figures["auc"]["value"] == pytest.approx(roc_auc_score(labels, [*own, *other]))
        higher = np.mean([1 if a > b else 0.5 if a == b else 0 for a, b in zip(own, other)])
        assert figures["own_higher"]["value"] == pytest.approx(higher)
        assert figures["pairs"] == len(wanted) == figures["own_higher"]["n"]
    assert found["same_question"]["auc"]["value"] == 1


def test_blind_judge_scores_one_half():
    test = ImageSwap(PAIRS, PAIRS, seed=3)
    # It likes some texts, and does not look.
    blind = {t: len(t[1] + t[2]) / 40 for t in test.triples}
    found = test.figures(blind, 1, 50)
    assert found["auc"]["value"] == found["own_higher"]["value"] == 0.5
    assert found["auc"]["ci95"] == pytest.approx([0.5, 0.5])


def test_pair_that_the_judge_cannot_tell_of_is_left_out():
    test = ImageSwap(PAIRS, PAIRS, seed=3)
    # Of one pair with its own image, of another with the other image
    unsure = scores_of(test, right) | {test.pairs[0]: np.nan, test.swapped[3]: np.nan}
    found = test.figures(unsure, 1, 50)
    assert found["untold"] == 2 and found["pairs"] == 58
    assert 0 < found["auc"]["value"] < 1


def test_interval_draws_the_images_of_the_pairs():
    # All pairs of an image agree. With the pair as unit the interval would be far narrower.
    pairs = [
        Pair(f"{i}.png", f"who {i} {j} ?", f"name {i} {j}") for i in range(8) for j in range(40)
    ]
    test = ImageSwap(pairs, pairs, seed=1)
    own = set(pairs)
    scores = {
        t: 0.5 + (t in own) * (0.3 if int(t[1].split()[1]) < 4 else -0.3) for t in test.triples
    }
    low, high = test.figures(scores, 1, 500)["own_higher"]["ci95"]
    assert low < 0.3 and high > 0.7
