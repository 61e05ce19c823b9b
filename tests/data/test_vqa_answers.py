import pytest

from vqapg.data.vqa_answers import answer_type, exact_match, normalise_answer, token_f1


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Yes", "yes"),
        ("  The  Dog ", "dog"),
        ("a cat and an owl", "cat and owl"),
        ("two", "2"),
        ("none", "0"),
        ("ten", "10"),
        ("eleven", "eleven"),
        ("dont know", "don't know"),
        ("don't know", "don't know"),
        ("its", "its"),
        ("ill", "ill"),
        ("girl's", "girl's"),
        ("2:50 p.m.", "2:50 pm"),
        ("100,978", "100978"),
        ("red, white", "red white"),
        ("red,white", "red white"),
        ("3.5", "3.5"),
        ("No.", "no"),
        ("u.s. 5.", "us 5"),
        ("t-shirt", "t shirt"),
        ("black/white!", "black white"),
        ("some_thing", "some thing"),
        ("the", ""),
        ("?", ""),
        ("café", "café"),
        # A sign beside a space, or a comma in a number, anywhere in the text, and all of them go
        # without a trace.
        ("red,white, blue", "redwhite blue"),
        ("1,000 t-shirts", "1000 tshirts"),
        ("100%", "100%"),
        (".5", ".5"),
        # The official table has the contractions that lack one apostrophe.
        ("couldntve", "couldntve"),
        ("couldn'tve", "couldn't've"),
        ("y'alldve", "y'alldve"),
        ("ow's'at", "'ow's'at"),
        ("id've", "id've"),
        ("somebody'd", "somebodyd"),
        ("couldnt've", "couldn't've"),
    ],
)
def test_normalisation_by_the_published_rules(text, expected):
    assert normalise_answer(text) == expected
    assert normalise_answer(expected) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Yes", "yes/no"),
        ("no.", "yes/no"),
        ("yes it is", "other"),
        ("Two", "number"),
        ("1,000", "number"),
        ("2.5", "number"),
        ("2:50", "other"),
        ("2 dogs", "other"),
        ("red", "other"),
        ("?", "other"),
    ],
)
def test_answer_types(text, expected):
    assert answer_type(text) == expected


def test_agreement_is_of_normalised_answers():
    assert exact_match("The two dogs.", "2 dogs") and not exact_match("dog", "dogs")


@pytest.mark.parametrize(
    "answer, reference, expected",
    [
        ("red", "red", 1.0),
        ("The red", "red!", 1.0),
        ("red", "blue", 0.0),
        # precision 1/2, recall 1/1
        ("dark red", "red", 2 / 3),
        # precision 2/3, recall 2/4
        ("on the wooden table", "table on left side", 4 / 7),
        # each word as often as it occurs: precision 1/2, recall 1/1
        ("red red", "red", 2 / 3),
        ("", "red", 0.0),
        ("the", "", 1.0),
    ],
)
def test_token_f1_by_hand(answer, reference, expected):
    assert token_f1(answer, reference) == pytest.approx(expected)
    assert token_f1(reference, answer) == pytest.approx(expected)
