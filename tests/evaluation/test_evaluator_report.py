import json
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from tests.support.handwritten_data import PAIRS
from vqapg.data.directory import Pair
from vqapg.data.negatives import MEASURED, NEGATIVES
from vqapg.errors import InputError
from vqapg.evaluation.calibration import AreaUnderCurve
from vqapg.evaluation.evaluator_report import report_evaluator
from vqapg.evaluation.evaluator_table import format_report
from vqapg.evaluation.labelled_triples import LabelledTriples, Measured
from vqapg.judges.easy_vqa_truth import EasyVQATruth, World

COLOURS = ["red", "blue", "teal", "gray"]


def drawings(start, count):
    """Pairs of circles, each image of the next colour, asked for one of the colours."""
    pairs = []
    for number in range(start, start + count):
        image, colour, asked = f"{number}.png", COLOURS[number % 4], COLOURS[number % 3]
        pairs += [
            Pair(image, "what color is the shape ?", colour),
            Pair(image, f"is there a {asked} shape ?", "yes" if colour == asked else "no"),
            Pair(image, "is there a circle ?", "yes"),
        ]
    return pairs


SPLITS = {"train": drawings(0, 12), "valid": drawings(12, 5), "test": drawings(17, 10)}
WORLDS = {
    pair.image: frozenset({World(pair.answer, "circle")})
    for pair in SPLITS["test"]
    if "color" in pair.question
}


def score(triples):
    """An evaluator that likes "yes" and blue things: its score is the text's alone."""
    return np.array(
        [0.9 if answer == "yes" else 0.6 if answer == "blue" else 0.3 for _, _, answer in triples]
    )


LIKING = SimpleNamespace(name="liking", identity={}, score=score)


def test_triples_are_the_pairs_then_the_negatives_that_the_seed_gives():
    labelled = LabelledTriples(PAIRS, "hard", seed=4)
    negatives = NEGATIVES["hard"](PAIRS)
    drawn = negatives.draw_fixed(np.random.default_rng(4))[1]
    assert labelled.triples == [*map(tuple, PAIRS), *(negatives.texts(triple) for triple in drawn)]
    assert labelled.positive.tolist() == [True] * 5 + [False] * len(drawn)
    assert LabelledTriples(PAIRS, None, seed=4).triples == [tuple(pair) for pair in PAIRS]


def test_a_negatives_type_is_that_of_its_question_not_of_the_answer_it_was_given():
    pairs = [
        Pair("a", "how many ?", "2"),
        Pair("b", "is it ?", "yes"),
        Pair("c", "what ?", "red"),
        Pair("d", "why ?", "so"),
    ]
    labelled = LabelledTriples(pairs, "paper", seed=1)
    types = {"how many ?": "number", "is it ?": "yes/no", "what ?": "other", "why ?": "other"}
    assert len(labelled.triples) > 4
    for row, (_, question, _) in enumerate(labelled.triples):
        assert [name for name in ("yes/no", "number", "other") if labelled.groups[name][row]] == [
            types[question]
        ]
    assert labelled.groups["all"].all()


@pytest.fixture(scope="module")
def report():
    return report_evaluator(
        SPLITS, "test", LIKING, EasyVQATruth(WORLDS), dataset="easy-vqa", seed=2, resamples=50
    )


@pytest.mark.parametrize("kind", MEASURED)
def test_figures_are_scikit_learns(report, kind):
    labelled = LabelledTriples(SPLITS["test"], kind, seed=2)
    scores, figures = score(labelled.triples), report["negatives"][kind]
    assert (figures["positives"], figures["images"]) == (30, 10)
    assert figures["negatives"] == len(labelled.triples) - 30 > 15
    for name in ("all", "yes/no", "other"):
        which = np.array(
            [
                name == "all" or question.startswith("what") == (name == "other")
                for _, question, _ in labelled.triples
            ]
        )
        expected, found = (labelled.positive[which], scores[which] > 0.5), figures["by_type"][name]
        assert found["accuracy"]["value"] == pytest.approx(accuracy_score(*expected))
        assert found["auc"]["value"] == pytest.approx(roc_auc_score(expected[0], scores[which]))
        assert found["accuracy"]["n"] == found["auc"]["n"] == which.sum()
        for sign, key in ((True, "accuracy_positives"), (False, "accuracy_negatives")):
            of_sign = which & (labelled.positive == sign)
            assert found[key]["value"] == pytest.approx(np.mean((scores[of_sign] > 0.5) == sign))
            assert found[key]["n"] == of_sign.sum()
        low, high = found["accuracy"]["ci95"]
        assert low <= found["accuracy"]["value"] <= high
    assert figures["by_type"]["number"]["accuracy"] == {"value": None, "n": 0, "ci95": None}
    assert figures["by_type"]["number"]["auc"] == {"value": None, "n": 0, "ci95": None}
    assert figures["by_type"]["color?"]["accuracy"] == figures["by_type"]["other"]["accuracy"]
    assert sum(b["n"] for b in figures["bins"]) == len(scores)


