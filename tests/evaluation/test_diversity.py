from hypothesis import given
from hypothesis import strategies as st

from vqapg.evaluation.diversity import distinct_4, four_grams, number_items, pair_text, unique_pairs
from vqapg.evaluation.generated import GeneratedPair

TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=8).map(" ".join), max_size=8)


def test_distinct_4_by_hand():
    # "a b c d e": abcd bcde; "a b c d": abcd; "a b c": none. 3 in all, 2 distinct.
    assert distinct_4(["a b c d e", "a b c d", "a b c"]) == 2 / 3


def test_four_grams_run_through_question_and_answer_but_not_from_pair_to_pair():
    pair = GeneratedPair(0, "a.png", "what is it ?", "red", 0.0)
    assert pair_text(pair) == "what is it ? red"
    assert distinct_4([pair_text(pair)]) == 1.0
    owner, gram = four_grams(["a b", "c d", "a b c d"])
    assert owner.tolist() == [2]


def test_nothing_has_no_distinct_4():
    assert distinct_4([]) is None
    assert distinct_4(["a b c"]) is None


def test_unique_pairs_by_hand():
    assert unique_pairs(["x ? a", "x ? a", "x ? b"]) == 2


def test_equal_items_get_equal_numbers():
    assert number_items(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]


@given(TEXTS)
def test_distinct_4_is_the_obvious_count(texts):
    windows = [text.split()[start : start + 4] for text in texts for start in range(8)]
    grams = [tuple(window) for window in windows if len(window) == 4]
    assert distinct_4(texts) == (len(set(grams)) / len(grams) if grams else None)
