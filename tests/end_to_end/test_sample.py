"""Pairs for pictures from checkpoints that fairseq saved.

They are compared with what the data directory says of the same pictures.
"""

import json

import pytest

from tests.support.world import IMAGES, vqapg
from vqapg import load, score
from vqapg.data.directory import DataDirectory
from vqapg.data.tokenizer import tokenize
from vqapg.judges.judge import evaluator_spec


@pytest.fixture(scope="module")
def checkpoints(world):
    return world / "generation/checkpoint_last.pt", world / "consistency/checkpoint_last.pt"


@pytest.mark.usefixtures("without_java")
def test_photos_to_pairs_to_figures(world, checkpoints, tmp_path, monkeypatch):
    # From here the pictures have the names that they have in the data directory.
    monkeypatch.chdir(world / "source")
    generator, evaluator = checkpoints
    output = tmp_path / "pairs.jsonl"
    vqapg(
        "sample",
        "--checkpoint",
        generator,
        "--evaluator",
        evaluator,
        "--weights",
        "none",
        "images/test*.png",
        "--num-samples",
        8,
        "--beam",
        3,
        "--output",
        output,
        "--html",
        tmp_path / "gallery.html",
        "--num-workers",
        1,
    )
    records = [json.loads(line) for line in output.read_text().splitlines()]
    assert {record["image"] for record in records} == {
        f"images/test{number}.png" for number in range(IMAGES["test"])
    }

    # The features made of the pictures are those in the data directory: the evaluator says the same
    # of both.
    data = DataDirectory(world / "data")
    triples = [
        (
            record["image"],
            " ".join(tokenize(record["question"])),
            " ".join(tokenize(record["answer"])),
        )
        for record in records
    ]
    expected = score(data, triples, judge=evaluator_spec(evaluator))
    assert [record["consistency"] for record in records] == pytest.approx(
        expected.tolist(), abs=1e-3
    )

    vqapg(
        "evaluate",
        world / "data",
        "--pairs",
        output,
        "--evaluator",
        evaluator,
        "--output",
        tmp_path / "metrics.json",
    )
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (
        metrics["images"] == IMAGES["test"]
        and metrics["malformed"] == 0
        and metrics["distinct_triples"] == len(records)
    )

    model = load(generator, evaluator, weights="none")
    pairs = model.sample("images/test0.png", n=8, beam=3)
    own = [record for record in records if record["image"] == "images/test0.png"]
    assert [(pair.question, pair.answer, pair.consistency) for pair in pairs] == [
        (record["question"], record["answer"], record["consistency"]) for record in own
    ]
