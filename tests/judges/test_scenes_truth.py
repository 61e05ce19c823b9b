import itertools
import json
import math
import random

import numpy as np
import pytest

from tests.support.scene_answers import all_answers
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.datasets.scene_grammar import ASKED_FOR, answer_to, data_questions, wordings
from vqapg.datasets.scene_layout import COLORS, SHAPES, Thing
from vqapg.errors import InputError
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Triple, make_judge
from vqapg.judges.scenes_truth import (
    ALL_PAIRS,
    UNANSWERABLE,
    UNPARSED,
    ScenesTruth,
    verdict,
)
from vqapg.judges.truth import RIGHT, WRONG, truth_of

THINGS = (Thing("red", "circle", 30, 90, 9), Thing("red", "cross", 100, 40, 16))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("scenes") / "data"
    words = ["--max-images", "12", "--max-valid-images", "2", "--max-test-images", "6"]
    assert main(["prepare", "--dataset", "scenes", "--seed", "3", "--dest", str(path), *words]) == 0
    return path


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("what color is the circle ?", "red", RIGHT),
        ("what color is the circle ?", "blue", WRONG),
        ("what color is the circle ?", "yes", WRONG),
        ("what color is the square ?", "red", UNANSWERABLE),
        ("what shape is the red object ?", "cross", UNANSWERABLE),
        ("is the red cross right of the circle ?", "yes", RIGHT),
        ("is the circle left of the circle ?", "no", UNANSWERABLE),
        ("how many red objects are there ?", "two", RIGHT),
        ("how many red objects are there ?", "3", WRONG),
        ("is the circle on the left or on the right ?", "on the left", RIGHT),
        ("why ?", "yes", UNPARSED),
        ("", "", UNPARSED),
    ],
)
def test_verdicts_by_hand(question, answer, said):
    assert verdict(THINGS, question, answer) == said
    truth = ScenesTruth({"a.png": THINGS})
    triple = Triple("a.png", question, answer)
    assert truth.score([triple]).tolist() == [1.0 if said == RIGHT else 0.0]
    assert truth.answerable("a.png", question) == (said in (RIGHT, WRONG))
    assert (truth.asks_for(question) is None) == (said == UNPARSED)


def test_kind_of_an_answer_is_known_without_an_image():
    truth = ScenesTruth({})
    fits = {
        ("what color is the circle ?", "blue"): True,
        ("what color is the circle ?", "circle"): False,
        ("how many circles are there ?", "3"): True,
        ("how many circles are there ?", "7"): False,
        ("is the circle on the left or on the right ?", "top"): False,
        ("is the circle at the top or at the bottom ?", "top"): True,
        ("is there a circle ?", "red"): False,
        ("are the circle and the cross the same color ?", "no"): True,
        ("why ?", "no"): None,
    }
    assert {pair: truth.answer_fits(*pair) for pair in fits} == fits


def test_an_image_of_other_data_is_undetermined():
    score = ScenesTruth({}).score([Triple("b.png", "is there a circle ?", "no")])
    assert math.isnan(score[0])


def test_every_gold_pair_is_right_and_others_are_as_the_reference_says(data):
    directory = DataDirectory(data)
    truth = truth_of(directory, "test")
    stored = json.loads((data / "scenes.json").read_text())["scenes"]
    answers = ["yes", "no", *COLORS, *SHAPES, *"012345", "small", "large", "left", "top", "why"]
    rng, counts = random.Random(1), dict.fromkeys((RIGHT, WRONG, UNANSWERABLE), 0)
    for split in ("train", "valid", "test"):
        pairs = directory.pairs(split)
        assert truth.score([Triple(*pair) for pair in pairs]).tolist() == [1.0] * len(pairs)
    for image in directory.image_ids("test"):
        expected = all_answers(stored[image]["things"])
        for question, answer in itertools.product(rng.sample(sorted(expected), 100), answers):
            right = expected[question]
            said = UNANSWERABLE if right is None else RIGHT if right == answer else WRONG
            assert verdict(truth.things[image], question, answer) == said, (question, answer)
            counts[said] += 1
    assert sum(counts.values()) > 10_000 and min(counts.values()) > 50, counts


def test_gold_pairs_are_not_looked_at(data, tmp_path):
    # The same data with every answer changed: the truth stays.
    directory = DataDirectory(data)
    before = truth_of(directory).things
    text = (data / "test.answer").read_text()
    try:
        (data / "test.answer").write_text("no\n" * text.count("\n"))
        assert truth_of(DataDirectory(data)).things == before
    finally:
        (data / "test.answer").write_text(text)


def test_every_possible_pair_is_right_in_some_scene_and_no_other():
    rng, found = random.Random(2), set()
    texts = {question: wordings(question) for question in data_questions()}
    for number in range(4000):
        colors, shapes = (
            rng.sample(list(COLORS), 1 + number % 3),
            rng.sample(SHAPES, 1 + number % 2),
        )
        things = [
            Thing(
                rng.choice(colors),
                rng.choice(shapes),
                rng.randrange(20, 108),
                rng.randrange(20, 108),
                rng.choice((9, 16)),
            )
            for _ in range(rng.randint(2, 5))
        ]
        for question in rng.sample(list(texts), 60):
            answer = answer_to(question, things)
            found |= {f"{text} {answer}" for text in texts[question] if answer is not None}
    assert found <= ALL_PAIRS
    # All but a few rare ones, such as five red triangles, are met by chance.
    assert len(ALL_PAIRS - found) < 0.03 * len(ALL_PAIRS), sorted(ALL_PAIRS - found)


def test_judge_is_had_by_name_and_of_its_data_only(data, tmp_path):
    judge = make_judge("truth:scenes", JudgeContext(DataDirectory(data)))
    assert (judge.name, judge.asked_for) == ("truth:scenes", ASKED_FOR)
    manifest = json.loads((data / "manifest.json").read_text())
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in data.iterdir():
        if path.is_file():
            (moved / path.name).write_bytes(path.read_bytes())
    (moved / "manifest.json").write_text(json.dumps(manifest | {"dataset": "jsonl"}))
    with pytest.raises(InputError, match="holds jsonl, of which it knows nothing"):
        make_judge("truth:scenes", JudgeContext(DataDirectory(moved)))


def test_a_description_that_was_changed_is_refused(data, tmp_path):
    text = (data / "scenes.json").read_text()
    try:
        (data / "scenes.json").write_text(text.replace('"red"', '"blue"', 1))
        with pytest.raises(InputError, match=r"scenes\.json: was changed since it was made; make"):
            truth_of(DataDirectory(data))
    finally:
        (data / "scenes.json").write_text(text)
    assert truth_of(DataDirectory(data)) is not None


def test_score_has_one_number_a_triple(data):
    truth = truth_of(DataDirectory(data))
    image = next(iter(truth.things))
    questions = [text for question in data_questions() for text in wordings(question)]
    scores = truth.score([Triple(image, question, "yes") for question in questions])
    assert scores.shape == (len(questions),) and set(np.unique(scores)) == {0.0, 1.0}
