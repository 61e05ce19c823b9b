import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.human import Group, ShownPair, compute_human, group_diversity, normalise_label
from vqapg.evaluation.human_summary import format_human


def make_group(name, model, image, pairs):
    return Group(
        name,
        model,
        image,
        tuple(ShownPair(f"{name}p{number + 1}", "q", "a") for number in range(pairs)),
    )


def judge(group, marks="", types="", objects=""):
    """{pair id: fields} from space-separated marks, types and objects; "." leaves out."""
    judged = {}
    for field, given_values in (
        ("consistency", marks),
        ("question_type", types),
        ("object", objects),
    ):
        for pair, value in zip(group.pairs, given_values.split(), strict=False):
            if value != ".":
                judged.setdefault(pair.id, {})[field] = value
    return judged


def test_the_papers_example_of_diversity():
    types = ["what kind", "what is", "what brand", "what color"]
    assert group_diversity(types, ["computer", "screen", "computer", "computer"]) == 0.75


def test_the_papers_example_of_consistency():
    # Windows 2, Apple 2, Unknown 1 (appendix C.2); the laptop is not scored there, here it cannot
    # be judged.
    group = make_group("g", "joint", 0, 4)
    figures = compute_human([group], {"a": judge(group, "? 2 2 1")}, 1)
    assert figures["models"]["joint"]["consistency"] == {
        "value": (1 + 1 + 1 + 0.5) / 4,
        "n": 4,
        "ci95": None,
    }
    assert figures["models"]["joint"]["cannot_judge"]["value"] == 0.25


def test_no_object_is_no_unique_object():
    assert group_diversity(["what time", "what day"], ["-", "-"]) == (2 / 2 + 0 / 2) / 2
    assert group_diversity(["what is", "what is"], ["cat", "-"]) == (1 / 2 + 1 / 2) / 2


def test_labels_are_the_same_however_they_are_written():
    assert normalise_label(" What  Color?") == normalise_label("what color") == "what color"
    assert group_diversity(["Is there", "is there "], ["Cat", "cat."]) == 0.5


@pytest.fixture
def study():
    """Two models, two images, two annotators; ben has not finished."""
    groups = [
        make_group("g1", "one", 0, 2),
        make_group("g2", "one", 1, 4),
        make_group("g3", "two", 0, 2),
        make_group("g4", "two", 1, 1),
    ]
    anna = (
        judge(groups[0], "2 0", "x y", "cat cat")
        | judge(groups[1], "1 1 2 ?", "x x x x", "cat dog cow -")
        | judge(groups[2], "2 2", "x x", "cat cat")
        | judge(groups[3], "0", "x", "cat")
    )
    ben = judge(groups[0], "2 2", "x x", "cat cat") | judge(groups[1], "1 . . .", "x x", "cat dog")
    return groups, {"anna": anna, "ben": ben}


def test_figures_computed_by_hand(study):
    figures = compute_human(*study, 2)
    one, two = figures["models"]["one"], figures["models"]["two"]
    # anna: (2/2 + 1/2) / 2 and (1/4 + 3/4) / 2; ben has finished one group: (1/2 + 1/2) / 2.
    anna, ben = (0.75 + 0.5) / 2, 0.5
    assert one["diversity_before_count"]["value"] == pytest.approx((anna + ben) / 2)
    # The model with the most pairs, 6 of 6; the other has 3 of 6.
    assert (one["count"], one["count_ratio"], two["count"], two["count_ratio"]) == (6, 1, 3, 0.5)
    assert one["diversity"]["value"] == pytest.approx((anna + ben) / 2)
    assert one["diversity"]["n"] == 3
    assert two["diversity_before_count"]["value"] == pytest.approx((0.5 + 1) / 2)
    assert two["diversity"]["value"] == pytest.approx((0.5 + 1) / 2 * 3 / 6)
    # Means of annotators, who judged 6 and 3 pairs.
    assert one["consistency"]["value"] == pytest.approx(
        ((1 + 0 + 0.5 + 0.5 + 1 + 1) / 6 + (1 + 1 + 0.5) / 3) / 2
    )
    assert one["consistency"]["n"] == 9
    assert two["consistency"]["value"] == pytest.approx((1 + 1 + 0) / 3)
    assert one["cannot_judge"]["value"] == pytest.approx((1 / 6 + 0) / 2)
    of_ben = {"groups": 1, "pairs": 3, "diversity": 0.5, "consistency": pytest.approx(2.5 / 3)}
    assert one["annotators"]["ben"] == of_ben
    assert two["annotators"]["anna"]["diversity"] == pytest.approx(0.75 * 0.5)
    assert two["annotators"]["ben"] == {
        "groups": 0,
        "pairs": 0,
        "diversity": None,
        "consistency": None,
    }


def test_agreement_computed_by_hand(study):
    agreement = compute_human(*study, 2)["agreement"]
    # Judged by both: (2, 2), (0, 2), (1, 1). Observed disagreement 2 of 6 values; 0 once, 1 twice,
    # 2 three times: expected 2 (1*2 + 1*3 + 2*3) / 30.
    assert agreement["consistency_marks"]["value"] == pytest.approx(1 - (2 / 6) / (22 / 30))
    assert agreement["consistency_marks"]["n"] == agreement["consistency"]["n"] == 3
    # The two pairs of g1, and the first two of g2: anna says different, same; ben same, same.
    assert agreement["question_type"]["n"] == 2
    assert agreement["question_type"]["value"] == pytest.approx(1 - (2 / 4) / (2 * 3 / 12))
    # Same, same; different, different.
    assert agreement["object"]["value"] == 1
    assert [agreement[key]["level"] for key in ("consistency", "consistency_marks")] == [
        "ordinal",
        "nominal",
    ]


