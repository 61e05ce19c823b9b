import numpy as np
import pytest

from vqapg.data.directory import Pair
from vqapg.evaluation.multiple_choice import CONTROLS, DRAWS, MultipleChoice, credit

PAIRS = [
    pair
    for i in range(24)
    for pair in (
        Pair(f"{i}.png", f"where is {i} ?", f"place {i}"),
        Pair(f"{i}.png", f"who is {i} ?", f"name {i}"),
    )
]
WRONG = {
    pair: tuple(f"{pair.answer.split()[0]} {int(pair.answer.split()[1]) + n}" for n in (1, 2, 3))
    for pair in PAIRS
}


def test_credit_is_shared_among_the_highest():
    assert credit([[0.9, 0.1, 0.2, 0.3]]) == 1
    assert credit([[0.3, 0.1, 0.2, 0.9]]) == 0
    assert credit([[0.9, 0.9, 0.2, 0.9]]) == pytest.approx(1 / 3)
    assert credit([[0.5, 0.5, 0.5, 0.5]]) == 0.25
    # Scores are averaged before the choice: alone, the first draw would be lost.
    assert credit([[0.4, 0.5, 0, 0], [0.9, 0.5, 0, 0]]) == 1
    assert np.isnan(credit([])) and np.isnan(credit([[0.9, np.nan, 0.2, 0.3]]))


def figures_of(judge, pairs=PAIRS, wrong=WRONG, every=None):
    test = MultipleChoice(pairs, wrong, every or pairs, seed=1)
    scores = {triple: judge(*triple) for triple in test.triples}
    return test.figures(scores, 1, 50)


def seeing(image, question, answer):
    """Reads the number off the image, and likes places and names alike."""
    return float(answer.split()[1] == image.removesuffix(".png"))


def reading(image, question, answer):
    """Reads the number off the question, and does not look."""
    return float(answer.split()[1] == question.split()[2])


def liking(image, question, answer):
    """Likes small numbers, whatever is asked of whatever image. The right one is the smallest."""
    return 1 / (1 + int(answer.split()[1]))


def guessing(image, question, answer):
    return 0.5


@pytest.mark.parametrize(
    ("judge", "expected"),
    [
        (reading, {"judge": 1, "question_and_answer": 1, "image_swapped": 1}),
        (liking, dict.fromkeys(("judge", *CONTROLS), 1)),
        (guessing, dict.fromkeys(("judge", *CONTROLS), 0.25)),
    ],
)
def test_controls_tell_what_a_judge_guesses_by(judge, expected):
    found = figures_of(judge)["by_type"]["all"]
    assert {name: found[name]["value"] for name in expected} == pytest.approx(expected)
    assert all(figure["n"] == 48 for figure in found.values())


def test_judge_that_sees_falls_without_the_image():
    found = figures_of(seeing)
    everything = found["by_type"]["all"]
    assert everything["judge"]["value"] == 1
    for control in CONTROLS:
        assert everything[control]["value"] < 0.5, control
    gain = 1 - everything["question_and_answer"]["value"]
    assert found["sees"]["value"] == pytest.approx(gain)
    low, high = found["sees"]["ci95"]
    assert low <= gain <= high


def test_judge_that_reads_the_question_fails_with_answer_alone():
    assert figures_of(reading)["by_type"]["all"]["answer"]["value"] < 0.5


def test_contexts_of_the_controls_are_of_other_images():
    test = MultipleChoice(PAIRS, WRONG, PAIRS, seed=1)
    asked = {(pair.image, pair.question) for pair in PAIRS}
    for place, pair in enumerate(PAIRS):
        of_pair = {name: contexts[place] for name, contexts in test.contexts.items()}
        assert of_pair["judge"] == [(pair.image, pair.question)]
        assert len(of_pair["answer"]) == len(of_pair["question_and_answer"]) == DRAWS
        assert set(of_pair["answer"]) <= asked
        assert {question for _, question in of_pair["question_and_answer"]} == {pair.question}
        ((swapped, question),) = of_pair["image_swapped"]
        assert question == pair.question and swapped != pair.image
        for name in ("answer", "question_and_answer"):
            assert pair.image not in {image for image, _ in of_pair[name]}


def test_accuracy_by_type_goes_by_the_first_word():
    def judge(image, question, answer):
        return reading(image, question, answer) if question.startswith("who") else 0.5

    pairs = [*PAIRS, Pair("0.png", "which is 0 ?", "name 0")]
    wrong = WRONG | {pairs[-1]: ("name 1", "name 2", "name 3")}
    found = figures_of(judge, pairs, wrong)
    assert list(found["by_type"]) == ["all", "where", "who"]
    values = {name: figures["judge"]["value"] for name, figures in found["by_type"].items()}
    assert values["who"] == 1 and values["where"] == 0.25
    # The one that begins otherwise counts among all.
    assert values["all"] == pytest.approx((24 + 25 * 0.25) / 49)
    assert found["by_type"]["who"]["judge"]["n"] == 24


def test_pairs_without_three_wrong_answers_take_no_part():
    wrong = WRONG | {PAIRS[0]: ("place 1", "place 2"), PAIRS[1]: ()}
    assert figures_of(reading, PAIRS, wrong)["questions"] == 46
    assert MultipleChoice(PAIRS, {}, PAIRS, seed=1).pairs == []


def test_question_that_the_judge_cannot_tell_of_is_left_out():
    def unsure(image, question, answer):
        return np.nan if answer == "name 7" else reading(image, question, answer)

    found = figures_of(unsure)
    # "name 7" is right once, and wrong beside the three before it.
    assert found["untold"] == 4 and found["questions"] == 44
    assert found["by_type"]["all"]["judge"]["value"] == 1


def test_one_image_alone_has_no_controls():
    found = figures_of(reading, PAIRS[:2])["by_type"]["all"]
    assert found["judge"]["value"] == 1
    assert all(found[control] == {"value": None, "n": 0, "ci95": None} for control in CONTROLS)
