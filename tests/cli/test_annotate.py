import csv
import json

import pytest
from PIL import Image

from tests.support.annotate_commands import annotate, fill, write_folder
from tests.support.annotated_pairs import IMAGES, MODELS
from vqapg.annotation.judgements import JudgementLog, read_judgements
from vqapg.annotation.session import read_session
from vqapg.files import sha256


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return write_folder(tmp_path, monkeypatch)


START = ["start", "session", "--data", "DATA", "-n", "3"]
CONSISTENCY = "start new --for consistency --data DATA --pairs model-one.txt".split()
PAIRS_OF = [f"--pairs={model}={model}.txt" for model in MODELS]


def test_from_pairs_to_figures_by_way_of_sheets(folder, capsys):
    assert annotate(*START, *PAIRS_OF) == 0
    session = read_session(folder / "session")
    assert session.images == IMAGES and session.seed == 1
    assert session.models["model-one"] == {
        "split": "test",
        "malformed": 1,
    }
    assert "3 images, 6 groups, 15 pairs of 2 models" in capsys.readouterr().out
    for name, cats in (("Anna", "2"), ("ben", "?")):
        assert annotate("sheet", "session", "--annotator", name, "--output", f"{name}.csv") == 0
        fill(
            f"{name}.csv",
            lambda row, cats=cats: {
                "consistency": cats if "cat" in row["question"] else "1",
                "object": "cat"
                if "cat" in row["question"]
                else "dog"
                if "dog" in row["question"]
                else "-",
            },
        )
    assert annotate("read-sheet", "session", "Anna.csv", "ben.csv") == 0
    out = capsys.readouterr().out
    assert (
        "30 pairs filled in, 90 new judgements saved" in out
        and "anna: 15 of 15 pairs judged" in out
    )
    assert annotate("read-sheet", "session", "Anna.csv") == 0
    assert "15 pairs filled in, 0 new" in capsys.readouterr().out

    assert annotate("score", "session", "--output", "human.json", "--seed", 4) == 0
    figures = json.loads((folder / "human.json").read_text())
    assert list(figures["models"]) == list(MODELS)
    one, two = (figures["models"][model] for model in MODELS)
    # Of model-one: what color, what color, is there; cat, dog, cat. Of model-two: what is, where
    # is; none, cat.
    assert one["diversity"] == {
        "value": pytest.approx((2 / 3 + 2 / 3) / 2),
        "n": 6,
        "ci95": pytest.approx([2 / 3] * 2),
    }
    assert two["diversity_before_count"]["value"] == pytest.approx((2 / 2 + 1 / 2) / 2)
    assert two["diversity"]["value"] == pytest.approx(0.75 * 6 / 9)
    assert one["consistency"] == {
        "value": pytest.approx(2.5 / 3),
        "n": 18,
        "ci95": pytest.approx([2.5 / 3] * 2),
    }
    assert two["consistency"]["value"] == pytest.approx(1.5 / 2)
    assert one["cannot_judge"]["value"] == pytest.approx((0 + 2 / 3) / 2)
    assert (one["count"], two["count"], figures["images"]) == (9, 6, 3)
    assert (
        figures["agreement"]["consistency"]["value"]
        == 1
        > figures["agreement"]["consistency_marks"]["value"]
    )
    assert figures["bootstrap"] == {"resamples": 1000, "seed": 4} and figures["session_seed"] == 1
    assert figures["sources"] == session.models and figures["provenance"]["seed"] == 4
    inputs = json.loads((folder / "session/session.json").read_text())["provenance"]["inputs"]
    assert inputs["pairs of model-one"] == {
        "path": "model-one.txt",
        "sha256": sha256("model-one.txt"),
    }
    assert set(figures["provenance"]["inputs"]) == {"session", "judgements"}
    assert figures["paper_table_6"]["Sequential*"] == {
        "count": 248,
        "diversity": 0.46,
        "consistency": 0.73,
    }
    out = capsys.readouterr().out
    assert "model-one" in out and "paper: Joint*" in out and "Krippendorff's alpha" in out


def test_a_sheet_holds_what_was_judged_on_the_page(folder):
    annotate(*START, *PAIRS_OF)
    with JudgementLog(read_session("session")) as log:
        log.append("anna", "g1p1", "object", "cow")
    annotate("sheet", "session", "--annotator", "ANNA", "--output", "anna.csv")
    with open("anna.csv", encoding="utf-8-sig", newline="") as file:
        assert [row["object"] for row in csv.DictReader(file) if row["pair"] == "g1p1"] == ["cow"]


