import json
import shutil
from dataclasses import replace

import pytest

from vqapg.errors import InputError
from vqapg.evaluation.metrics import OURS
from vqapg.reports.conditions import StudyConditions
from vqapg.reports.study import format_study, read_study


def figure(value, low, high):
    return {"value": value, "n": 10, "ci95": [low, high]}


def metrics(n, truth, **changes):
    return {
        "pairs": 9673,
        "images": 1000,
        "malformed": 7,
        "distinct4": figure(n / 10_000, 0.0, 1.0),
        "unique_pairs": figure(n, n - 5, n + 5),
        "true_consistent": figure(truth, truth - 0.01, truth + 0.01),
    } | changes


@pytest.fixture
def folder(tmp_path):
    for model, seed, values in [
        ("joint", 1, metrics(3, 0.7)),
        ("joint_variational", 1, metrics(240, 0.88)),
        ("joint_variational", 2, metrics(230, 0.90)),
        ("joint_variational-no_scaling", 1, metrics(236, 0.80)),
        ("my_own", 1, metrics(50, 0.5)),
    ]:
        path = tmp_path / model / f"seed-{seed}" / "metrics.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values))
    return tmp_path


def study_text(folder):
    study = read_study(folder)
    return format_study(study, StudyConditions(folder, None).of_models(study, study))


