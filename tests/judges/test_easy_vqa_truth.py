from types import SimpleNamespace

import easy_vqa
import pytest

from tests.support.handwritten_data import write_data
from vqapg.data.directory import DataDirectory, Pair
from vqapg.data.tokenizer import tokenize
from vqapg.errors import InputError
from vqapg.judges import easy_vqa_truth as truth
from vqapg.judges.easy_vqa_truth import World, verdict
from vqapg.judges.truth import RIGHT, UNDETERMINED, WRONG

BLUE_CIRCLE = World("blue", "circle")


def gold(name):
    questions, answers, images = getattr(easy_vqa, f"get_{name}_questions")()
    tokens = ([" ".join(tokenize(text)) for text in texts] for texts in (questions, answers))
    return list(map(Pair, map(str, images), *tokens))


@pytest.fixture(scope="module")
def splits():
    return {name: gold(name) for name in ("train", "test")}


def test_all_107_forms_of_the_data_set_parse_and_no_other(splits):
    asked = {pair.question for pairs in splits.values() for pair in pairs}
    assert len(asked) == 107
    assert asked == set(truth.QUESTIONS)
    assert all(truth.parse(question) for question in asked)


def test_the_273_pairs_are_those_of_the_data_set(splits):
    # Every possible pair happens to be among the 48,248 gold pairs: an independent reference.
    assert len(truth.ALL_PAIRS) == 273
    assert {
        f"{pair.question} {pair.answer}" for pairs in splits.values() for pair in pairs
    } == truth.ALL_PAIRS


def test_every_gold_pair_is_right_in_its_own_image(splits):
    assert sum(map(len, splits.values())) == 48_248
    for name, pairs in splits.items():
        worlds = truth.possible_worlds(SimpleNamespace(path="easy-vqa", pairs=splits.get), name)
        assert {verdict(worlds[pair.image], pair.question, pair.answer) for pair in pairs} == {
            RIGHT
        }


def test_112_of_the_1000_test_images_are_not_fully_determined(splits):
    worlds = truth.possible_worlds(SimpleNamespace(path="easy-vqa", pairs=splits.get), "test")
    assert len(worlds) == 1000
    assert sum(len(left) > 1 for left in worlds.values()) == 112


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("what color is the shape ?", "blue"),
        ("what is the color of the circle ?", "blue"),
        ("what color is the triangle ?", None),
        ("what is the blue shape ?", "circle"),
        ("what is the red shape ?", None),
        ("what shape is present ?", "circle"),
        ("is there a circle in the image ?", "yes"),
        ("is there not a circle ?", "no"),
        ("is no red shape present ?", "yes"),
        ("is a red shape present ?", "no"),
        ("does the image not contain a blue shape ?", "no"),
        ("does the image contain a triangle ?", "no"),
    ],
)
def test_answers_in_a_blue_circle(question, answer):
    assert truth.answer_in(BLUE_CIRCLE, truth.parse(question)) == answer
    for said in ("blue", "circle", "yes", "no", "red", "triangle"):
        assert verdict({BLUE_CIRCLE}, question, said) == (RIGHT if said == answer else WRONG)
    assert truth.answerable({BLUE_CIRCLE}, question) == (answer is not None)


@pytest.mark.parametrize(
    "question",
    [
        "",
        "what is the blue circle ?",
        "what color is the shape",
        "is there a shape ?",
        "is is there ?",
    ],
)
def test_a_question_of_no_known_form_is_wrong_and_unanswerable(question):
    assert truth.parse(question) is None
    assert verdict({BLUE_CIRCLE}, question, "yes") == WRONG
    assert not truth.answerable({BLUE_CIRCLE}, question)


def test_verdicts_where_the_world_is_not_determined():
    worlds = {BLUE_CIRCLE, World("blue", "triangle")}
    assert verdict(worlds, "what color is the shape ?", "blue") == RIGHT
    assert verdict(worlds, "what color is the shape ?", "red") == WRONG
    assert verdict(worlds, "what shape is present ?", "circle") == UNDETERMINED
    assert verdict(worlds, "what shape is present ?", "rectangle") == WRONG
    assert verdict(worlds, "what color is the circle ?", "blue") == UNDETERMINED
    assert truth.answerable(worlds, "what color is the circle ?")
    assert not truth.answerable(worlds, "what color is the rectangle ?")


def test_possible_worlds_are_those_where_all_gold_pairs_hold(tmp_path):
    pairs = [
        ("a.png", "what is the blue shape ?", "circle"),
        ("b.png", "is no circle present ?", "yes"),
        ("b.png", "what is the color of the shape ?", "teal"),
    ]
    data = DataDirectory(write_data(tmp_path / "DATA", pairs, "easy-vqa"))
    assert truth.possible_worlds(data, "test") == {
        "a.png": {BLUE_CIRCLE},
        "b.png": {World("teal", "rectangle"), World("teal", "triangle")},
    }


def test_what_is_not_wrong_is_what_the_verdict_says_of_every_pair():
    worlds = {
        "a.png": {BLUE_CIRCLE},
        "b.png": {World("teal", "rectangle"), World("teal", "triangle")},
    }
    found = truth.not_wrong(worlds)
    answers = [*truth.COLORS, *truth.SHAPES, "yes", "no"]
    assert found == {
        (image, question, answer)
        for image in worlds
        for question in truth.QUESTIONS
        for answer in answers
        if verdict(worlds[image], question, answer) != WRONG
    }
    # 88 of presence or absence, 4 of colour, 1 of a coloured shape and 3 of the shape
    assert sum(image == "a.png" for image, _, _ in found) == 96


@pytest.mark.parametrize(
    "last",
    [("what color is the shape ?", "red"), ("what is the red shape ?", "circle"), ("why ?", "yes")],
)
def test_contradicting_gold_pairs_are_named(tmp_path, last):
    pairs = [
        ("a.png", "what is the blue shape ?", "circle"),
        ("b.png", "is there a circle ?", "no"),
        ("a.png", *last),
    ]
    data = DataDirectory(write_data(tmp_path / "DATA", pairs, "easy-vqa"))
    with pytest.raises(
        InputError, match=r"test\.answer:3: no coloured shape fits .* image 'a\.png'"
    ):
        truth.possible_worlds(data, "test")
