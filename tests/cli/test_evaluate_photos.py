"""``vqapg evaluate --images``: pairs of any system, without a data directory."""

import json

import numpy as np
import pytest

import vqapg
from tests.support.handwritten_data import write_data
from tests.support.photo_pairs import LINES, write_photo_pairs
from vqapg.cli.main import main

YES_MAN = "tests.support.judges:YesMan:unsure"
BRIGHTNESS = "tests.support.judges:Brightness"


@pytest.fixture
def evaluate(tmp_path):
    """evaluate([arguments]) -> exit status; photos/, pairs.jsonl and metrics.json in tmp_path."""
    photos, pairs = write_photo_pairs(tmp_path)

    def run(*arguments):
        output = ["--pairs", pairs, "--output", tmp_path / "metrics.json", "--overwrite"]
        return main(["evaluate", *map(str, ["--images", photos, *output, *arguments])])

    return run


@pytest.fixture
def metrics(tmp_path):
    return lambda: json.loads((tmp_path / "metrics.json").read_text())


def test_pairs_of_photos_are_measured_without_gold(evaluate, metrics, tmp_path, capsys):
    assert evaluate("--judge", YES_MAN, "--all") == 0
    found = metrics()
    # The last line repeats the second, but for spaces.
    assert (found["pairs"], found["images"], found["malformed"]) == (5, 3, 1)
    assert found["distinct_triples"] == 3 and found["unique_pairs"]["value"] == 2
    assert (found["consistent"]["value"], found["consistent"]["n"]) == (1.0, 2)
    assert found["distinct_pairs_per_image"]["value"] == 1.0 and found["vendi"]["n"] == 4
    assert found["split"] is None and set(found["provenance"]["inputs"]) == {"pairs"}
    gold = {"bleu4", "meteor", "rouge_l", "cider", "novel_pairs", "novel_questions", "gold_recall"}
    assert gold <= set(found["not_computed"]) and not gold & set(found)
    for key in gold:
        assert found["not_computed"][key] == (
            "needs gold pairs: give a data directory, not --images"
        )
    out, err = capsys.readouterr()
    assert err == "" and "truly" not in out
    (line,) = [line for line in out.splitlines() if line.startswith("  gold pairs found")]
    assert "not computed: needs gold pairs" in line
    (line,) = [line for line in out.splitlines() if line.startswith("  distinct pairs an image")]
    assert line.split()[4] == "1.00" and line.endswith("3 images")


def test_texts_are_split_as_those_of_a_data_directory(evaluate, metrics, tmp_path):
    gold = [("0.png", "is there a shape ?", "yes"), ("1.png", "what 's it like ?", "unsure")]
    data = write_data(tmp_path / "DATA", [*gold, ("2.png", "why ?", "so")])
    assert evaluate() == 0
    ours = metrics()
    theirs = vqapg.evaluate(data, tmp_path / "pairs.jsonl")
    for key in ("distinct4", "unique_pairs", "self_bleu4", "vendi", "malformed"):
        assert ours[key] == theirs[key]
    assert theirs["gold_recall"]["value"] == pytest.approx((1 + 1 + 0) / 3)


def test_judges_look_at_the_pictures_of_the_folder(evaluate, metrics, tmp_path):
    from PIL import Image

    red = [np.asarray(Image.open(tmp_path / f"photos/{n}.png"))[..., 0].mean() / 255 for n in "01"]
    assert evaluate("--judge", BRIGHTNESS) == 0
    # One distinct triple of 0.png, two of 1.png.
    assert metrics()["mean_score"]["value"] == pytest.approx((red[0] + 2 * red[1]) / 3)


def test_visual_dependence_is_own_less_other_image(evaluate, metrics, tmp_path, capsys):
    lines = [line | {"image": f"{number}.png"} for number, line in enumerate(LINES[:2])]
    (tmp_path / "two.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert evaluate("--judge", BRIGHTNESS, "--visual-dependence") == 0
    assert metrics()["visual_dependence"]["n"] == 3
    assert "visual dependence" in capsys.readouterr().out
    # Of two images with a pair each, each is the other: the differences cancel.
    two = vqapg.evaluate(
        images=tmp_path / "photos",
        pairs=tmp_path / "two.jsonl",
        judge=BRIGHTNESS,
        visual_dependence=True,
    )
    assert two["visual_dependence"]["value"] == pytest.approx(0)
    assert max(np.abs(two["visual_dependence"]["ci95"])) > 0.01
    # The words alone: nothing depends on the image.
    assert evaluate("--judge", YES_MAN, "--visual-dependence") == 0
    assert metrics()["visual_dependence"] == {"value": 0.0, "n": 2, "ci95": [0.0, 0.0]}


def test_one_photo_has_no_visual_dependence(evaluate, metrics, tmp_path, capsys):
    (tmp_path / "pairs.jsonl").write_text(json.dumps(LINES[0]))
    assert evaluate("--judge", YES_MAN, "--visual-dependence") == 0
    assert metrics()["not_computed"]["visual_dependence"] == "needs two images or more"
    assert "not computed: needs two images or more" in capsys.readouterr().out


def test_pairs_of_sample_name_photos_as_it_does(evaluate, metrics, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [LINES[0] | {"image": "photos/0.png", "score": -0.5}, LINES[0] | {"question": "Why?"}]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert evaluate("--images", "photos") == 0
    assert (metrics()["images"], metrics()["pairs"]) == (1, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "{tmp}/none"], "--images {tmp}/none: there is no such folder; give the one"),
        (["--split", "test"], "--split test: a folder of pictures has no splits; leave it out"),
        (["--visual-dependence"], "--visual-dependence: a judge measures it; give --judge too"),
        (["--judge", "truth:easy-vqa"], "--judge truth:easy-vqa: needs a data directory"),
        (["--judge", "vqa:{tmp}/pairs.jsonl"], "--judge vqa: needs a data directory"),
        (
            ["--pairs", "{tmp}/far.jsonl"],
            "far.jsonl:1: image '../pairs.jsonl' is not in the folder",
        ),
        (["--pairs", "{tmp}/H.txt"], "H.txt:1: not a JSON object with image, question and answer"),
        (["--pairs", "{tmp}/note.jsonl", "--judge", BRIGHTNESS], "photos/note.txt: cannot be read"),
        (["{tmp}/DATA"], "--images {tmp}/photos: a data directory has images; give one of the two"),
    ],
)
def test_bad_input_of_photos_is_one_line(evaluate, tmp_path, capsys, arguments, message):
    (tmp_path / "photos/note.txt").write_text("no picture")
    (tmp_path / "H.txt").write_text("H-0\t-1\tx ? <sep> y\n")
    for name, image in (("far", "../pairs.jsonl"), ("note", "note.txt")):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(LINES[0] | {"image": image}))
    assert evaluate(*(argument.format(tmp=tmp_path) for argument in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message.format(tmp=tmp_path) in err
    assert not (tmp_path / "metrics.json").exists()


def test_neither_data_nor_images_is_one_line(tmp_path, capsys):
    output = str(tmp_path / "metrics.json")
    assert main(["evaluate", "--pairs", "pairs.jsonl", "--output", output]) == 2
    assert "--images: give the folder of the pictures, or a data dir" in capsys.readouterr().err