def rows(text):
    """Table rows as lists of cells."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def test_models_come_in_the_papers_order_with_the_mean_over_seeds(folder):
    table = rows(study_text(folder))
    assert table[0] == ["model", "seeds", "D (%)", "N", "truly consistent (%)", "malformed"]
    assert [row[0] for row in table[2:6]] == [
        "Joint",
        "Joint*",
        "Joint* - scaling (keeps L_attn)",
        "my_own",
    ]
    # The mean of 240 and 230, and the widest of 235 to 245 and 225 to 235
    assert table[3][1:] == [
        "1, 2",
        "2.35 [0.00, 100.00]",
        "235 [225, 245]",
        "89.00 [87.00, 91.00]",
        "7",
    ]


def test_every_seed_stands_alone(folder):
    table = rows(study_text(folder))
    assert [
        "Joint*",
        "2",
        "2.30 [0.00, 100.00]",
        "230 [225, 235]",
        "90.00 [89.00, 91.00]",
        "7",
    ] in table


def test_claims_hold_or_not_or_are_not_told_apart(folder):
    verdicts = {(row[1], row[2]): row[-1] for row in rows(study_text(folder)) if len(row) == 8}
    assert verdicts["Variation makes the joint model more diverse", "N"] == "holds"
    assert (
        verdicts["Variation makes the joint model more consistent", "truly consistent (%)"]
        == "holds"
    )
    assert verdicts["Region scaling makes the joint model less diverse", "N"] == "not told apart"
    # N and the number of seeds stand beside.
    (row,) = [
        row
        for row in rows(study_text(folder))
        if row[1] == "Region scaling makes the joint model more consistent"
    ]
    assert row[5:] == ["235 / 236", "2 / 1", "holds"]
    # Models that were not run are not spoken of.
    assert not any("pipeline" in claim for claim, _ in verdicts)


def test_a_claim_that_is_the_other_way_round_does_not_hold(folder):
    path = folder / "joint_variational-no_scaling/seed-1/metrics.json"
    path.write_text(json.dumps(metrics(100, 0.95)))
    verdicts = {(row[1], row[2]): row[-1] for row in rows(study_text(folder)) if len(row) == 8}
    assert verdicts["Region scaling makes the joint model less diverse", "N"] == "does not hold"
    assert (
        verdicts["Region scaling makes the joint model more consistent", "truly consistent (%)"]
        == "does not hold"
    )


def test_seed_without_a_pair_leaves_the_others_figures(folder):
    nothing = {"value": None, "n": 0, "ci95": None}
    path = folder / "joint_variational/seed-2/metrics.json"
    formless = metrics(0, 0, malformed=9673, distinct4=nothing, unique_pairs=nothing)
    path.write_text(json.dumps(formless | {"true_consistent": nothing}))
    text = study_text(folder)
    (row,) = [row for row in rows(text) if row[:2] == ["Joint*", "1, 2"]]
    assert row[3:5] == ["240 [235, 245] (1 of 2 seeds)", "88.00 [87.00, 89.00] (1 of 2 seeds)"]
    assert "Joint* of seed 2 has no figures: none of its pairs is well-formed." in text
    # Of the seeds that there are one could be chosen by chance: no claim holds.
    claims = {(row[1], row[2]): row[-1] for row in rows(text) if len(row) == 8}
    assert claims["Variation makes the joint model more diverse", "N"] == "not known"
    assert "P (%)" not in {measure for _, measure in claims}


def test_both_readings_of_table_5_have_rows_and_claims(folder):
    for model, n in (("-no_scaling-no_alignment", 300), ("-no_alignment", 310)):
        path = folder / f"joint_variational{model}/seed-1/metrics.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(metrics(n, 0.60)))
    table = rows(study_text(folder))
    assert [row[0] for row in table[4:7]] == [
        "Joint* - scaling (keeps L_attn)",
        "Joint* - scaling and L_attn",
        "Joint* - alignment",
    ]
    # 0.89 against 0.60; 300 pairs against 235; 0.60 against 0.60
    assert {(row[1], row[2]): row[-1] for row in table if row[0] == "Table 5, other reading"} == {
        (
            "Region scaling and L_attn make the joint model more consistent",
            "truly consistent (%)",
        ): "holds",
        ("Region scaling and L_attn make the joint model less diverse", "D (%)"): "not told apart",
        ("Region scaling and L_attn make the joint model less diverse", "N"): "holds",
        (
            "Region scaling makes the joint model without L_attn more consistent",
            "truly consistent (%)",
        ): "not told apart",
    }


def test_the_study_says_its_conditions(folder):
    assert "- **Preset:** unknown\n- **Seeds:** 1, 2\n- **Device:** unknown\n" in study_text(folder)


def test_a_figure_without_interval_is_a_dash(folder):
    path = folder / "joint/seed-1/metrics.json"
    path.write_text(
        json.dumps(metrics(3, 0.7, true_consistent={"value": None, "n": 0, "ci95": None}))
    )
    assert rows(study_text(folder))[2][-2] == "-"


def test_a_folder_without_metrics_is_an_empty_study(tmp_path):
    (tmp_path / "joint/seed-1").mkdir(parents=True)
    assert read_study(tmp_path) == {}


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "broken or cut JSON"),
        ("[]", "holds no figures"),
        ('{"pairs": 3}', "has no count of images"),
        ('{"pairs": "x"}', "has no count of pairs"),
        (json.dumps(metrics(3, 0.7, distinct4=3)), "distinct4 is no figure"),
        (
            json.dumps(metrics(3, 0.7, distinct4=figure(float("nan"), 0, 1))),
            "NaN is not a JSON number",
        ),
        (
            json.dumps(metrics(3, 0.7, true_consistent=figure("a", 0, 1))),
            "true_consistent is no figure",
        ),
        (
            json.dumps(metrics(3, 0.7, bleu4={"value": 0.5, "n": 3, "ci95": [0.1]})),
            "bleu4 is no figure",
        ),
        (json.dumps(metrics(3, 0.7, bleu4={"ci95": None})), "bleu4 is no figure"),
        (json.dumps({"pairs": 1, "images": 1, "malformed": 0}), "distinct4 is no figure"),
    ],
)
def test_what_are_no_metrics_are_refused(folder, text, message):
    (folder / "joint/seed-1/metrics.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_study(folder)


@pytest.mark.parametrize(
    "changes", [{"pairs": 10}, {"images": 10}, {"split": "valid"}, {"evaluator": {"sha256": "ab"}}]
)
def test_what_was_not_measured_alike_is_not_compared(folder, changes):
    (folder / "joint_variational/seed-2/metrics.json").write_text(
        json.dumps(metrics(3, 0.7, **changes))
    )
    with pytest.raises(
        InputError, match="joint_variational/seed-2/metrics.json: is over other pairs or images"
    ):
        read_study(folder)


def test_two_versions_of_a_metric_are_not_compared(folder):
    for seed, version in ((1, 1), (2, 2)):
        (folder / f"joint_variational/seed-{seed}/metrics.json").write_text(
            json.dumps(metrics(3, 0.7, metric_versions={"distinct4": version}))
        )
    with pytest.raises(InputError, match="seed-2.*has version 2 of distinct4, and .* version 1"):
        read_study(folder)


def test_where_a_judges_file_lies_makes_no_difference(folder):
    for seed in (1, 2):
        path = folder / f"joint_variational/seed-{seed}/metrics.json"
        judge = {"path": f"copy-{seed}.pt", "sha256": "ab"}
        path.write_text(json.dumps(metrics(3, 0.7, evaluator=judge)))
    for model in ("joint", "joint_variational-no_scaling", "my_own"):
        shutil.rmtree(folder / model)
    assert list(read_study(folder)["joint_variational"]) == [1, 2]


def test_a_metric_of_another_package_has_a_column(folder, monkeypatch):
    words = replace(OURS["mean_score"], key="words", label="words", symbol="")
    monkeypatch.setattr("vqapg.reports.study.added_metrics", lambda: {"words": words})
    path = folder / "joint/seed-1/metrics.json"
    path.write_text(json.dumps(metrics(3, 0.7, words=figure(4.0, 3.5, 4.5))))
    table = rows(study_text(folder))
    at = table[0].index("words")
    assert (table[2][at], table[3][at]) == ("4.000 [3.500, 4.500]", "-")


def test_a_seed_may_not_be_there_twice(folder):
    (folder / "joint/seed-1").rename(folder / "joint/seed-01")
    (folder / "joint/seed-1").mkdir()
    (folder / "joint/seed-1/metrics.json").write_text(json.dumps(metrics(3, 0.7)))
    with pytest.raises(InputError, match="seed 1 of joint is there twice"):
        read_study(folder)
