"""A model that says the same of most images is told of."""

import pytest

from vqapg.sampling.repetition import repetition


def entries(*of_images):
    return [
        {"pairs": [{"question": f"{word}?", "answer": "yes"} for word in words]}
        for words in of_images
    ]


def test_pair_of_most_images_is_told_with_both_numbers():
    told = repetition(entries(*["ab"] * 8, "c", "d", "e", "f"))
    assert told.startswith("'a? yes' is said of 8 of 12 images; 6 distinct pairs in all")


def test_single_pair_of_all_images_is_told_in_the_singular():
    assert repetition(entries(*["a"] * 10)).endswith("; 1 distinct pair in all")


def test_pair_is_told_without_its_full_stop():
    found = [{"pairs": [{"question": "when?", "answer": "daytime."}]}] * 10
    assert repetition(found).startswith("'when? daytime' is said of 10 of 10 images")


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(entries(*["a"] * 9), id="few images"),
        pytest.param(entries(*["a"] * 5, *"bcdef"), id="half of the images"),
        pytest.param(entries(*[""] * 20), id="no pair"),
        pytest.param([], id="no image"),
    ],
)
def test_nothing_is_told_where_nothing_repeats_or_is_known(found):
    assert repetition(found) is None


def test_images_without_a_pair_do_not_count():
    assert "10 of 10 images" in repetition(entries(*["a"] * 10, *[""] * 20))
