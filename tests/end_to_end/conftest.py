"""The tiny world, taken through the real commands once for all tests of this folder."""

import pytest

from tests.support.fairseq_commands import fairseq
from tests.support.world import CONSISTENCY, EPOCHS, GENERATION, OPTIMIZER, make_data
from tests.support.xdist import made_once


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """A folder with data/, and a checkpoint_last.pt each in generation/ and consistency/."""
    return made_once(tmp_path_factory, "world", _make_world)


def _make_world(folder):
    data = make_data(folder)
    for name, model, metric in (
        ("generation", GENERATION, "elbo"),
        ("consistency", CONSISTENCY, "accuracy"),
    ):
        best = ["--best-checkpoint-metric", metric, "--maximize-best-checkpoint-metric"]
        end = ["--max-epoch", EPOCHS, "--no-epoch-checkpoints", "--save-dir", folder / name]
        fairseq("train", data, *model, *OPTIMIZER, *best, *end)


@pytest.fixture
def without_java(monkeypatch):
    """METEOR takes seconds to start; tests/cli/test_evaluate.py waits for it."""
    monkeypatch.setattr("vqapg.evaluation.overlap.find_java", lambda: None)
