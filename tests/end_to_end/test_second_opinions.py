"""What judges the judges, through the commands.

These are check-evaluator, and round-trip with an answerer that sees and one that is blind.
"""

import json

import numpy as np
import pytest

import vqapg as vqapg_api
from tests.support.fairseq_commands import fairseq
from tests.support.world import CONSISTENCY, IMAGES, OPTIMIZER, SMALL, vqapg
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.errors import InputError
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Triple
from vqapg.judges.vqa import VQAJudge

PAIRS = 3 * IMAGES["test"]
VQA = ["--task", "vqapg", "--arch", "vqapg_vqa", "--criterion", "vqapg_elbo", *SMALL]


@pytest.fixture(scope="module")
def answerers(world, tmp_path_factory):
    """Checkpoints of a VQA model that sees, and of a blind one."""
    folder = tmp_path_factory.mktemp("answerers")
    for name, flags in (("seeing", []), ("blind", ["--blind"])):
        end = ["--max-epoch", 8, "--no-epoch-checkpoints", "--save-dir", folder / name]
        fairseq("train", world / "data", *VQA, *flags, *OPTIMIZER, *end)
    return folder / "seeing/checkpoint_last.pt", folder / "blind/checkpoint_last.pt"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    lines = [
        {"image": "images/test0.png", "question": "What color is the square?", "answer": "red"},
        {"image": "images/test0.png", "question": "What color is the square?", "answer": "red"},
        {"image": "images/test1.png", "question": "Is there a black square?", "answer": "no"},
        {"image": "images/test2.png", "question": "Is there a black square?", "answer": ""},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_check_evaluator_measures_pairs_against_both_kinds_of_negatives(world, tmp_path, capsys):
    evaluator = world / "consistency/checkpoint_last.pt"
    for name in ("a.json", "b.json"):
        vqapg(
            "check-evaluator", world / "data", "--evaluator", evaluator, "--output", tmp_path / name
        )
    report = json.loads((tmp_path / "a.json").read_text())
    assert report == json.loads((tmp_path / "b.json").read_text())
    assert report["evaluator"]["negatives"] == "paper" and set(report["negatives"]) == {
        "paper",
        "hard",
    }
    for figures in report["negatives"].values():
        assert figures["positives"] == PAIRS and 0 < figures["negatives"] <= PAIRS
        assert 0 <= figures["by_type"]["all"]["auc"]["value"] <= 1 and "truth" not in figures
    assert (
        report["table3"]["test"]["n"] == PAIRS
        and report["table3"]["train"]["n"] > 3 * IMAGES["train"]
    )
    out = capsys.readouterr().out
    assert "trained with paper negatives" in out and "Table 3" in out


def test_report_names_published_negatives(world, tmp_path):
    end = ["--max-epoch", 1, "--no-epoch-checkpoints", "--save-dir", tmp_path]
    flags = [*CONSISTENCY, "--negatives", "published"]
    fairseq("train", world / "data", *flags, *OPTIMIZER, *end)
    evaluator, report = tmp_path / "checkpoint_last.pt", tmp_path / "evaluator.json"
    vqapg("check-evaluator", world / "data", "--evaluator", evaluator, "--output", report)
    assert json.loads(report.read_text())["evaluator"]["negatives"] == "published"


def test_its_dev_figure_is_what_training_logs_whatever_the_batch_size(world, tmp_path):
    evaluator = world / "consistency/checkpoint_last.pt"
    vqapg(
        "check-evaluator",
        world / "data",
        "--evaluator",
        evaluator,
        "--output",
        tmp_path / "report.json",
    )
    dev = json.loads((tmp_path / "report.json").read_text())["table3"]["valid"]["value"]
    for batch_size in (2, 50):
        done = fairseq(
            "validate",
            world / "data",
            "--task",
            "vqapg_consistency",
            "--path",
            evaluator,
            "--valid-subset",
            "valid",
            "--batch-size",
            batch_size,
            "--seed",
            1,
            "--cpu",
        )
        (line,) = [
            line for line in (done.stdout + done.stderr).splitlines() if "| accuracy " in line
        ]
        assert float(line.split("| accuracy ")[1].split(" ")[0]) == pytest.approx(
            100 * dev, abs=0.01
        )


def test_round_trip_asks_both_answerers_about_generated_and_gold_pairs(
    world, answerers, pairs, tmp_path, capsys
):
    seeing, blind = answerers
    arguments = ["--pairs", pairs, "--answerer", seeing]
    vqapg(
        "round-trip",
        world / "data",
        *arguments,
        "--blind-answerer",
        blind,
        "--output",
        tmp_path / "both.json",
    )
    result = json.loads((tmp_path / "both.json").read_text())
    assert (result["pairs"], result["malformed"], result["generated"]["exact"]["n"]) == (4, 1, 2)
    assert result["gold"]["exact"]["n"] == PAIRS
    # Two thirds of the answers hang on the words alone: a blind model can know these, and no more
    # than chance of colours.
    assert result["gold"]["blind"]["exact_by_type"]["yes/no"]["n"] == 2 * IMAGES["test"]
    colours = result["gold"]["blind"]["exact_by_type"]["other"]
    assert colours["n"] == IMAGES["test"] and colours["value"] in (
        1 / 5,
        2 / 5,
    )  # one colour said of all: 2 red, 2 blue, 1 green
    assert "seeing above blind" in capsys.readouterr().out
    vqapg("round-trip", world / "data", *arguments, "--beam", 3, "--output", tmp_path / "one.json")
    one = json.loads((tmp_path / "one.json").read_text())
    assert (
        set(one["provenance"]["inputs"]) == {"data", "pairs", "answerer"}
        and "blind" not in one["gold"]
        and one["beam"] == 3
    )


def test_the_vqa_judge_scores_what_round_trip_counts(world, answerers, pairs, tmp_path):
    judge = f"vqa:{answerers[0]}"
    scores = vqapg_api.score(world / "data", pairs, judge=judge)
    assert set(scores[:3]) <= {0.0, 1.0} and scores[0] == scores[1] and np.isnan(scores[3])
    arguments = ["--pairs", pairs, "--answerer", answerers[0], "--output", tmp_path / "one.json"]
    vqapg("round-trip", world / "data", *arguments)
    result = json.loads((tmp_path / "one.json").read_text())
    assert result["generated"]["exact"]["value"] == scores[1:3].mean()
    vqapg("check-evaluator", world / "data", "--judge", judge, "--output", tmp_path / "vqa.json")
    report = json.loads((tmp_path / "vqa.json").read_text())
    assert report["judge"]["judge"] == "vqa" and report["evaluator"] is None
    # A pair is accepted where the model gives its answer.
    assert report["table3"]["test"]["value"] == result["gold"]["exact"]["value"]


def test_graded_and_seeing_vqa_judges_follow_round_trip(world, answerers, pairs, tmp_path):
    seeing, blind = answerers
    flags = ["--pairs", pairs, "--answerer", seeing, "--blind-answerer", blind]
    vqapg("round-trip", world / "data", *flags, "--output", tmp_path / "both.json")
    gold = json.loads((tmp_path / "both.json").read_text())["gold"]

    def mean(options):
        judge = f"vqa:{seeing}?{options}"
        given = [tuple(pair) for pair in DataDirectory(world / "data").pairs("test")]
        return vqapg_api.score(world / "data", given, judge=judge).mean()

    assert mean("score=f1") == pytest.approx(gold["f1"]["value"])
    # Right with the image less right without it, where the blind one is right only then.
    seen = mean(f"blind={blind}")
    exact, without = gold["exact"]["value"], gold["blind"]["exact"]["value"]
    assert max(exact - without, 0) <= seen <= min(exact, 1 - without)
    # As its own control nothing is left.
    judge = VQAJudge(f"{seeing}?blind={blind}", JudgeContext(DataDirectory(world / "data")))
    judge.blind = judge.answerer
    triples = [Triple(*pair) for pair in DataDirectory(world / "data").pairs("test")]
    assert exact > 0 and not judge.score(triples).any()
    assert judge.identity["blind"]["path"] == str(blind) and ":blind:" in judge.name


def test_blind_option_takes_only_a_blind_checkpoint(world, answerers):
    seeing, _ = answerers
    with pytest.raises(InputError, match="is not blind; give a vqapg_vqa trained with --blind"):
        VQAJudge(f"{seeing}?blind={seeing}", JudgeContext(DataDirectory(world / "data")))


def test_evaluator_and_round_trip_are_averaged(world, answerers, pairs, tmp_path, capsys):
    evaluator, output = world / "consistency/checkpoint_last.pt", tmp_path / "metrics.json"
    judges = ["--judge", f"evaluator:{evaluator}", "--judge", f"vqa:{answerers[0]}?score=f1"]
    vqapg("evaluate", world / "data", "--pairs", pairs, *judges, "--output", output)
    metrics = json.loads(output.read_text())
    names = [judge["name"] for judge in metrics["judge"]["judges"]]
    assert names[0].startswith("evaluator:") and names[1].endswith(":f1")
    assert all(
        judge["calibration"]["n"] == 6 * IMAGES["valid"] for judge in metrics["judge"]["judges"]
    )
    assert metrics["judges_agreement"]["pairs"][0]["agreed"]["n"] == 2
    assert f"{names[0]} and {names[1]} agree on" in capsys.readouterr().out


def error_of(capsys, *arguments):
    assert main([str(argument) for argument in arguments]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    return line


@pytest.mark.parametrize(
    "answerer, blind_answerer, expected",
    [
        (
            "blind",
            None,
            "blind/checkpoint_last.pt: is blind; give a vqapg_vqa trained without --blind",
        ),
        (
            "seeing",
            "seeing",
            "seeing/checkpoint_last.pt: is not blind; give a vqapg_vqa trained with --blind",
        ),
        (
            "generation",
            None,
            "generation/checkpoint_last.pt: does not answer questions; give a checkpoint of --arch "
            "vqapg_vqa",
        ),
        ("consistency", None, "vqapg_consistency is no model of --task vqapg"),
        ("none", None, "there is no such file"),
    ],
)
def test_what_is_no_answerer_is_refused_in_one_line(
    world, answerers, pairs, tmp_path, capsys, answerer, blind_answerer, expected
):
    paths = {path.parent.name: path for path in answerers}
    paths |= {
        name: world / name / "checkpoint_last.pt" for name in ("generation", "consistency", "none")
    }
    control = ["--blind-answerer", paths[blind_answerer]] if blind_answerer else []
    output = tmp_path / "round-trip.json"
    line = error_of(
        capsys,
        "round-trip",
        world / "data",
        "--pairs",
        pairs,
        "--answerer",
        paths[answerer],
        *control,
        "--output",
        output,
    )
    assert expected in line and not output.exists()


@pytest.mark.parametrize(
    "command, arguments, expected",
    [
        (
            "check-evaluator",
            ["--evaluator", "{world}/none.pt"],
            "--evaluator {world}/none.pt: there is no such file",
        ),
        (
            "check-evaluator",
            ["--evaluator", "{world}/generation/checkpoint_last.pt"],
            "is no model of --task vqapg_consistency",
        ),
        (
            "check-evaluator",
            ["--evaluator", "{world}/consistency/checkpoint_last.pt", "--seed", "-1"],
            "--seed -1",
        ),
        (
            "round-trip",
            ["--pairs", "{pairs}", "--answerer", "{pairs}", "--beam", "0"],
            "--beam 0: too small; give 1 or more",
        ),
        (
            "round-trip",
            ["--pairs", "{pairs}", "--answerer", "{pairs}"],
            "not a whole checkpoint of a vqapg model",
        ),
    ],
)
def test_bad_input_is_refused_in_one_line(
    world, pairs, tmp_path, capsys, command, arguments, expected
):
    arguments = [argument.format(world=world, pairs=pairs) for argument in arguments]
    line = error_of(capsys, command, world / "data", *arguments, "--output", tmp_path / "out.json")
    assert expected.format(world=world) in line and not (tmp_path / "out.json").exists()


def test_a_command_never_writes_over_what_it_reads(world, pairs, capsys):
    evaluator = world / "consistency/checkpoint_last.pt"
    line = error_of(
        capsys, "check-evaluator", world / "data", "--evaluator", evaluator, "--output", evaluator
    )
    assert "is read by this very command" in line
    line = error_of(
        capsys,
        "round-trip",
        world / "data",
        "--pairs",
        pairs,
        "--answerer",
        evaluator,
        "--output",
        pairs,
    )
    assert "is read by this very command" in line
