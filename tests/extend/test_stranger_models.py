"""A stranger's backbone and judge go through the commands that need a model, and through Python."""

import json

import numpy as np
import pytest
from fairseq.data import Dictionary

import vqapg
from tests.extend.test_stranger import COLOURS, data, features, run  # noqa: F401
from tests.support.tiny_checkpoints import save_checkpoint

JUDGE = "one-answer:no"


@pytest.fixture
def checkpoint(features, tmp_path):  # noqa: F811
    """An untrained model of the stranger's features."""
    dictionary = Dictionary.load(str(tmp_path / "data/dict.txt"))
    path = tmp_path / "joint.pt"
    save_checkpoint(path, "vqapg_joint_variational", dictionary, features)
    return path


def test_sample_builds_the_backbone_that_the_checkpoint_names(checkpoint, tmp_path, capsys):
    output = tmp_path / "pairs.cards"
    words = ("--checkpoint", checkpoint, "--judge", JUDGE, "--num-samples", 8, "--sampling")
    words += ("--num-workers", 0, "--device", "cpu", "--format", "cards", "--output", output)
    assert run("sample", tmp_path / "test.png", *words) == 0
    first, *cards = output.read_text().splitlines()
    assert first == "#made by vqapg"
    assert f"{len(cards)} pair" in capsys.readouterr().out


def test_load_takes_the_strangers_judge(checkpoint, tmp_path):
    model = vqapg.load(checkpoint, judge=JUDGE, device="cpu")
    assert (model.backbone.name, model.backbone.grid) == ("mean_colours", (4, 3))
    pairs = model.sample(tmp_path / "test.png", n=8, sampling=True)
    assert pairs
    assert all(pair.consistency == float(pair.answer == "no") for pair in pairs)


def test_checkpoint_of_a_missing_package_names_the_backbone(checkpoint, stranger):
    (stranger / "my_vqapg-1.0.dist-info/entry_points.txt").write_text("")
    with pytest.raises(vqapg.InputError, match="no backbone is named 'mean_colours'"):
        vqapg.load(checkpoint, device="cpu")


def test_attention_stores_the_strangers_grid_and_scores(checkpoint, tmp_path):
    output = tmp_path / "attention.json"
    words = ("--checkpoint", checkpoint, "--judge", JUDGE, "--output", output, "--beam", 2)
    assert run("attention", tmp_path / "data", "test.png", *words) == 0
    record = json.loads(output.read_text())
    assert record["grid"] == [4, 3]
    for pair in record["images"][0]["pairs"]:
        assert pair["consistency"] == float(pair["answer"] == "no")


def test_check_evaluator_measures_a_judge_without_features(data, tmp_path):  # noqa: F811
    output = tmp_path / "evaluator.json"
    assert run("check-evaluator", data, "--judge", JUDGE, "--output", output) == 0
    report = json.loads(output.read_text())
    assert report["judge"] == {"judge": "one-answer", "answer": "no"}
    # The test split has the answers "no" and "a blot": the judge believes one of the two.
    assert (report["table3"]["test"]["value"], report["table3"]["test"]["n"]) == (0.5, 2)


def test_export_writes_the_strangers_scores(data, tmp_path):  # noqa: F811
    generated, output = tmp_path / "generate-test.txt", tmp_path / "pairs.jsonl"
    generated.write_text("H-0\t-0.5\tis it big ? <sep> no\nH-1\t-0.5\twhich one ? <sep> a blot\n")
    words = ("--data", data, "--format", "jsonl", "--judge", JUDGE, "--output", output)
    assert run("export", generated, *words) == 0
    records = [json.loads(line) for line in output.read_text().splitlines()]
    assert [record["consistency"] for record in records] == [1.0, 0.0]


def test_python_scores_and_evaluates_with_all_of_them(data, monkeypatch):  # noqa: F811
    monkeypatch.setattr("vqapg.evaluation.overlap.find_java", lambda: None)
    pairs = [("test.png", "Is it big?", "No"), ("test.png", "Which one?", "a blot")]
    np.testing.assert_array_equal(vqapg.score(data, pairs, judge=JUDGE), [1, 0])
    metrics = vqapg.evaluate(data, pairs, judge=JUDGE)
    assert metrics["consistent"]["value"] == metrics["one_word_answers"]["value"] == 0.5
    assert metrics["judge"] == {"judge": "one-answer", "answer": "no"}
