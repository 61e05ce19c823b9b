import json
import math

import numpy as np
import pytest

from vqapg.data.directory import Pair
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.diversity import self_bleu_4
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.metrics import OURS, compute_metrics
from vqapg.evaluation.vendi import vendi_figures
from vqapg.judges.easy_vqa_truth import EasyVQATruth, World

TRUTH = EasyVQATruth(
    {
        "a.png": frozenset({World("blue", "circle")}),
        "b.png": frozenset({World("teal", "rectangle"), World("teal", "triangle")}),
    }
)
SAID = [
    ("a.png", "what color is the shape ?", "blue"),  # right
    ("a.png", "what color is the shape ?", "blue"),  # right, said again
    ("a.png", "what shape is present ?", "triangle"),  # wrong
    ("b.png", "what shape is present ?", "triangle"),  # undetermined
    ("b.png", "what color is the circle ?", "teal"),  # unanswerable: there is no circle
    ("b.png", None, None),  # malformed
    ("b.png", "why ?", "yes"),  # of no known form
]
PAIRS = [GeneratedPair(number, *said, -1.0) for number, said in enumerate(SAID)]
SCORES = [0.9, 0.6, 0.2, 0.4, 0.5]
# Checked in test_diversity.py.
SELF_BLEU, SELF_BLEU_OF_TRIPLES = self_bleu_4(
    [0, 0, 1, 1, 1],
    [f"{question} {answer}" for _, question, answer in np.array(SAID)[[0, 2, 3, 4, 6]]],
    [0, 0, 1, 2, 3, 4],
)
# Checked in test_vendi.py.
VENDI = vendi_figures(Figures(PAIRS, seed=5, resamples=100))


def figures(metrics):
    found = {
        key: figure
        for key, figure in metrics.items()
        if isinstance(figure, dict) and "value" in figure
    }
    return {key: (figure["value"], figure["n"]) for key, figure in found.items()}


def test_every_figure_by_hand():
    metrics = compute_metrics(PAIRS, SCORES, TRUTH, seed=5, resamples=100)
    assert {
        key: metrics[key]
        for key in ("pairs", "images", "malformed", "distinct_triples", "bootstrap")
    } == {
        "pairs": 7,
        "images": 2,
        "malformed": 1,
        "distinct_triples": 5,
        "bootstrap": {"resamples": 100, "seed": 5},
    }
    assert figures(metrics) == {
        # 4 + 4 + 3 + 3 + 4 + 0 4-grams; repeated texts and "what color is the" count once: 4 + 3 +
        # 3.
        "distinct4": (10 / 18, 18),
        "distinct4_distinct_triples": (10 / 14, 14),
        # a.png: 4 4-grams twice, and 3, of which 7 differ; b.png: 7 that differ.
        "distinct4_within_image": (pytest.approx((7 / 11 + 1) / 2), 2),
        "distinct4_within_image_distinct_triples": (1.0, 2),
        "self_bleu4": (pytest.approx(SELF_BLEU[[0, 0, 1, 2, 3, 4]].mean()), 6),
        "self_bleu4_distinct_triples": (pytest.approx(SELF_BLEU_OF_TRIPLES.mean()), 5),
        "unique_pairs": (4, 6),
        "right_pairs": (1, 2),  # said twice
        "vendi": (VENDI["vendi"]["value"], 6),
        "vendi_distinct_triples": (VENDI["vendi_distinct_triples"]["value"], 5),
        # a.png has 2, b.png 3.
        "distinct_pairs_per_image": (5 / 2, 2),
        "consistent": (2 / 5, 5),  # 0.5 is not above 0.5
        "consistent_all_pairs": (3 / 6, 6),
        "mean_score": (pytest.approx(0.52), 5),
        "mean_score_all_pairs": (pytest.approx((0.9 + 0.9 + 0.6 + 0.2 + 0.4 + 0.5) / 6), 6),
        "true_consistent": (1 / 4, 4),
        "true_consistent_all_pairs": (2 / 5, 5),
        "true_consistent_color": (1 / 2, 2),
        "true_consistent_shape": (0 / 1, 1),
        "true_consistent_presence": (None, 0),
        "true_consistent_absence": (None, 0),
        "undetermined": (1 / 5, 5),
        "unanswerable": (2 / 5, 5),
        "wrong_type": (0 / 5, 5),
        "unparsed": (1 / 5, 5),
        "possible_pairs_found": (3, 273),
        "evaluator_agreement": (3 / 4, 4),
        "evaluator_true_positive_rate": (1.0, 1),
        "evaluator_rejection_rate": (2 / 3, 3),
    }


