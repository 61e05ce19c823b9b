"""Every table and figure says under which conditions its figures of ours were made."""

import csv
import hashlib
import json
import shutil

import pytest
from PIL import Image

from tests.support.study_folder import (
    evaluator,
    figure,
    looked_pair,
    metrics,
    study_file,
    trained,
    write,
    write_attention,
    write_study,
)
from vqapg.cli.main import main
from vqapg.errors import InputError
from vqapg.evaluation.judge_verdict import NOT_CHECKED
from vqapg.reports.report import write_report

PRESET = "small (two CPU cores, minutes)"
SETTINGS = ": at most 8 epochs, 64 pairs an update, 128 wide, learning rate 0.002"
DATA = "easy-vqa, 31,000 / 7,575 / 9,673 pairs of 3,200 / 800 / 1,000 images in train / dev / test"
JUDGE = (
    "evaluator, trained with paper negatives; updates 3,300; weights best on dev, after epoch 12; "
    "accuracy 93.00% on test pairs and their negatives; verdict: " + NOT_CHECKED
)
LABELS = ("Preset", "Seeds", "Device", "Updates", "Data", "Evaluator")


@pytest.fixture
def folder(tmp_path):
    return write_study(tmp_path / "study")


def conditions(text):
    """{label: what is said} of the first list of conditions in a text."""
    lines = text[text.index("- **Preset:** ") :].splitlines()[: len(LABELS)]
    found = dict(line.removeprefix("- **").split(":** ", 1) for line in lines)
    assert tuple(found) == LABELS
    return found


def of_part(report, head):
    """The conditions of a table or figure of report.md."""
    (part,) = [part for part in report.split("\n## ") if part.startswith(f"{head}:")]
    return conditions(part)


def made(folder, out):
    write_report(folder, out, overwrite=True)
    return (out / "report.md").read_text()


def test_a_caption_names_the_file_of_ones_own_pairs(folder, tmp_path):
    manifest = json.loads((folder / "data/manifest.json").read_text())
    own = {"dataset": "jsonl", "source": "/home/anna/street.jsonl"}
    write(folder / "data/manifest.json", manifest | own)
    data = conditions(made(folder, tmp_path / "report"))["Data"]
    assert data.startswith("street.jsonl (jsonl), 31,000 / 7,575 / 9,673 pairs of ")


def test_a_table_says_all_its_conditions(folder, tmp_path):
    assert of_part(made(folder, tmp_path / "out"), "Table 4") == {
        "Preset": PRESET + SETTINGS,
        "Seeds": "1, 2",
        "Device": "CPU, 2 cores",
        # 1,500 of one model; 1,000 and 2,000 of a pipeline's two sub-models
        "Updates": "1,500 to 3,000 a model; weights best on dev, after epoch 7 to 8",
        "Data": DATA,
        "Evaluator": JUDGE,
    }
    assert conditions((tmp_path / "out/study.md").read_text())["Evaluator"] == JUDGE


def test_every_table_and_figure_has_conditions(folder, tmp_path):
    report = made(folder, tmp_path / "out")
    heads = [part.partition(":")[0] for part in report.split("\n## ")[1:]]
    assert heads == [
        *(f"Table {number}" for number in (2, 3, 4, 5, 7, 8, 9)),
        *(f"Figure {number}" for number in (5, 6, 7)),
        "Missing\n\n- Table 6",
    ]
    said = {head: of_part(report, head) for head in heads[:-1]}
    assert {head: found["Evaluator"] for head, found in said.items()} == {
        "Table 2": "takes no part",
        "Table 3": "one a row",
        "Table 4": JUDGE,
        "Table 5": JUDGE,
        "Table 7": JUDGE,
        "Table 8": "takes no part",
        "Table 9": "takes no part",
        "Figure 5": JUDGE,
        "Figure 6": "takes no part",
        "Figure 7": JUDGE,
    }
    assert said["Table 2"]["Updates"] == "none, nothing is trained"
    assert said["Table 3"]["Updates"] == "3,300 a model; weights best on dev, after epoch 12"
    # These models have settings of their own.
    assert {said[head]["Preset"] for head in ("Table 2", "Table 3", "Table 8")} == {PRESET}
    # The joint model alone, and of its first seed
    assert said["Figure 7"]["Updates"] == "1,500 a model; weights best on dev, after epoch 7"
    assert said["Figure 7"]["Seeds"] == "1 (of 1, 2)"
    assert {found["Data"] for found in said.values()} == {DATA}


