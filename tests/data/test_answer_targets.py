import numpy as np

from tests.data.test_consistency_dataset import Store
from tests.support.handwritten_data import PAIRS
from vqapg.data.answer_targets import AnswerTargets
from vqapg.data.consistency_dataset import ConsistencyDataset
from vqapg.data.directory import Pair


def test_right_answers_are_the_own_and_the_listed():
    pairs = [
        Pair("a.png", "what ?", "red"),
        Pair("a.png", "what ?", "blue"),
        Pair("b.png", "what ?", "a cat"),
        Pair("a.png", "who ?", "he"),
    ]
    answers = ["red", "blue", "cat", "a cat", "he", "red ."]
    found = AnswerTargets(pairs, pairs).of(pairs, answers)["right_answers"]
    # An article and a full stop make no other answer; another question's answer is none.
    assert found.tolist() == [
        [True, True, False, False, False, True],
        [True, True, False, False, False, False],
        [False, False, True, True, False, False],
        [False, False, False, False, True, False],
    ]


def test_ranks_are_by_frequency_then_by_letters():
    train = [Pair("a.png", "what ?", answer) for answer in "b c c a d d d".split()]
    asked = [Pair("b.png", "what ?", answer) for answer in "d c a b z".split()]
    found = AnswerTargets(asked, train).of(asked, ["a"])["answer_ranks"]
    assert found.tolist() == [0, 1, 2, 3, -1]


def test_batch_has_the_targets_of_its_answers_in_order(dictionary):
    dataset = ConsistencyDataset(PAIRS, dictionary, Store(), 1, True, "hard", train=PAIRS[:3])
    batch = dataset.collater([4, 0, 3])
    gold = batch["net_input"]["triples"][:3, 2]
    rows = batch["net_input"]["answer"]
    answers = [dictionary.string(row[row.ne(dictionary.pad())]) for row in rows]
    assert [answers[row] for row in gold] == ["yes", "red", "blue"]
    right = batch["right_answers"].numpy()
    for place, number in enumerate([4, 0, 3]):
        pair = PAIRS[number]
        assert right[place].tolist() == [answer == pair.answer for answer in answers]
    # Of the first three pairs, each answer comes once: no, red, yes.
    assert batch["answer_ranks"].tolist() == [2, 1, -1]
    assert right.dtype == np.bool_


def test_batch_of_the_papers_evaluator_has_no_targets(dictionary):
    batch = ConsistencyDataset(PAIRS, dictionary, Store(), 1, True, "paper").collater([0, 1])
    assert not {"right_answers", "answer_ranks"} & set(batch)