def test_intervals_are_those_of_the_right_images():
    metrics = compute_metrics(PAIRS, SCORES, TRUTH, seed=5, resamples=100)
    bootstrap = ImageBootstrap(2, resamples=100, seed=5)
    of_pair = np.array([0, 0, 0, 1, 1, 1])
    of_triple, of_known = np.array([0, 0, 1, 1, 1]), np.array([0, 0, 1, 1])
    expected = {
        "consistent": bootstrap.mean(of_triple, [1, 1, 0, 0, 0]),
        "consistent_all_pairs": bootstrap.mean(of_pair, [1, 1, 1, 0, 0, 0]),
        "mean_score_all_pairs": bootstrap.mean(of_pair, [0.9, 0.9, 0.6, 0.2, 0.4, 0.5]),
        "vendi": VENDI["vendi"]["ci95"],
        "vendi_distinct_triples": VENDI["vendi_distinct_triples"]["ci95"],
        "distinct_pairs_per_image": bootstrap.mean(np.array([0, 1]), [2, 3], (0, 6)),
        "self_bleu4": bootstrap.mean(of_pair, SELF_BLEU[[0, 0, 1, 2, 3, 4]]),
        "self_bleu4_distinct_triples": bootstrap.mean(of_triple, SELF_BLEU_OF_TRIPLES),
        "distinct4_within_image": bootstrap.mean(np.array([0, 1]), [7 / 11, 1]),
        "distinct4_within_image_distinct_triples": bootstrap.mean(np.array([0, 1]), [1, 1]),
        "distinct4_distinct_triples": bootstrap.distinct_ratio(
            np.array([0] * 7 + [1] * 7), np.array([0, 1, 2, 3, 4, 5, 6, 4, 5, 6, 0, 7, 8, 9])
        ),
        "mean_score": bootstrap.mean(of_triple, SCORES),
        "true_consistent": bootstrap.mean(of_known, [1, 0, 0, 0]),
        "true_consistent_all_pairs": bootstrap.mean(np.array([0, 0, 0, 1, 1]), [1, 1, 0, 0, 0]),
        "true_consistent_color": bootstrap.mean(np.array([0, 1]), [1, 0]),
        "true_consistent_shape": bootstrap.mean(np.array([0]), [0]),
        "true_consistent_presence": None,
        "true_consistent_absence": None,
        "undetermined": bootstrap.mean(of_triple, [0, 0, 1, 0, 0]),
        "unanswerable": bootstrap.mean(of_triple, [0, 0, 0, 1, 1]),
        "unparsed": bootstrap.mean(of_triple, [0, 0, 0, 0, 1]),
        "wrong_type": bootstrap.mean(of_triple, [0, 0, 0, 0, 0]),
        "right_pairs": bootstrap.distinct_count(np.array([0, 0]), np.array([0, 0]), (0, 2)),
        "evaluator_agreement": bootstrap.mean(of_known, [1, 0, 1, 1]),
        "evaluator_true_positive_rate": bootstrap.mean(np.array([0]), [1]),
        "evaluator_rejection_rate": bootstrap.mean(np.array([0, 1, 1]), [0, 1, 1]),
        "unique_pairs": bootstrap.distinct_count(
            np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 3]), (1, 6)
        ),
        "possible_pairs_found": bootstrap.distinct_count(
            np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 2]), (0, 273)
        ),
        # a.png: 4 4-grams twice, and 3; b.png: the same 3, and 4 of which the first is a.png's
        # first.
        "distinct4": bootstrap.distinct_ratio(
            np.array([0] * 11 + [1] * 7),
            np.array([0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 4, 5, 6, 0, 7, 8, 9]),
        ),
    }
    assert {key: metrics[key]["ci95"] for key in expected} == expected
    assert set(figures(metrics)) == set(expected)