def test_what_is_not_known_is_said_to_be_unknown(folder, tmp_path):
    for path in [*folder.rglob("trained.json"), folder / "study.json"]:
        path.unlink()
    shutil.rmtree(folder / "evaluator")
    shutil.rmtree(folder / "data")
    report = made(folder, tmp_path / "out")
    assert of_part(report, "Table 4") == {
        "Preset": "unknown",
        "Seeds": "1, 2",
        "Device": "unknown",
        "Updates": "unknown",
        "Data": "unknown",
        "Evaluator": "checkpoint abababababab, which is not of this study's; its negatives, "
        "updates and accuracy are unknown; verdict: " + NOT_CHECKED,
    }
    assert of_part(report, "Table 3")["Seeds"] == "unknown"


def test_scores_of_an_unnamed_judge_are_of_an_unknown_one(folder, tmp_path):
    shutil.rmtree(folder)
    write(folder / "joint/seed-1/metrics.json", metrics(3, 0.7))
    pair = looked_pair("q ?", "a", (2, 3), {"question": 0, "answer": 1}, consistency=0.6)
    write_attention(folder, "joint_variational", {"a.png": [pair]})
    report = made(folder, tmp_path / "out")
    for head in ("Table 4", "Table 7"):
        assert of_part(report, head)["Evaluator"].startswith("unknown; so are its negatives")
    unjudged = metrics(3, 0.7)
    del unjudged["consistent"], unjudged["mean_score"]
    write(folder / "joint/seed-1/metrics.json", unjudged)
    report = made(folder, tmp_path / "out")
    assert of_part(report, "Table 4")["Evaluator"] == "none, no pair is judged"


def test_another_judge_is_named(folder, tmp_path):
    shutil.rmtree(folder)
    judge = {"judge": "vqa", "path": "vqa.pt", "sha256": "ab" * 32}
    write(folder / "joint/seed-1/metrics.json", metrics(3, 0.7, judge=judge))
    report = made(folder, tmp_path / "out")
    said = of_part(report, "Table 4")["Evaluator"]
    assert said == f"none, the judge is vqa; verdict: {NOT_CHECKED}"


def test_verdict_of_the_judge_stands_in_captions(folder, tmp_path):
    path = folder / "evaluator/evaluator.json"
    stored = json.loads(path.read_text())
    write(path, stored | {"verdict": {"text": "rejects 37%: do not rely on P", "rely": False}})
    report = made(folder, tmp_path / "out")
    for head in ("Table 4", "Table 7", "Figure 5"):
        said = of_part(report, head)["Evaluator"]
        assert said.endswith("; verdict: rejects 37%: do not rely on P")


def test_verdict_stored_with_figures_stands_in_captions(folder, tmp_path):
    shutil.rmtree(folder)
    judge = {"judge": "evaluator", "path": "e.pt", "sha256": "cd" * 32}
    verdicts = (
        {"text": NOT_CHECKED, "rely": None},
        {"text": "P is good\n\x1b[2J", "rely": True},
    )
    for seed, verdict in enumerate(verdicts, start=1):
        stored = metrics(3, 0.7, judge=judge, verdict=verdict)
        write(folder / f"joint/seed-{seed}/metrics.json", stored)
    said = of_part(made(folder, tmp_path / "out"), "Table 4")["Evaluator"]
    # One line, without what a terminal would obey.
    assert said.endswith("accuracy are unknown; verdict: P is good \\x1b[2J")


