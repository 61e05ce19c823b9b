import pytest

from vqapg.evaluation.figures import Figures, distinct_triples, number_items, pair_text
from vqapg.evaluation.generated import GeneratedPair

SAID = [
    ("b.png", "what ?", "red"),
    ("a.png", "what ?", "red"),
    ("a.png", None, None),
    ("c.png", None, None),
    ("b.png", "why ?", "so"),
    ("b.png", "what ?", "red"),
]
PAIRS = [GeneratedPair(number, *said, -1.0) for number, said in enumerate(SAID)]


def test_a_pair_counts_as_one_text():
    assert pair_text(GeneratedPair(0, "a.png", "what is it ?", "red", 0.0)) == "what is it ? red"


def test_equal_items_get_equal_numbers():
    assert number_items(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]


def test_distinct_triples_leave_out_repeats_and_malformed_pairs():
    assert distinct_triples(PAIRS) == [SAID[number] for number in (0, 1, 4)]


def test_pairs_and_triples_know_their_image_and_each_other():
    figures = Figures(PAIRS, resamples=10)
    assert figures.images == ["b.png", "a.png", "c.png"]
    assert figures.pairs == [PAIRS[number] for number in (0, 1, 4, 5)]
    assert figures.said.tolist() == [0, 1, 2, 0]
    assert figures.triple_image.tolist() == [0, 1, 0] and figures.image.tolist() == [0, 1, 0, 0]
    assert figures.triple_texts == ["what ? red", "what ? red", "why ? so"]
    assert figures.texts == ["what ? red", "what ? red", "why ? so", "what ? red"]


def test_values_and_counts_by_hand():
    figures = Figures(PAIRS, resamples=10)
    found = [
        figures.mean(figures.image, [1, 0, 0, 1]),
        figures.distinct_count(figures.image, figures.texts, (1, 4)),
        figures.distinct_ratio(figures.image, number_items(figures.texts)),
        figures.distinct_share(figures.image, figures.texts, lambda text: "why" in text),
        figures.of_sums(figures.image, figures.said[:, None], lambda sums: sums[:, 0] / 10),
    ]
    assert [(figure["value"], figure["n"]) for figure in found] == [
        (0.5, 4),
        (2, 4),
        (0.5, 4),
        (0.5, 2),
        (0.3, 4),
    ]
    for figure in found:
        low, high = figure["ci95"]
        assert low <= figure["value"] + 1e-9 and figure["value"] <= high + 1e-9


def test_figures_over_nothing_have_no_value():
    figures = Figures([PAIRS[2], PAIRS[3]], resamples=10)
    nothing = {"value": None, "n": 0, "ci95": None}
    assert figures.mean(figures.image, []) == nothing
    assert figures.distinct_ratio(figures.image, figures.said) == nothing
    assert figures.distinct_share(figures.image, [], lambda text: True) == nothing
    assert figures.of_sums(figures.image, figures.said[:, None], pytest.fail) == nothing
    assert figures.distinct_count(figures.image, [], (0, 5)) == {"value": 0, "n": 0, "ci95": None}
