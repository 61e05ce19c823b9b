"""``vqapg.evaluate``, ``vqapg.score`` and what their errors say; ``vqapg.load`` is in sampling/."""

import json
import logging
import os
import subprocess
import sys
import types

import numpy as np
import pytest

import vqapg
from tests.support.handwritten_data import write_data
from vqapg.cli.main import main
from vqapg.errors import in_python_terms
from vqapg.evaluation.generated import GeneratedPair

GOLD = [
    ("a.png", "what is the blue shape ?", "circle"),
    ("b.png", "what is the red shape ?", "triangle"),
]
PAIRS = [
    ("a.png", "Is there a circle?", "Yes"),
    {"image": "b.png", "question": "What shape is present?", "answer": "circle"},
    ("b.png", "Is there a circle?", " "),
    GeneratedPair(7, "a.png", "what is the blue shape ?", "circle", -0.5),
]


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr("vqapg.evaluation.overlap.find_java", lambda: None)
    return write_data(tmp_path / "DATA", GOLD, "easy-vqa")


def test_score_is_the_judges_in_the_order_of_the_pairs(data):
    # The third has no answer in it.
    expected = [1, 0, np.nan, 1]
    np.testing.assert_array_equal(vqapg.score(data, PAIRS, judge="truth:easy-vqa"), expected)
    assert vqapg.score(data, PAIRS[:1], judge="tests.support.judges:YesMan").tolist() == [0.9]


def test_evaluate_returns_what_the_command_writes(data, tmp_path, capsys):
    generated, output = tmp_path / "generate-test.txt", tmp_path / "metrics.json"
    generated.write_text("H-0\t-0.5\tis there a circle ? <sep> yes\nH-1\t-0.5\twhy ? <sep> so\n")
    judge = "tests.support.judges:YesMan"
    command = ["--pairs", str(generated), "--judge", judge, "--output", str(output), "--seed", "3"]
    assert main(["evaluate", str(data), *command]) == 0
    written = json.loads(output.read_text())
    assert vqapg.evaluate(str(data), str(generated), judge=judge, seed=3) == written
    assert written["mean_score"]["value"] == pytest.approx((0.9 + 0.2) / 2)


def test_evaluate_takes_pairs_in_memory(data):
    metrics = vqapg.evaluate(data, PAIRS, judge="truth:easy-vqa")
    assert (metrics["pairs"], metrics["malformed"]) == (4, 1)
    assert set(metrics["provenance"]["inputs"]) == {"data"}
    assert metrics["consistent"] == metrics["true_consistent"]
    assert metrics["consistent"]["value"] == pytest.approx(2 / 3)
    drawn = vqapg.evaluate(data, PAIRS, pairs_per_image=2)
    assert drawn["images_left_out"] == 0 and "consistent" not in drawn


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda data: vqapg.evaluate(data, PAIRS, seed=-1), "seed -1: must be 0 or more"),
        (
            lambda data: vqapg.evaluate(data, PAIRS, pairs_per_image=3),
            "pairs_per_image 3: no image has so many; give fewer",
        ),
        (lambda data: vqapg.evaluate(data, []), "pairs: there is none; give at least one"),
        (lambda data: vqapg.evaluate(data, 3), "pairs: int holds no pairs; give the path"),
        (lambda data: vqapg.evaluate(data), "pairs: NoneType holds no pairs; give the path"),
        (lambda data: vqapg.evaluate(pairs=PAIRS), "images: give the folder of the pictures, or a"),
        (lambda data: vqapg.evaluate(images="none", pairs=PAIRS), "images none: there is no such"),
        (
            lambda data: vqapg.evaluate(data, PAIRS, images="photos"),
            "images photos: a data directory has images; give one of the two",
        ),
        (
            lambda data: vqapg.score(images=data, pairs=PAIRS, judge="truth:easy-vqa"),
            "pairs: image 'a.png' is not in the folder ",
        ),
        (
            lambda data: vqapg.evaluate(data, PAIRS, visual_dependence=True),
            "visual_dependence: a judge measures it; give judge too",
        ),
        (
            lambda data: vqapg.score(data, PAIRS, judge="truth:easy-vqa", split="dev"),
            "split dev: there is no such split; give train, valid, test",
        ),
        (lambda data: vqapg.evaluate(data, ["a.png"]), "pairs: number 0, from 0, is not the texts"),
        (
            lambda data: vqapg.evaluate(data, [("train.png", "why ?", "so")]),
            "pairs: image 'train.png' is not in split test of ",
        ),
        (lambda data: vqapg.score(data, PAIRS, judge="vqa"), "judge vqa: names no checkpoint"),
        (lambda data: vqapg.score(data, PAIRS, judge=None), "judge: NoneType is no judge"),
        (lambda data: vqapg.load("m.pt", "e.pt", judge="vqa"), "evaluator and judge: give one of"),
        (lambda data: vqapg.load("none.pt", weights="none"), "none.pt: no such checkpoint"),
    ],
)
def test_errors_name_arguments_not_flags(data, call, message):
    with pytest.raises(vqapg.InputError) as error:
        call(data)
    assert str(error.value).startswith(message) and "--" not in str(error.value)


def test_only_the_functions_own_flags_are_renamed():
    @in_python_terms("min_consistency", num_samples="n")
    def fail(message):
        raise vqapg.InputError(message)

    for message, expected in (
        ("--num-samples 0: too few", "n 0: too few"),
        ("give --min-consistency, or less", "give min_consistency, or less"),
        ("--min-consistency-of is another", "--min-consistency-of is another"),
        ("run: vqapg prepare --overwrite", "run: vqapg prepare --overwrite"),
        ("my--num-samples.png, a/--num-samples", "my--num-samples.png, a/--num-samples"),
    ):
        with pytest.raises(vqapg.InputError) as error:
            fail(message)
        assert str(error.value) == expected
    with pytest.raises(KeyError, match="--num-samples"):
        with in_python_terms("num_samples"):
            raise KeyError("--num-samples")


def test_a_call_leaves_logging_as_the_caller_has_it(monkeypatch):
    # fairseq does this when the first call imports it.
    module = types.ModuleType("loud")
    module.loud = lambda: logging.basicConfig(level=logging.DEBUG)
    monkeypatch.setitem(sys.modules, "loud", module)
    monkeypatch.setitem(vqapg.HOMES, "loud", "loud")
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    before = root.level
    try:
        vqapg.loud()
        assert (root.handlers, root.level) == ([], before)
    finally:
        vars(vqapg).pop("loud", None)


@pytest.mark.parametrize(("of_caller", "shown"), [("", True), ("simplefilter('ignore')", False)])
def test_left_out_is_shown_unless_the_caller_ignores_it(of_caller, shown):
    code = f"""\
import vqapg
from warnings import simplefilter, warn
{of_caller}
warn("left out: a.png", vqapg.errors.LeftOut)
"""
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    assert ("LeftOut: left out: a.png" in told) == shown