def test_an_evaluator_is_known_by_its_checkpoint(folder, tmp_path):
    """Also where nothing has measured it; a record of another checkpoint does not count."""
    content = b"weights"
    digest = hashlib.sha256(content).hexdigest()
    (folder / "evaluator/evaluator.json").unlink()
    (folder / "evaluator/final.pt").write_bytes(content)
    judge = {"judge": "evaluator", "path": "elsewhere.pt", "sha256": digest}
    for path in folder.glob("*/seed-*/metrics.json"):
        write(path, json.loads(path.read_text()) | {"judge": judge})
    said = of_part(made(folder, tmp_path / "out"), "Table 4")["Evaluator"]
    assert said.startswith("evaluator, trained with unknown negatives; updates 3,300;")
    (folder / "evaluator/final.pt").write_bytes(b"trained anew")
    write(folder / "evaluator/evaluator.json", evaluator(digest))
    said = of_part(made(folder, tmp_path / "out"), "Table 4")["Evaluator"]
    assert said.startswith(f"checkpoint {digest[:12]}, which is not of this study's")


def test_models_without_a_record_are_counted(folder, tmp_path):
    (folder / "joint/seed-2/trained.json").unlink()
    write(folder / "joint/seed-1/trained.json", trained(500, weights="last", epoch=8))
    assert of_part(made(folder, tmp_path / "out"), "Table 4")["Updates"] == (
        "500 to 3,000 a model; weights best on dev, after epoch 7 to 8; weights of the last "
        "epoch, after epoch 8; unknown of 1 of the 12 models"
    )


def test_human_judgements_are_of_the_runs_they_name(folder, tmp_path):
    model = {"count": 9, "diversity": figure(0.7), "consistency": figure(0.6)}
    human = {
        "images": 50,
        "models": {"joint_variational": model, "mine": model},
        "sources": {
            "joint_variational": str(folder / "joint_variational/seed-2/generate-test.txt"),
            "mine": "mine/generate-test.txt",
        },
    }
    write(folder / "human.json", human)
    said = of_part(made(folder, tmp_path / "out"), "Table 6")
    assert said["Seeds"] == "2 (of 1, 2); unknown of 1 of the 2 models"
    assert said["Updates"] == (
        "1,500 a model; weights best on dev, after epoch 8; unknown of 1 of the 2 models"
    )
    assert said["Evaluator"] == "people judged"


def test_latex_csv_and_pictures_say_the_conditions(folder, tmp_path):
    out = tmp_path / "out"
    write_report(folder, out)
    caption = f"Preset: {PRESET}{SETTINGS}. Seeds: 1, 2. Device: CPU, 2 cores."
    assert caption in (out / "table4.tex").read_text()
    with open(out / "table4.csv", newline="") as file:
        assert {row["study evaluator"] for row in csv.DictReader(file)} == {JUDGE}
    with Image.open(out / "figure5.png") as picture:
        assert caption in picture.info["Description"]


def test_commands_are_those_of_the_studys_preset(folder, tmp_path, monkeypatch):
    out = tmp_path / "out"
    for path in folder.glob("*_variational/seed-1/attention.json"):
        path.unlink()
    missing = write_report(folder, out).missing
    command = "bash scripts/reproduce.sh easy-vqa --preset small --only {} --seeds '1 2' "
    command += f"--dest {folder}"
    assert missing == {
        "Table 6": f"vqapg annotate score SESSION --output {folder}/human.json, after vqapg "
        "annotate start and serve",
        "Table 7": command.format("table7"),
        "Table 10": command.format("table10"),
        "Figure 6": command.format("figure6"),
        "Figure 7": command.format("figure7"),
        "Figure 8": command.format("figure8"),
    }
    # What a study was made of besides is said again: it is continued with nothing else.
    options = {"data": "/data/easy", "changes": ["optimization.max_epoch=2"]}
    write(folder / "study.json", study_file(options=options))
    said = write_report(folder, out, overwrite=True).missing["Table 7"]
    words = "bash scripts/reproduce.sh /data/easy optimization.max_epoch=2 --preset small --only"
    assert said.startswith(f"{words} table7 ")
    # Where the folder and the seeds are the usual ones, they need not be said.
    write(folder / "study.json", study_file(dataset="my data", seeds=[1, 2, 3]))
    usual = tmp_path / "runs/my data-small"
    usual.parent.mkdir()
    folder.rename(usual)
    monkeypatch.chdir(tmp_path)
    assert write_report(usual, out, overwrite=True).missing["Table 7"] == (
        "bash scripts/reproduce.sh 'my data' --preset small --only table7"
    )


