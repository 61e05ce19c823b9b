from types import SimpleNamespace

import numpy as np
import pytest

from tests.support.handwritten_data import write_data
from vqapg.data.directory import DataDirectory
from vqapg.errors import InputError
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Triple, make_judge, score_triples
from vqapg.judges.truth import truth_of, verdict

TRIPLES = [
    ("a.png", "is there a circle ?", "yes"),
    ("a.png", "why ?", "so"),
    ("a.png", "is there a circle ?", "yes"),
    ("b.png", "why ?", "so"),
]
GOLD = [
    ("a.png", "what is the blue shape ?", "circle"),
    ("b.png", "is there a circle ?", "yes"),
]


def judge_of(score):
    return SimpleNamespace(name="mine", identity={}, score=score)


def test_a_judge_is_asked_once_about_each_triple_and_never_about_nothing():
    asked = []

    def score(triples):
        asked.append(triples)
        return [0.25, np.nan, 1]

    np.testing.assert_array_equal(score_triples(judge_of(score), TRIPLES), [0.25, np.nan, 0.25, 1])
    assert asked == [[Triple(*TRIPLES[0]), Triple(*TRIPLES[1]), Triple(*TRIPLES[3])]]
    assert asked[0][2].image == "b.png"
    assert score_triples(judge_of(score), []).shape == (0,) and len(asked) == 1


@pytest.mark.parametrize(
    "scores, message",
    [
        ([0.5, 0.5], r"judge mine gave scores of shape \[2\] for 3 triples"),
        ([[0.5]] * 3, r"shape \[3, 1\] for 3 triples"),
        ([0.5, 1.01, 0.5], r"judge mine gave \('a.png', 'why \?', 'so'\) the score 1.01"),
        ([0.5, 0.5, -0.1], r"the score -0.1; a score must lie between 0 and 1"),
    ],
)
def test_scores_that_are_none_are_refused(scores, message):
    with pytest.raises(InputError, match=message):
        score_triples(judge_of(lambda triples: scores), TRIPLES)


def test_an_object_is_a_judge_if_it_has_the_three_members():
    judge = judge_of(lambda triples: [])
    assert make_judge(judge, JudgeContext()) is judge
    with pytest.raises(InputError, match="^--judge: float is no judge; give one with name, ident"):
        make_judge(0.5, JudgeContext())


def test_what_stands_after_the_class_is_the_judges_argument():
    judge = make_judge("tests.support.judges:YesMan:a:b", JudgeContext())
    assert judge.identity == {"judge": "yes man", "untold": "a:b"}
    assert make_judge("tests.support.judges:YesMan", JudgeContext()).identity["untold"] == ""


@pytest.mark.parametrize(
    "spec, message",
    [
        ("evaluatr:x.pt", "no judge is named 'evaluatr'; did you mean evaluator?"),
        ("", "no judge is named ''"),
        ("tests.support.judges", "no judge is named 'tests.support.judges:'"),
        ("tests.nowhere:Class", "tests.nowhere:Class: cannot be imported"),
        ("evaluator", "--judge evaluator: names no checkpoint; give evaluator:CKPT"),
        ("vqa:x.pt", "--judge vqa: needs a data directory"),
        ("truth:easy-vqa", "--judge truth:easy-vqa: needs a data directory"),
        ("truth", "no truth is named ''"),
    ],
)
def test_a_spec_that_names_no_judge_is_one_line(spec, message):
    with pytest.raises(InputError) as error:
        make_judge(spec, JudgeContext())
    assert message in str(error.value) and "\n" not in str(error.value)


def test_the_context_finds_pictures_in_the_data_directory(tmp_path):
    data = DataDirectory(write_data(tmp_path / "DATA", GOLD))
    with pytest.raises(InputError, match="images/a.png: no such image file"):
        JudgeContext(data).picture("a.png")
    with pytest.raises(InputError, match="there is no picture of a.png"):
        JudgeContext().picture("a.png")
    assert JudgeContext(open_picture=str.upper).picture("a.png") == "A.PNG"


def test_the_truth_scores_right_1_wrong_0_and_else_nan(tmp_path):
    data = DataDirectory(write_data(tmp_path / "DATA", GOLD, "easy-vqa"))
    truth = truth_of(data, "test")
    triples = [
        ("a.png", "is there a circle ?", "yes"),
        ("a.png", "what color is the shape ?", "red"),
        ("b.png", "what color is the shape ?", "red"),  # a circle of any colour
        ("c.png", "is there a circle ?", "yes"),  # nothing is known of this image
        ("a.png", "why ?", "yes"),
    ]
    scores = score_triples(truth, triples)
    np.testing.assert_array_equal(scores, [1, 0, np.nan, np.nan, 0])
    assert [verdict(score) for score in scores[:3]] == ["right", "wrong", "undetermined"]
    assert truth.asks_for("is no circle present ?") == "absence" and truth.asks_for("why ?") is None
    assert not truth.answerable("a.png", "what color is the triangle ?")
    assert truth.answerable("b.png", "what is the red shape ?")
    # Of another split nothing is known, unless all are asked for.
    train = [Triple("train.png", "is there a circle ?", "yes")]
    assert np.isnan(truth.score(train)) and truth_of(data).score(train) == 1


def test_other_data_have_no_truth_and_the_judge_says_so(tmp_path):
    data = DataDirectory(write_data(tmp_path / "DATA", GOLD))
    assert truth_of(data, "test") is None
    with pytest.raises(InputError, match="DATA holds jsonl, of which it knows nothing"):
        make_judge("truth:easy-vqa", JudgeContext(data, "test"))
