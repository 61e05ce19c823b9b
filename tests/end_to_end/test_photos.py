"""A trained evaluator over a folder of pictures says what it says over their data directory."""

import json

import pytest

from tests.support.world import vqapg
from vqapg.cli.main import main

LINES = [
    {"image": f"images/test{number}.png", "question": question, "answer": answer}
    for number in range(5)
    for question, answer in (("What color is the square?", "red"), ("Is it a circle?", "yes"))
]


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def test_photos_are_judged_as_their_data_directory_is(world, pairs, tmp_path, without_java):
    judge = ["--evaluator", world / "consistency/checkpoint_last.pt", "--visual-dependence"]
    found = {}
    for name, place in (
        ("data", [world / "data"]),
        ("photos", ["--images", world / "source", "--weights", "none"]),
    ):
        output = tmp_path / f"{name}.json"
        vqapg("evaluate", *place, "--pairs", pairs, *judge, "--output", output)
        found[name] = json.loads(output.read_text())
    assert found["photos"]["evaluator"] == found["data"]["evaluator"]
    for key in ("mean_score", "visual_dependence", "unique_pairs", "vendi"):
        ours, theirs = found["photos"][key], found["data"][key]
        # Features of a batch of pictures differ by rounding from those of another batch.
        assert ours["value"] == pytest.approx(theirs["value"], abs=2e-3)
        assert ours["n"] == theirs["n"]


def test_scores_of_photos_are_those_of_the_evaluator(world, pairs, tmp_path):
    evaluator = ["--evaluator", world / "consistency/checkpoint_last.pt"]
    for name, place in (("a", [world / "data"]), ("b", ["--images", world / "source"])):
        weights = ["--weights", "none"]
        output = ["--output", tmp_path / f"{name}.jsonl"]
        vqapg("score", *place, "--pairs", pairs, *evaluator, *weights, *output)
    a, b = (
        [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
        for name in "ab"
    )
    scores = [line["consistency"] for line in a]
    assert [line["consistency"] for line in b] == pytest.approx(scores, abs=2e-3)
    assert len(set(scores)) > 5 and a[0]["judge"] == b[0]["judge"]


def test_other_weights_than_the_evaluators_are_refused(world, pairs, tmp_path, capsys):
    place = ["--images", str(world / "source"), "--pairs", str(pairs)]
    judge = ["--evaluator", str(world / "consistency/checkpoint_last.pt"), "--weights"]
    other = tmp_path / "other.pt"
    other.write_bytes(b"no weights")
    assert main(["score", *place, *judge, str(other), "--output", str(tmp_path / "s.jsonl")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "other.pt" in err
