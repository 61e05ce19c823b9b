"""A training that was stopped, or killed at any moment, ends as one that was left alone."""

import os
import shutil

import pytest
import torch
from fairseq.file_io import PathManager

from tests.support.fairseq_commands import fairseq
from tests.support.world import GENERATION, OPTIMIZER

FILES = ("checkpoint_best.pt", "checkpoint_last.pt")


def train(world, folder, *flags):
    fairseq("train", world / "data", *GENERATION, *OPTIMIZER, "--save-dir", folder, *flags)


def assert_equal_weights(one, other):
    one, other = (torch.load(path)["model"] for path in (one, other))
    assert one.keys() == other.keys() and len(one) > 20
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], rtol=0, atol=0, msg=name)


def rates(folder):
    """The learning rate of each epoch, and how many epochs were without gain before its end."""
    saved = [torch.load(path) for path in sorted(folder.glob("checkpoint[0-9].pt"))]
    return [
        (
            state["last_optimizer_state"]["param_groups"][0]["lr"],
            state["optimizer_history"][-1]["lr_scheduler_state"]["num_bad_epochs"],
        )
        for state in saved
    ]


def test_plateau_halves_in_the_same_epoch_when_resumed(world, tmp_path):
    # No loss falls below a tenth of the first one: every later epoch is without gain.
    plateau = ["--lr-scheduler", "reduce_lr_on_plateau", "--lr-shrink", 0.5]
    plateau += ["--lr-patience", 1, "--lr-threshold", 0.9, "--valid-draws", 0]
    train(world, tmp_path / "alone", *plateau, "--max-epoch", 5)
    assert rates(tmp_path / "alone") == [(0.01, 0), (0.01, 0), (0.01, 1), (0.005, 0), (0.005, 1)]
    for epochs in range(1, 6):
        train(world, tmp_path / "resumed", *plateau, "--max-epoch", epochs)
    assert rates(tmp_path / "resumed") == rates(tmp_path / "alone")
    for name in FILES:
        assert_equal_weights(tmp_path / "resumed" / name, tmp_path / "alone" / name)


def test_patience_ends_in_the_same_epoch_when_resumed(world, tmp_path):
    # The loss falls: after the first epoch, none has a greater one.
    patience = ["--patience", 2, "--maximize-best-checkpoint-metric", "--valid-draws", 0]

    def epochs(folder):
        return sorted(path.name for path in folder.glob("checkpoint[0-9].pt"))

    train(world, tmp_path / "alone", *patience, "--max-epoch", 6)
    assert epochs(tmp_path / "alone") == [f"checkpoint{n}.pt" for n in (1, 2, 3)]
    for number in range(1, 7):
        train(world, tmp_path / "resumed", *patience, "--max-epoch", number)
    assert epochs(tmp_path / "resumed") == epochs(tmp_path / "alone")
    assert_equal_weights(*(tmp_path / name / FILES[1] for name in ("resumed", "alone")))
    # More patience goes on from there.
    train(world, tmp_path / "resumed", *patience, "--patience", 3, "--max-epoch", 6)
    assert epochs(tmp_path / "resumed")[-1] == "checkpoint4.pt"


NO_EPOCHS = ["--no-epoch-checkpoints", "--valid-draws", 0, "--max-epoch", 2]
BEST = ["--best-checkpoint-metric", "elbo", "--maximize-best-checkpoint-metric"]


@pytest.fixture(scope="module")
def alone(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    train(world, folder, *NO_EPOCHS, *BEST)
    return folder


@pytest.mark.parametrize(
    "moment, best, last",
    [
        (0, None, None),
        (1, 1, None),
        (2, 1, None),
        (3, 1, 1),
        (4, 2, 1),
        (5, 2, 1),
    ],
)
def test_run_killed_between_the_copies_ends_as_one_left_alone(
    world, alone, tmp_path, monkeypatch, moment, best, last
):
    """Each epoch is the best so far: its file gets its name, is copied, and so does the copy."""
    done = []

    def killed_at_moment(function):
        def call(*arguments, **options):
            if len(done) == moment:
                raise KeyboardInterrupt
            done.append(function.__name__)
            return function(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        for module, name in ((PathManager, "rename"), (shutil, "copyfile"), (os, "replace")):
            function = killed_at_moment(getattr(module, name))
            patch.setattr(
                module, name, staticmethod(function) if module is PathManager else function
            )
        with pytest.raises(KeyboardInterrupt):
            train(world, tmp_path, *NO_EPOCHS, *BEST)
    for name, epoch in zip(FILES, (best, last), strict=True):
        path = tmp_path / name
        found = (
            torch.load(path)["extra_state"]["train_iterator"]["epoch"] - 1
            if path.exists()
            else None
        )
        assert found == epoch, (name, done)
    train(world, tmp_path, *NO_EPOCHS, *BEST)
    for name in FILES:
        assert_equal_weights(tmp_path / name, alone / name)


@pytest.mark.parametrize(
    "first, second", [("adam", "vqapg_fused_adam"), ("vqapg_fused_adam", "adam")]
)
def test_a_run_goes_on_with_the_other_adam(world, tmp_path, first, second):
    """Their states are alike: only rounding tells such a run from one that kept its optimizer."""
    flags = ("--valid-draws", 0, "--weight-decay", 0.1)
    train(world, tmp_path / "alone", *flags, "--max-epoch", 2, "--optimizer", first)
    for epochs, optimizer in ((1, first), (2, second)):
        train(world, tmp_path / "swapped", *flags, "--max-epoch", epochs, "--optimizer", optimizer)
    one, other = (
        torch.load(tmp_path / folder / "checkpoint_last.pt")["model"]
        for folder in ("alone", "swapped")
    )
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, rtol=1e-3, atol=1e-4, msg=name)
    assert torch.load(tmp_path / "swapped" / "checkpoint1.pt")["model"].keys() == one.keys()