def test_cannot_judge_agrees_with_right_in_the_scores_not_in_the_marks():
    groups = [make_group("g", "one", image, 2) for image in range(2)]
    groups[1] = make_group("h", "one", 1, 2)
    judgements = {
        "a": judge(groups[0], "2 0") | judge(groups[1], "2 1"),
        "b": judge(groups[0], "? 0") | judge(groups[1], "2 1"),
    }
    agreement = compute_human(groups, judgements, 2)["agreement"]
    assert agreement["consistency"]["value"] == 1
    assert agreement["consistency_marks"]["value"] < 1


def test_one_annotator_agrees_with_nobody(study):
    groups, judgements = study
    agreement = compute_human(groups, {"anna": judgements["anna"]}, 2)["agreement"]
    assert {alpha["value"] for alpha in agreement.values()} == {None}
    assert {alpha["n"] for alpha in agreement.values()} == {0}


def test_one_annotator_is_told_what_agreement_needs(study):
    groups, judgements = study
    figures = compute_human(groups, {"anna": judgements["anna"]}, 2) | {"paper_table_6": {}}
    text = format_human(figures)
    assert text.endswith("\n\nagreement needs two annotators of the same pairs")
    assert "alpha" not in text and "nan" not in text


MARKS = st.lists(st.lists(st.sampled_from("012?"), min_size=1, max_size=4), min_size=2, max_size=5)


@given(MARKS, MARKS)
def test_intervals_are_the_obvious_loop(first, second):
    """Two models, one annotator; each resample is computed anew from what its images hold."""
    images = min(len(first), len(second))
    groups, judged = [], {}
    for model, marks_of in (("one", first), ("two", second)):
        for image, marks in enumerate(marks_of[:images]):
            groups.append(make_group(f"{model}{image}", model, image, len(marks)))
            types, objects = (
                " ".join(f"type-{mark}" for mark in marks),
                " ".join("x" for _ in marks),
            )
            judged |= judge(groups[-1], " ".join(marks), types, objects)
    figures = compute_human(groups, {"a": judged}, images, seed=5, resamples=30)

    def of_images(drawn, model):
        own = [(first if model == "one" else second)[image] for image in drawn]
        scores = [{"0": 0, "1": 0.5}.get(mark, 1) for marks in own for mark in marks]
        diversity = np.mean([(len(set(marks)) + 1) / len(marks) / 2 for marks in own])
        counts = [sum(len(of[image]) for image in drawn) for of in (first, second)]
        return diversity * counts[model == "two"] / max(counts), np.mean(scores)

    for model in ("one", "two"):
        values = of_images(range(images), model)
        replicates = [
            of_images(np.repeat(np.arange(images), weights), model)
            for weights in ImageBootstrap(images, 30, 5).weights
        ]
        for number, key in enumerate(("diversity", "consistency")):
            figure, value = figures["models"][model][key], values[number]
            replicate = [of_resample[number] for of_resample in replicates]
            assert figure["value"] == pytest.approx(value)
            expected = np.clip(
                np.percentile(replicate, [2.5, 97.5]) - np.mean(replicate) + value, 0, 1
            )
            assert figure["ci95"] == pytest.approx(expected)


def test_the_interval_of_a_figure_from_one_image_is_none(study):
    groups, _ = study
    only_ben = {"ben": judge(groups[0], "2 0", "x y", "cat dog")}
    figures = compute_human(groups, only_ben, 2)["models"]["one"]
    assert figures["diversity"]["value"] is not None and figures["diversity"]["ci95"] is None


def test_the_table_shows_models_annotators_and_the_paper(study):
    paper = {"Pipeline*": {"count": 365, "diversity": 0.75, "consistency": 0.58}}
    lines = format_human(compute_human(*study, 2) | {"paper_table_6": paper}).splitlines()
    (one,) = [line for line in lines if line.startswith("one ")]
    assert one.split()[:3] == ["one", "6", "0.56"] and one.endswith("3 groups, 9 pairs")
    (ben,) = [line for line in lines if line.startswith("  two, ben")]
    assert ben.split() == ["two,", "ben", "-", "-", "0", "groups,", "0", "pairs"]
    (of_paper,) = [line for line in lines if line.startswith("paper: Pipeline*")]
    assert of_paper.split()[2:5] == ["365", "0.75", "0.58"]
    assert any(line.startswith("consistency 0 < 1 < 2") and "ordinal" in line for line in lines)


def test_a_group_without_all_objects_has_no_diversity():
    group = make_group("g", "one", 0, 2)
    objects = {"a": "cat .", "b": "cat dog"}
    judgements = {name: judge(group, "2 2", "x y", given) for name, given in objects.items()}
    figures = compute_human([group], judgements, 1)["models"]["one"]
    assert figures["annotators"]["a"]["groups"] == 0 and figures["annotators"]["b"]["groups"] == 1
    assert figures["diversity"]["value"] == 1


def test_agreement_is_over_every_two_pairs_of_a_group():
    group = make_group("g", "one", 0, 3)
    judgements = {name: judge(group, types="x y x", objects="cat cat dog") for name in "ab"}
    agreement = compute_human([group], judgements, 1)["agreement"]
    # First and second, first and third, second and third
    assert agreement["question_type"]["n"] == agreement["object"]["n"] == 3
    assert agreement["question_type"]["value"] == agreement["object"]["value"] == 1


def test_the_table_shows_in_percent_what_could_not_be_judged(study):
    lines = format_human(compute_human(*study, 2) | {"paper_table_6": {}}).splitlines()
    (one,) = [line for line in lines if line.startswith("one ")]
    # anna could not judge 1 of 6 pairs, ben none.
    assert " 8.3" in one