def test_a_bad_sheet_saves_nothing_of_any_sheet(folder, capsys):
    annotate(*START, *PAIRS_OF)
    for name, mark in (("anna", "2"), ("ben", "5")):
        annotate("sheet", "session", "--annotator", name, "--output", f"{name}.csv")
        fill(f"{name}.csv", lambda row, mark=mark: {"consistency": mark, "object": "cat"})
    capsys.readouterr()
    assert annotate("read-sheet", "session", "anna.csv", "ben.csv") == 2
    assert "ben.csv:2: consistency '5'" in capsys.readouterr().err
    assert read_judgements(read_session("session")) == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*START], None),
        (
            [*START, "--pairs", "gallery.jsonl"],
            "--pairs gallery.jsonl: --for paper needs NAME=FILE; to estimate how many pairs are "
            "right, give --for consistency",
        ),
        ([*START, "--pairs", "=model-one.txt"], "--for paper needs NAME=FILE"),
        ([*START, PAIRS_OF[0], PAIRS_OF[0]], "a name of its own"),
        ([*START, "--pairs", "one=none.txt"], "none.txt: cannot be read"),
        ([*START, *PAIRS_OF, "-n", "0"], "-n 0: must be at least 1"),
        ([*START, *PAIRS_OF, "-n", "4"], "-n 4: only 3 images"),
        ([*START, *PAIRS_OF, "--images", "3"], "to draw so many images, give -n 3"),
        ([*START, *PAIRS_OF, "--images", "images"], "--images images: a data directory has images"),
        (["start", "session", *PAIRS_OF], "--images: give the folder of the pictures, or a data"),
        ([*START, *PAIRS_OF, "--seed", "-1"], "--seed -1"),
        ([*START, *PAIRS_OF, "--data", "none"], "none: not a finished data directory"),
        ([*START, *PAIRS_OF, "--split", "valid"], "split valid"),
        (["start", "DATA", "--data", "DATA", *PAIRS_OF], "DATA: holds something else"),
        (["start", "old", "--data", "DATA", *PAIRS_OF], "old: holds a session already"),
        (["serve", "none"], "none: no annotation session"),
        (["serve", "old", "--port", "70000"], "--port 70000"),
        (["sheet", "old", "--annotator", " ", "--output", "sheet.csv"], "annotator ' '"),
        (
            ["sheet", "old", "--annotator", "anna", "--output", "none/sheet.csv"],
            "there is no folder none",
        ),
        (
            ["sheet", "old", "--annotator", "anna", "--output", "old/session.json"],
            "read by this very command",
        ),
        (["read-sheet", "old", "none.csv"], "none.csv: cannot be read"),
        (["score", "old", "--output", "human.json"], "nothing is judged yet"),
        (["score", "old", "--output", "human.json", "--seed", "-1"], "--seed -1"),
        ([*START, *PAIRS_OF, "--annotators", "3"], "--annotators: is for --for consistency only"),
        ([*START, *PAIRS_OF, "--judge", "truth:x"], "--judge: is for --for consistency only"),
        ([*CONSISTENCY, "-n", "0"], "-n 0: must be at least 1"),
        ([*CONSISTENCY, "--judge", "nobody"], "nobody"),
        ([*CONSISTENCY, "--evaluator", "none.pt"], "--evaluator none.pt: there is no such file"),
        ([*CONSISTENCY, "--pairs", "model-one.txt"], "--pairs model-one.txt: stands twice"),
        ([*CONSISTENCY[:-1], "none.txt"], "none.txt: cannot be read"),
        ([*CONSISTENCY, "--pairs", "copy=model-one.txt"], "the files have the same triples"),
        (["estimate", "old"], "old: was drawn for the paper's evaluation"),
        (["estimate", "none"], "none: no annotation session"),
        (["estimate", "old", "--metrics", "none.json"], "--metrics none.json: there is no"),
        ([], None),
    ],
)
def test_bad_input_is_one_line_and_exit_status_2(folder, capsys, arguments, message):
    annotate("start", "old", "--data", "DATA", "-n", "2", *PAIRS_OF)
    capsys.readouterr()
    before = sorted(folder.rglob("*"))
    if message is None:  # argparse's own
        with pytest.raises(SystemExit) as raised:
            annotate(*arguments)
        assert raised.value.code == 2
        return
    assert annotate(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("vqapg annotate: error: ") and err.count("\n") == 1
    assert message in err
    assert [path for path in sorted(folder.rglob("*")) if path.name != "judgements.jsonl"] == before


def test_an_image_that_cannot_be_read_is_bad_input(folder, capsys):
    (folder / "images" / "b.png").write_bytes(b"nothing")
    assert annotate(*START, *PAIRS_OF) == 2
    err = capsys.readouterr().err
    assert "b.png: cannot be read as an image" in err and err.count("\n") == 1
    Image.new("RGB", (60, 40)).save(folder / "images" / "b.png")
    assert annotate(*START, *PAIRS_OF) == 0


@pytest.mark.parametrize("step", ["start", "serve", "sheet", "read-sheet", "estimate", "score"])
def test_every_step_helps_with_an_example(step, capsys):
    with pytest.raises(SystemExit) as raised:
        annotate(step, "--help")
    assert raised.value.code == 0
    assert f"example:\n  vqapg annotate {step} DIR" in capsys.readouterr().out