@pytest.mark.parametrize(
    "file, stored, message",
    [
        ("study.json", [], "study.json: holds no figures"),
        ("study.json", study_file(preset=None), "study.json: has no text under preset"),
        ("study.json", study_file(device="a\nb"), "study.json: its device is no line of text"),
        ("study.json", study_file(dataset=" "), "study.json: its dataset is no line of text"),
        ("study.json", study_file(seeds=[]), "its seeds are no list of whole numbers"),
        ("study.json", study_file(seeds=[True]), "its seeds are no list of whole numbers"),
        ("study.json", study_file(options=[]), "its options are no object with data and changes"),
        ("study.json", study_file(options={"data": 3}), "its options are no object with data"),
        ("study.json", study_file(options={"changes": [3]}), "its options are no object with"),
        ("study.json", study_file(settings=[]), "has no object under settings"),
        ("study.json", study_file(settings={"lr": ["a"]}), "its setting lr is no number"),
        ("study.json", study_file(settings={"max_epoch": None}), "setting max_epoch is no number"),
        ("joint/seed-1/trained.json", {}, "trained.json: has no text under weights"),
        ("joint/seed-1/trained.json", trained(3, weights="all"), "'all', not best or last"),
        (
            "joint/seed-1/trained.json",
            trained(3, updates=4),
            "4 updates, but its sub-models have 3",
        ),
        ("joint/seed-1/trained.json", trained(3, updates=True), "no whole number under updates"),
        ("joint/seed-1/trained.json", trained(-3), "no whole number under updates"),
        ("joint/seed-1/trained.json", trained(3, sub_models=[3]), "sub_models are no list of obj"),
        ("joint/seed-1/trained.json", trained(3, epoch="1"), "no whole number under epoch"),
        (
            "joint/seed-1/trained.json",
            trained(3, provenance={"preset": "paper"}),
            "was trained with preset paper, and the study with small, which no table may mix",
        ),
        (
            "evaluator/evaluator.json",
            evaluator() | {"negatives": {"paper": {"by_type": {"all": {"accuracy": "high"}}}}},
            "evaluator.json: accuracy is no figure",
        ),
        (
            "joint_variational/seed-1/attention.json",
            {"grid": [1, 1], "images": [], "judge": {"judge": "vqa"}},
            "is scored by another judge than",
        ),
    ],
)
def test_a_record_that_is_none_is_refused_in_one_line(
    folder, tmp_path, capsys, file, stored, message
):
    write(folder / file, stored)
    with pytest.raises(InputError, match=message):
        write_report(folder, tmp_path / "out")
    assert main(["report", str(folder), "--output", str(tmp_path / "out")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_scenes_are_named_with_their_counts(folder, tmp_path):
    manifest = json.loads((folder / "data/manifest.json").read_text())
    write(folder / "data/manifest.json", manifest | {"dataset": "scenes"})
    write(folder / "study.json", study_file(dataset="scenes"))
    found = of_part(made(folder, tmp_path / "out"), "Table 4")
    assert found["Data"] == DATA.replace("easy-vqa", "scenes")
