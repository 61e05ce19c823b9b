import random

import pytest

from tests.support.scene_answers import all_answers
from vqapg.datasets import scene_grammar
from vqapg.datasets.scene_grammar import (
    Phrase,
    Question,
    answer_to,
    data_questions,
    parse,
    plain_answer,
    possible_answers,
    wordings,
)
from vqapg.datasets.scene_layout import Draws, Thing, draw_scene

RED_CIRCLE = Thing("red", "circle", 30, 90, 9)
RED_CROSS = Thing("red", "cross", 50, 40, 16)
BLUE_SQUARE = Thing("blue", "square", 100, 75, 15)
THINGS = (RED_CIRCLE, RED_CROSS, BLUE_SQUARE)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("is there a red circle ?", "yes"),
        ("is a blue circle present ?", "no"),
        ("does the image contain a triangle ?", "no"),
        ("what color is the cross ?", "red"),
        ("what shape is the blue object ?", "square"),
        ("what is the shape of the red object ?", None),  # there are two
        ("what color is the triangle ?", None),  # there is none
        ("what size is the circle ?", "small"),
        ("is the blue object small or large ?", "large"),
        ("is the square on the left or on the right ?", "right"),
        ("is the circle in the top or the bottom half ?", "bottom"),
        ("is the circle left of the cross ?", "yes"),
        ("is the circle above the cross ?", "no"),
        ("is the cross higher than the blue object ?", "yes"),
        ("is the red circle below the red cross ?", "yes"),
        ("is the square left of the blue object ?", None),  # they are one thing
        ("how many red objects are there ?", "2"),
        ("what is the number of triangles ?", "0"),
        ("are there more red objects than blue objects ?", "yes"),
        ("are there fewer circles than crosses ?", "no"),
        ("are there as many circles as crosses ?", "yes"),
        ("are the circle and the cross the same color ?", "yes"),
        ("is the circle the same color as the square ?", "no"),
        ("are the red circle and the blue object the same shape ?", "no"),
    ],
)
def test_answers_in_a_scene_by_hand(question, answer):
    assert answer_to(parse(question), THINGS) == answer


def test_every_wording_means_its_question():
    questions = list(data_questions())
    assert len(questions) == len(set(questions)) > 400
    texts = [text for question in questions for text in wordings(question)]
    assert len(texts) == len(set(texts))
    for question in questions:
        assert {parse(text) for text in wordings(question)} == {question}


def test_answers_are_those_of_the_slow_reference():
    rng, compared = random.Random(3), 0
    for number in range(60):
        things = draw_scene(Draws("reference", number)).things
        expected = all_answers([thing._asdict() for thing in things])
        # All 35 phrases at every place make 23,000 texts; the short forms are looked at always.
        asked = [text for q in data_questions() for text in wordings(q)] if number < 3 else []
        asked += rng.sample(sorted(expected), 300)
        for text in asked:
            assert answer_to(parse(text), things) == expected[text], (text, things)
        compared += len(asked)
    assert compared > 18_000


def test_the_reference_knows_all_texts_of_the_grammar():
    expected = all_answers([RED_CIRCLE._asdict()])
    for template in scene_grammar.TEMPLATES:
        phrases = {"0": "red circle", "1": "blue cross", "0s": "red circles", "1s": "blue crosses"}
        text = template.text
        for place, words in phrases.items():
            text = text.replace(f"{{{place}}}", words)
        assert text in expected


def test_other_spellings_mean_the_same():
    question = Question("color", (Phrase(shape="circle"),))
    for text in (
        "what color is the circle ?",
        "What colour is the circle",
        "what color is the circle?",
    ):
        assert parse(text) == question
    assert parse("is there an object ?") == Question("presence", (Phrase(),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "why ?",
        "what color is the ?",
        "what color is the circles ?",
        "how many circle are there ?",
        "is there a pink circle ?",
        "is there a circle red ?",
        "is is there a circle ?",
        "is there a circle ? ? yes",
        "is the circle left of the ?",
        "what size is the red blue circle ?",
    ],
)
def test_a_text_of_no_known_form_has_no_meaning(text):
    assert parse(text) is None


def test_other_wordings_of_an_answer_are_accepted():
    same = {
        "left": ("left", "on the left", "to the left", "Left", "it is on the left", "left half"),
        "top": ("at the top", "in the top half"),
        "3": ("3", "three"),
        "0": ("zero", "none"),
        "circle": ("a circle", "the circle", "circle ."),
        "large": ("big",),
        "yes": ("yes",),
    }
    for plain, texts in same.items():
        assert {plain_answer(text) for text in texts} == {plain}
    for text in ("yes no", "red red", "left left", "circles", ""):
        assert plain_answer(text) not in {*same, "red"}


def test_a_right_answer_is_of_the_kind_asked_for():
    for number in range(20):
        things = draw_scene(Draws("kinds", number)).things
        for question in data_questions():
            answer = answer_to(question, things)
            assert answer is None or answer in possible_answers(question)
