"""What is reported where the truth about scenes is known, each figure beside a slow count."""

import random

import numpy as np
import pytest

from vqapg.datasets.scene_grammar import ASKED_FOR, answer_to, data_questions, parse, wordings
from vqapg.datasets.scene_layout import Draws, Thing, draw_scene
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.metrics import OURS, compute_metrics
from vqapg.judges.scenes_truth import ALL_PAIRS, ScenesTruth

THINGS = (Thing("red", "circle", 30, 90, 9), Thing("red", "cross", 100, 40, 16))
OTHERS = (Thing("blue", "square", 30, 90, 9), Thing("red", "cross", 100, 40, 16))
SAID = [
    ("a.png", "what color is the circle ?", "red"),  # right
    ("b.png", "what color is the circle ?", "red"),  # unanswerable
    ("a.png", "what color is the cross ?", "red"),  # right
    ("b.png", "what color is the cross ?", "red"),  # right, the same text
    ("b.png", "what color is the cross ?", "red"),  # and again
    ("b.png", "what color is the cross ?", "yes"),  # wrong, of a wrong kind
    ("a.png", "is there a square ?", "yes"),  # wrong
    ("b.png", "is there a square ?", "yes"),  # right
    ("a.png", "how many red objects are there ?", "red"),  # wrong, of a wrong kind
    ("a.png", "what shape is the blue object ?", "blue"),  # unanswerable, of a wrong kind
    ("a.png", "why ?", "red"),  # of no known form
    ("a.png", None, None),  # malformed
]


def compute(said, things, **options):
    pairs = [GeneratedPair(number, *one, -1.0) for number, one in enumerate(said)]
    return compute_metrics(pairs, None, ScenesTruth(things), resamples=50, seed=3, **options)


def test_figures_of_scenes_by_hand():
    metrics = compute(SAID, {"a.png": THINGS, "b.png": OTHERS})
    found = {key: (figure["value"], figure["n"]) for key, figure in metrics.items()
             if isinstance(figure, dict) and "value" in figure}  # fmt: skip
    expected = {
        # circle red, cross red, square yes; of the five pairs that are right
        "right_pairs": (3, 5),
        "unique_pairs": (7, 11),
        "true_consistent": (4 / 10, 10),
        "true_consistent_all_pairs": (5 / 11, 11),
        "unanswerable": (3 / 10, 10),  # two, and the one of no known form
        "unparsed": (1 / 10, 10),
        "wrong_type": (3 / 10, 10),
        "undetermined": (0.0, 10),
        "possible_pairs_found": (3, len(ALL_PAIRS)),
    }
    assert {key: found[key] for key in expected} == expected
    by_kind = {kind: found[f"true_consistent_{kind}"] for kind in ASKED_FOR}
    assert by_kind == {
        **dict.fromkeys(ASKED_FOR, (None, 0)),
        "color": (3 / 5, 5),
        "presence": (1 / 2, 2),
        "count": (0.0, 1),
        "shape": (0.0, 1),
    }
    # What only easy-VQA asks for has no figure.
    assert "true_consistent_absence" not in metrics


@pytest.mark.parametrize("seed", [1, 2])
def test_right_pairs_are_those_of_a_slow_count(seed):
    rng = random.Random(seed)
    things = {f"{n}.png": draw_scene(Draws("R", seed, n)).things for n in range(20)}
    questions = rng.sample([t for q in data_questions() for t in wordings(q)], 40)
    answers = ["yes", "no", "red", "circle", "1", "left"]
    said = [
        (rng.choice(list(things)), rng.choice(questions), rng.choice(answers)) for _ in range(600)
    ]
    metrics = compute(said, things)
    right = [
        (image, f"{question} {answer}")
        for image, question, answer in said
        if answer_to(parse(question), things[image]) == answer
    ]
    texts = []
    for _, text in right:
        if text not in texts:
            texts.append(text)
    assert 10 < len(texts) < len(right)
    # The same method as that of N: the images are numbered as they come.
    order = list(dict.fromkeys(image for image, _, _ in said))
    interval = ImageBootstrap(len(order), 50, 3).distinct_count(
        np.array([order.index(image) for image, _ in right]),
        np.array([texts.index(text) for _, text in right]),
        (0, len(right)),
    )
    assert metrics["right_pairs"] == {"value": len(texts), "n": len(right), "ci95": interval}
    assert metrics["right_pairs"]["value"] <= metrics["unique_pairs"]["value"]


def test_right_pairs_stand_below_distinct_pairs():
    keys = list(OURS)
    assert keys.index("right_pairs") == keys.index("unique_pairs") + 1
    assert OURS["right_pairs"].group == OURS["unique_pairs"].group
    assert OURS["right_pairs"].head == "R" and OURS["right_pairs"].version == 1