def test_n_cannot_exceed_the_number_of_pairs():
    pairs = [
        GeneratedPair(number, f"{number}.png", f"is it {number} ?", "yes", -1.0)
        for number in range(300)
    ]
    low, high = compute_metrics(pairs)["unique_pairs"]["ci95"]
    assert 280 < low < high == 300


def test_without_evaluator_truth_and_gold_only_diversity_is_left():
    words = {key.split("_")[0] for key in figures(compute_metrics(PAIRS, resamples=10))}
    assert words == {"distinct4", "distinct", "unique", "self", "vendi"}
    assert "evaluator_agreement" not in compute_metrics(PAIRS, None, TRUTH, resamples=10)
    assert "true_consistent" not in compute_metrics(PAIRS, SCORES, None, resamples=10)


def test_figures_over_nothing_are_none():
    pairs = [
        GeneratedPair(0, "a.png", None, None, -1.0),
        GeneratedPair(1, "b.png", None, None, -1.0),
    ]
    metrics = compute_metrics(pairs, [], TRUTH, resamples=10)
    assert metrics["malformed"] == metrics["pairs"] == 2
    for key, figure in figures(metrics).items():
        counts = {
            "unique_pairs": (0, 0),
            "right_pairs": (0, 0),
            "possible_pairs_found": (0, 273),
            "distinct_pairs_per_image": (0, 2),
        }
        assert figure == counts.get(key, (None, 0))
        # Two images without a pair are two numbers.
        none = [0.0, 0.0] if key == "distinct_pairs_per_image" else None
        assert metrics[key]["ci95"] == none


def test_the_result_is_json_with_numbers_only():
    text = json.dumps(
        compute_metrics(PAIRS, np.float32(SCORES), TRUTH, resamples=10), allow_nan=False
    )
    assert math.isclose(json.loads(text)["mean_score"]["value"], 0.52, rel_tol=1e-6)


def test_a_triple_that_the_judge_cannot_tell_is_left_out():
    metrics = compute_metrics(PAIRS, [math.nan, *SCORES[1:]], TRUTH, resamples=10)
    assert {key: metrics[key]["value"] for key in ("consistent", "mean_score")} == {
        "consistent": 1 / 4,  # 0.6 of 0.6, 0.2, 0.4 and 0.5
        "mean_score": pytest.approx(0.425),
    }
    # Without the two pairs that say the first triple.
    assert figures(metrics)["consistent_all_pairs"] == (1 / 4, 4)
    assert figures(metrics)["evaluator_agreement"] == (2 / 3, 3)
    assert figures(metrics)["evaluator_true_positive_rate"] == (None, 0)


def test_scores_must_be_one_a_triple():
    with pytest.raises(ValueError, match="5 distinct triples"):
        compute_metrics(PAIRS, SCORES[:4])


def test_gold_and_train_add_recall_novelty_and_overlap(monkeypatch):
    monkeypatch.setattr("vqapg.evaluation.overlap.find_java", lambda: None)
    gold = [Pair(*SAID[number]) for number in (0, 3)]
    before = compute_metrics(PAIRS, SCORES, TRUTH, resamples=10)
    metrics = compute_metrics(PAIRS, SCORES, TRUTH, gold=gold, train=[gold[0]], resamples=10)
    assert {key: metrics[key] for key in figures(before)} == {
        key: before[key] for key in figures(before)
    }
    added = {"novel_pairs", "novel_questions", "gold_recall"} | {
        f"{key}{suffix}"
        for key in ("bleu4", "rouge_l", "cider")
        for suffix in ("", "_distinct_triples", "_published")
        if key + suffix != "cider_published"
    }
    assert set(metrics) - set(before) == added
    assert list(metrics["not_computed"]) == ["meteor"]
    # 4 distinct pairs, one in train; 4 distinct questions, one in train; both images' gold pairs
    # were found.
    assert figures(metrics)["novel_pairs"] == figures(metrics)["novel_questions"] == (3 / 4, 4)
    assert figures(metrics)["gold_recall"] == (1.0, 2)


def test_each_figure_has_the_version_of_its_metric():
    metrics = compute_metrics(PAIRS, SCORES, TRUTH, resamples=10)
    assert set(metrics["metric_versions"]) == set(figures(metrics))
    assert metrics["metric_versions"]["distinct4"] == OURS["distinct4"].version == 1