def test_a_score_of_one_half_accepts_nothing():
    labelled = LabelledTriples(PAIRS, None, seed=1)
    measured = Measured(labelled, np.array([0.5, 0.51, 0.5, 0.49, 1.0]), seed=1, resamples=5)
    assert measured.accepted.tolist() == [False, True, False, False, True]


def test_the_interval_of_a_measure_is_over_resampled_images():
    labelled = LabelledTriples(SPLITS["test"], "hard", seed=2)
    measured = Measured(labelled, score(labelled.triples), seed=3, resamples=10)
    which = labelled.groups["all"]
    areas = []
    for weights in measured.bootstrap.weights:
        rows = np.repeat(np.arange(len(which)), weights[measured.image])
        areas.append(roc_auc_score(measured.positive[rows], measured.scores[rows]))
    area = roc_auc_score(measured.positive, measured.scores)
    expected = np.percentile(areas, [2.5, 97.5]) - np.mean(areas) + area
    assert measured.measure(AreaUnderCurve, which)["ci95"] == pytest.approx(np.clip(expected, 0, 1))


def colour_of(image):
    (world,) = WORLDS[image]
    return world.color


def holds(image, question, answer):
    """Said anew, for circles only."""
    if question.startswith("what"):
        return answer == colour_of(image)
    return answer == ("yes" if "circle" in question or colour_of(image) in question else "no")


@pytest.mark.parametrize("kind", MEASURED)
def test_true_negatives_are_counted_and_the_figures_are_without_them(report, kind):
    labelled = LabelledTriples(SPLITS["test"], kind, seed=2)
    negatives = [
        triple for triple, positive in zip(labelled.triples, labelled.positive) if not positive
    ]
    true = sum(holds(*triple) for triple in negatives)
    found = report["negatives"][kind]["truth"]
    assert (found["true"], found["false"], found["undetermined"]) == (
        true,
        len(negatives) - true,
        0,
    )
    assert true > 0 and found["share_true"]["value"] == pytest.approx(true / len(negatives))
    kept = labelled.triples[:30] + [triple for triple in negatives if not holds(*triple)]
    labels, scores = np.arange(len(kept)) < 30, score(kept)
    without = found["without_true"]
    assert without["negatives"] == len(kept) - 30
    assert without["by_type"]["all"]["auc"]["value"] == pytest.approx(roc_auc_score(labels, scores))
    assert without["by_type"]["all"]["accuracy"]["value"] == pytest.approx(
        np.mean((scores > 0.5) == labels)
    )


def test_table_3_is_train_and_dev_with_the_papers_negatives_and_test_without_any(report):
    for name, pairs in SPLITS.items():
        labelled = LabelledTriples(pairs, None if name == "test" else "paper", seed=2)
        right = (score(labelled.triples) > 0.5) == labelled.positive
        assert report["table3"][name]["value"] == pytest.approx(right.mean())
        assert report["table3"][name]["n"] == len(right)
    assert report["table3"]["test"]["n"] == 30
    assert report["table3_paper"]["vqa2"] == {"train": 0.896, "valid": 0.879, "test": 0.892}


def test_report_without_truth_shows_the_data_sets_own_column_alone():
    report = report_evaluator(SPLITS, "valid", LIKING, dataset="visual7w", seed=2, resamples=20)
    assert all("truth" not in figures for figures in report["negatives"].values())
    assert list(report["table3_paper"]) == ["visual7w"]
    text = format_report(report)
    assert (
        "true" not in text and "paper, visual7w" in text and "87.20" not in text and "87.2" in text
    )


def test_what_the_judge_cannot_tell_is_counted_and_left_out():
    def unsure(triples):
        return np.where([triple.answer == "yes" for triple in triples], np.nan, score(triples))

    judge = SimpleNamespace(name="unsure", identity={}, score=unsure)
    known = EasyVQATruth(WORLDS)
    report = report_evaluator(SPLITS, "test", judge, known, dataset="easy-vqa", seed=2, resamples=9)
    for kind, figures in report["negatives"].items():
        labelled = LabelledTriples(SPLITS["test"], kind, seed=2)
        told = np.array([answer != "yes" for _, _, answer in labelled.triples])
        assert figures["untold"] == (~told).sum() > 0
        assert figures["positives"] == (told & labelled.positive).sum()
        assert figures["by_type"]["all"]["accuracy"]["n"] == told.sum()
        assert sum(figures["truth"][key] for key in ("true", "false")) == figures["negatives"]
    table = format_report(report)
    assert "left out, the judge cannot tell" in table and "nan" not in table
    judge.score = lambda triples: np.full(len(triples), np.nan)
    with pytest.raises(InputError, match="the judge unsure can tell of no pair of a split"):
        report_evaluator(SPLITS, "test", judge, dataset="easy-vqa", seed=2, resamples=9)


