from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqapg.sampling.choose import choose, pair_similarity


def slowly(scores, similarity, keep, minimum, diversity):
    """Maximal marginal relevance as it is written: every value anew for every choice."""
    left = [place for place in range(len(scores)) if minimum is None or scores[place] >= minimum]
    chosen = []
    while left and (keep is None or len(chosen) < keep):

        def value(place):
            if not chosen:
                return scores[place]
            return (1 - diversity) * scores[place] - diversity * max(
                similarity[place][other] for other in chosen
            )

        best = max(left, key=lambda place: (value(place), -place))
        chosen.append(best)
        left.remove(best)
    return chosen


@st.composite
def cases(draw):
    size = draw(st.integers(0, 7))
    # Few different numbers, so that equals are common
    numbers = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
    scores = draw(st.lists(numbers, min_size=size, max_size=size))
    upper = np.array(draw(st.lists(numbers, min_size=size * size, max_size=size * size))).reshape(
        size, size
    )
    similarity = np.triu(upper, 1) + np.triu(upper, 1).T + np.eye(size)
    return (
        scores,
        similarity,
        draw(st.none() | st.integers(1, 8)),
        draw(st.none() | numbers),
        draw(numbers),
    )


@given(cases())
def test_equals_the_slow_reference(case):
    assert choose(*case) == slowly(*case)


def test_by_hand():
    scores = [0.9, 0.8, 0.7, 0.1]
    similarity = np.array([[1, 1, 0.2, 0], [1, 1, 0.2, 0], [0.2, 0.2, 1, 0], [0, 0, 0, 1]])
    # At 0.5: after 0, pair 1 is worth 0.4 - 0.5, pair 2 0.35 - 0.1, pair 3 0.05.
    assert choose(scores, similarity, keep=3, diversity=0.5) == [0, 2, 3]
    assert choose(scores, similarity, keep=3, diversity=0) == [0, 1, 2]
    assert choose(scores, similarity, keep=2, diversity=1) == [0, 3]
    assert choose(scores, similarity, keep=3, minimum=0.5, diversity=0.5) == [0, 2, 1]
    assert choose(scores, similarity, minimum=0.95) == []


def test_of_a_question_only_the_best_answer_is_kept():
    scores, questions = [0.6, 0.9, np.nan, 0.5, 0.5], ["a", "a", "b", "b", "c"]
    alike = np.eye(5)
    for diversity in (0.5, 1):
        kept = choose(scores, alike, keep=5, diversity=diversity, questions=questions)
        assert kept[0] == 1 and sorted(kept) == [1, 3, 4]
    # Pair 0 is less like the first choice than pair 1, the better answer, which is kept.
    alike = np.eye(3) + np.array([[0, 0, 0], [0, 0, 0.9], [0, 0.9, 0]])
    assert choose([0.6, 0.7, 0.9], alike, keep=3, questions=["a", "a", "b"]) == [2, 1]


def test_similarity_is_the_share_of_common_words_and_word_pairs():
    pairs = [
        ("is it red ?", "yes"),
        ("is it blue ?", "yes"),
        ("what is it ?", "a cat"),
        ("is it red ?", "no"),
    ]
    similarity = pair_similarity(pairs)
    # {is it red ? yes, is-it it-red red-? ?-yes} and {is it blue ? yes, is-it it-blue blue-?
    # ?-yes}: 6 of 12
    assert similarity[0, 1] == pytest.approx(6 / 12)
    assert similarity[0, 3] == 1  # one question, two answers
    texts = [f"{question} {answer}".split() for question, answer in pairs]
    sets = [{*words, *pairwise(words)} for words in texts]
    for one in range(4):
        for other in range(4):
            if {one, other} != {0, 3}:
                shared = len(sets[one] & sets[other]) / len(sets[one] | sets[other])
                assert similarity[one, other] == pytest.approx(shared)


def test_no_pairs():
    assert pair_similarity([]).shape == (0, 0) and choose([], pair_similarity([]), keep=3) == []
