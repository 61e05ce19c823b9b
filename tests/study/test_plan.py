"""configs/study.yaml, the plan: every run is needed, and every result has what it needs."""

from pathlib import Path

import pytest

from vqapg.errors import InputError
from vqapg.study.plan import Run, read_plan
from vqapg.study.settings import compose

REPOSITORY = Path(__file__).parents[2]
PATH = REPOSITORY / "configs/study.yaml"
PLAN = read_plan(PATH)


def test_plan_has_every_table_and_figure_of_results():
    # Table 1 is of formulas, and Figures 1 to 4 are drawings.
    assert list(PLAN.results) == [
        *(f"table{number}" for number in range(2, 11)),
        *(f"figure{number}" for number in range(5, 9)),
        "quickstart",
    ]


def test_every_run_is_needed_by_a_result():
    needed = {run for result in PLAN.results.values() for run in result.runs}
    others = [file for result in PLAN.results.values() for file in result.also]
    assert {file.partition("/")[0] for file in others} <= needed
    assert set(PLAN.runs) == needed


@pytest.mark.parametrize("run", PLAN.runs.values(), ids=PLAN.runs)
def test_every_run_has_a_model_and_known_settings(run):
    assert (REPOSITORY / f"configs/{run.model}.yaml").is_file()
    changed, usual = compose(run.model, "paper", None, run.changes), compose(run.model, "paper")
    # A run that says that it differs does.
    assert (changed != usual) == bool(run.changes)


def test_table_5_has_both_readings_of_no_scaling():
    assert PLAN.runs["joint_variational-no_scaling"].changes == ("model.region_scaling=false",)
    assert PLAN.runs["joint_variational-no_scaling-no_alignment"].changes == (
        "model.region_scaling=false",
        "criterion.attention_alignment_weight=0",
    )
    assert {
        "joint_variational-no_scaling",
        "joint_variational-no_scaling-no_alignment",
    } < set(PLAN.results["table5"].runs)


def test_table_8_has_baseline_control_and_three_models_a_task():
    names = ["baseline", "control", "pipeline", "joint", "sequential"]
    runs = [PLAN.runs[name] for name in PLAN.results["table8"].runs]
    assert [run.model for run in runs] == ["vqg"] * 5 + ["vqa"] * 5
    for run, name in zip(runs, names * 2):
        assert run.name.split("/")[2].startswith(name)
    before = [run.pretrained_on for run in runs[:5]]
    assert before == [
        None, "gold", "pipeline_variational", "joint_variational", "sequential_variational",
    ]  # fmt: skip


def test_files_of_a_result_are_those_of_first_seed_first():
    assert PLAN.files(["figure5"], [4, 2]) == [
        f"{run}/seed-{seed}/metrics.json"
        for seed in (4, 2)
        for run in (
            "pipeline_variational", "sequential_variational",
            "pipeline_variational-qa", "sequential_variational-qa",
        )
    ]  # fmt: skip
    assert PLAN.files(["figure7"], [4, 2]) == ["joint_variational/seed-4/attention.json"]


def test_quickstart_evaluates_once():
    files = PLAN.files(["quickstart"], [1])
    assert files == ["evaluator/evaluator.json", "joint_variational/seed-1/generate-test.txt"]
    script = (REPOSITORY / "scripts/quickstart.sh").read_text()
    assert script.count("\nvqapg evaluate ") == 1 and f"$run/{files[1]}" in script


def test_baselines_take_first_seed_and_evaluators_none():
    assert PLAN.runs["joint"].folders([4, 2]) == {"joint/seed-4": 4}
    assert PLAN.runs["evaluator"].folders([4, 2]) == {"evaluator": 1}
    assert Run("x", "joint").folders([4, 2]) == {"x/seed-4": 4, "x/seed-2": 2}


def test_unknown_result_is_told_with_the_nearest():
    with pytest.raises(InputError, match="--only tabel4: is no table or figure .*mean table4"):
        PLAN.chosen(["tabel4"])


@pytest.mark.parametrize(
    "change, message",
    [
        (("  joint: {", "  joynt: {"), "has no run joint, which it needs; add it"),
        (("file: metrics.json", "fil: metrics.json"), "is no plan of a study"),
        (("runs:\n", "runs: [\n"), "is no plan of a study"),
        (("seeds: first", "seed: first"), "is no plan of a study"),
    ],
)
def test_broken_plan_is_told_in_a_line(tmp_path, change, message):
    path = tmp_path / "study.yaml"
    path.write_text(PATH.read_text().replace(*change))
    with pytest.raises(InputError, match=message) as error:
        read_plan(path)
    assert str(error.value).startswith(f"{path}: ")