def test_the_report_is_json_and_its_table_shows_each_kind_beside_what_the_truth_leaves(report):
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    lines = format_report(report).splitlines()
    for title in (
        "paper negatives",
        "paper, true ones removed",
        "hard negatives",
        "hard, true ones removed",
    ):
        assert title in lines[2]
    (true,) = [line for line in lines if "of these true" in line]
    assert f"{100 * report['negatives']['hard']['truth']['share_true']['value']:.2f}" in true
    assert not any("number" in line for line in lines), "no question asks for a number"


def test_a_types_rows_are_auc_and_accuracy_in_their_units(report):
    lines = [line.strip() for line in format_report(report).splitlines()]
    start = next(row for row, line in enumerate(lines) if line.startswith("yes/no"))
    assert [line.split("  ")[0] for line in lines[start + 1 : start + 3]] == ["AUC", "accuracy (%)"]
    assert lines[start + 3].startswith("other")
    figures = report["negatives"]["paper"]["by_type"]["yes/no"]
    # Four decimals of an area between 0 and 1, two of a percentage
    assert f"  {figures['auc']['value']:.4f} [" in lines[start + 1]
    assert f"  {100 * figures['accuracy']['value']:.2f} [" in lines[start + 2]


def test_intervals_are_over_images():
    """A resample draws images whole: an image that agrees within itself counts as one number."""
    pairs = [
        Pair(f"{i}.png", f"what {j} ?", "yes" if i < 5 else "no")
        for i in range(10)
        for j in range(20)
    ]
    labelled = LabelledTriples(pairs, None, seed=1)
    measured = Measured(labelled, score(labelled.triples), seed=1, resamples=500)
    low, high = measured.figures(labelled.groups["all"])["by_type"]["all"]["accuracy"]["ci95"]
    assert low < 0.25 and high > 0.75


def test_wrong_answers_of_people_are_negatives_and_choices():
    wrong = {
        pair: tuple(colour for colour in [*COLOURS, "pink"] if colour != pair.answer)[:3]
        for pair in SPLITS["test"]
        if "color" in pair.question
    }
    words = frozenset("what color is the shape ? there a circle yes no red blue teal".split())
    report = report_evaluator(
        SPLITS, "test", LIKING, dataset="x", wrong_answers=wrong, words=words, seed=2, resamples=20
    )
    people = report["negatives"]["people"]
    # Ten colours are asked for; the twenty other pairs get a shuffle, less what is listed.
    negatives = LabelledTriples(SPLITS["test"], "people", 2, wrong).triples[30:]
    colours = [triple for triple in negatives if "color" in triple[1] and triple[2] in COLOURS]
    assert people["negatives"] == len(negatives) and len(colours) >= 10
    gray = sum("gray" in f"{q} {a}".split() for _, q, a in negatives)
    assert people["unknown_words"]["negatives"]["with_unknown"] == gray > 0
    assert report["negatives"]["paper"]["unknown_words"]["positives"]["words"] == ["gray"]
    # Of blue and three others it likes blue; where blue is not among them, all tie.
    blue = sum(pair.answer == "blue" for pair in wrong)
    without = sum("blue" not in (pair.answer, *answers) for pair, answers in wrong.items())
    accuracy = report["four_way"]["by_type"]["all"]["judge"]
    assert accuracy["n"] == 10 and accuracy["value"] == pytest.approx((blue + without / 4) / 10)
    # It does not look, and does not mind.
    for control in ("question_and_answer", "answer", "image_swapped"):
        found = report["four_way"]["by_type"]["all"][control]
        assert found["value"] == pytest.approx(accuracy["value"])
    assert report["image_swap"]["auc"]["value"] == 0.5
    assert report["verdict"]["wrong_pairs"] == "people" and not report["verdict"]["rely"]
    table = format_report(report)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert "Seeing the image adds 0.0 [0.0, 0.0] points to question and answer." in table
    assert table.count("with an unknown word") == 2


def test_at_most_so_many_pairs_are_tested():
    splits = SPLITS | {"train": SPLITS["train"][:3], "valid": SPLITS["valid"][:3]}
    found = {}
    for most in (5, 0):
        report = report_evaluator(
            splits, "test", LIKING, dataset="x", most_pairs=most, seed=2, resamples=9
        )
        swap = report["image_swap"]
        found[most] = swap["pairs"] + swap["without_another_image"]
    assert found == {5: 5, 0: 30}
