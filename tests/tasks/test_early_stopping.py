"""fairseq's --patience counts on from a checkpoint; as a whole in end_to_end/test_resuming.py."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fairseq_cli.train import should_stop_early
from omegaconf import OmegaConf

from vqapg.errors import InputError
from vqapg.tasks import early_stopping


@pytest.fixture(autouse=True)
def new_run():
    vars(should_stop_early).clear()
    yield
    vars(should_stop_early).clear()


def config(patience=2, maximize=False):
    checkpoint = {"patience": patience, "maximize_best_checkpoint_metric": maximize}
    return OmegaConf.create({"checkpoint": checkpoint, "optimization": {"max_epoch": 9}})


def restore(stored, patience=2):
    """The last epoch that training may begin, resumed with what a checkpoint holds."""
    vars(should_stop_early).clear()
    trainer = SimpleNamespace(cfg=config(patience))
    early_stopping.restore(trainer, stored, "last.pt")
    return trainer.cfg.optimization.max_epoch


@pytest.mark.parametrize("number", [float, torch.tensor, np.float32], ids=["float", "torch", "np"])
def test_losses_stop_where_they_would_without_resuming(number):
    losses = [3.0, 2.0, 2.5, 1.0, 1.5, 1.0]
    stops = [should_stop_early(config(), number(loss)) for loss in losses]
    assert stops == [False] * 5 + [True]
    vars(should_stop_early).clear()
    stops, stored = [], {}
    for loss in losses:
        # A process each
        assert restore(stored) == 9
        stops.append(should_stop_early(config(), number(loss)))
        stored = early_stopping.state()
    assert stops == [False] * 5 + [True]
    assert stored == {"early_stopping": {"best": 1.0, "num_runs": 2}}


def test_a_run_that_had_stopped_begins_no_epoch():
    stored = {"early_stopping": {"best": 1.0, "num_runs": 2}}
    assert [restore(stored, patience) for patience in (1, 2, 3, -1)] == [-1, -1, 9, 9]


def test_nothing_is_stored_before_the_first_validation():
    assert early_stopping.state() == {}


def test_older_checkpoints_have_no_count():
    assert restore({"val_loss": 3.0}) == 9 and vars(should_stop_early) == {}


@pytest.mark.parametrize(
    "stored",
    [
        [],
        {},
        {"best": "1", "num_runs": 2},
        {"best": 1.0, "num_runs": -1},
        {"best": 1.0, "num_runs": True},
    ],
)
def test_what_is_no_count_is_refused(stored):
    with pytest.raises(
        InputError, match="last.pt: its count of validations .* give --reset-meters"
    ):
        restore({"early_stopping": stored})
