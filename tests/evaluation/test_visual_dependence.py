import math
from collections import Counter

import numpy as np
import pytest

from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.metrics import compute_metrics
from vqapg.evaluation.visual_dependence import with_another_image

TRIPLES = [("a", "why ?", "so"), ("a", "who ?", "he"), ("b", "why ?", "so"), ("c", "who ?", "he")]
PAIRS = [GeneratedPair(n, *triple, -1.0) for n, triple in enumerate([*TRIPLES, TRIPLES[0]])]


def test_every_other_image_is_as_likely_and_its_own_never():
    asked = [("b", str(number), "?") for number in range(3000)]
    drawn = with_another_image(asked, ["a", "b", "c", "d"], seed=1)
    assert [triple[1:] for triple in drawn] == [triple[1:] for triple in asked]
    counts = Counter(image for image, _, _ in drawn)
    assert set(counts) == {"a", "c", "d"}
    # Three standard deviations of 1,000 are 77.
    assert all(abs(count - 1000) < 90 for count in counts.values())


def test_another_image_depends_on_the_seed_alone():
    drawn = [with_another_image(TRIPLES * 5, ["a", "b", "c"], seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert with_another_image(TRIPLES[:2], ["a"], 1) == []


def test_visual_dependence_by_hand_leaves_out_what_is_not_told():
    own, other = [0.9, 0.5, 0.4, math.nan], [0.1, math.nan, 0.5, 0.2]
    metrics = compute_metrics(PAIRS, own, scores_elsewhere=other, seed=3, resamples=50)
    found = metrics["visual_dependence"]
    # a: 0.8; b: -0.1; a repeated pair counts once.
    assert (found["value"], found["n"]) == (pytest.approx(0.35), 2)
    expected = ImageBootstrap(3, 50, 3).mean(np.array([0, 1]), [0.8, -0.1], (-1, 1))
    assert found["ci95"] == pytest.approx(expected) and min(expected) < 0
    assert metrics["metric_versions"]["visual_dependence"] == 1


def test_a_blind_judge_gives_no_visual_dependence():
    metrics = compute_metrics(PAIRS, [0.7] * 4, scores_elsewhere=[0.7] * 4, resamples=5)
    assert metrics["visual_dependence"]["value"] == 0


def test_visual_dependence_is_left_out_unless_asked_for():
    assert "visual_dependence" not in compute_metrics(PAIRS, [0.7] * 4, resamples=5)


def test_one_image_has_no_visual_dependence_and_says_why():
    metrics = compute_metrics(PAIRS[:2], [0.7] * 2, scores_elsewhere=[math.nan] * 2, resamples=5)
    assert metrics["visual_dependence"] == {"value": None, "n": 0, "ci95": None}
    assert metrics["not_computed"]["visual_dependence"] == "needs two images or more"
