"""The helpers of the tests: a command in this process is as one in a process of its own."""

import logging
import logging.config
import os
import random
import sys

import fairseq_cli.train
import numpy as np
import pytest
import torch
from fairseq import checkpoint_utils
from fairseq.logging import metrics

from tests.support.fairseq_commands import run
from tests.support.xdist import made_once
from vqapg.errors import InputError


@pytest.fixture
def command(monkeypatch):
    """command(function): what ``fairseq-train`` does from now on."""
    return lambda function: monkeypatch.setattr(fairseq_cli.train, "cli_main", function)


def state():
    return {
        "argv": sys.argv,
        "excepthook": sys.excepthook,
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "log": (logging.getLogger().handlers[:], logging.getLogger().level),
        "logger": logging.getLogger("fairseq_cli.train").level,
        "threads": torch.get_num_threads(),
        "random": (random.getstate(), torch.get_rng_state().tolist()),
        "numpy": np.random.get_state()[1].tolist(),
        "best": getattr(checkpoint_utils.save_checkpoint, "best", None),
        "metrics": metrics.get_smoothed_values("default"),
    }


def test_run_whatever_the_command_changes_restores_it(command, tmp_path):
    def change_everything():
        os.chdir(tmp_path)
        os.environ["HYDRA_FULL_ERROR"] = "2"
        logging.getLogger().handlers[:] = [logging.NullHandler()]
        logging.getLogger().setLevel(logging.DEBUG)
        logging.getLogger("fairseq_cli.train").setLevel(logging.ERROR)
        torch.set_num_threads(torch.get_num_threads() + 1)
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(77)
        sys.excepthook = print
        checkpoint_utils.save_checkpoint.best = 0.5
        metrics.log_scalar("loss", 1.0)

    metrics.reset()
    before = state()
    command(change_everything)
    run("train")
    assert state() == before


def test_run_starts_without_the_best_figure_of_another_training(command):
    checkpoint_utils.save_checkpoint.best = 0.5
    found = []
    command(lambda: found.append(hasattr(checkpoint_utils.save_checkpoint, "best")))
    run("train")
    assert found == [False]


def test_run_gives_the_words_the_output_and_the_log(command):
    def say():
        print(sys.argv)
        logging.getLogger("fairseq_cli.train").info("trained")

    command(say)
    done = run("train", "data", 3)
    assert done == (0, "['fairseq-train', 'data', '3']\n", "trained\n")


def test_run_that_sets_logging_up_closes_no_handler_of_the_tests(command):
    closed = []

    class Handler(logging.Handler):
        def close(self):
            closed.append(self)

    handler = Handler()
    command(lambda: logging.config.dictConfig({"version": 1}))
    run("train")
    assert not closed and not logging.getLogger("fairseq_cli.train").disabled
    assert any(reference() is handler for reference in logging._handlerList)


def raises(error):
    def fail():
        raise error

    return fail


@pytest.mark.parametrize(
    "error, status, last",
    [
        (InputError("data: empty; fill it"), 2, "fairseq-train: error: data: empty; fill it"),
        (ValueError("a bug"), 1, "ValueError: a bug"),
        (SystemExit(3), 3, None),
        (SystemExit(None), 0, None),
    ],
)
def test_run_ends_with_the_status_of_a_process(command, error, status, last):
    command(raises(error))
    done = run("train", status=status)
    assert done.returncode == status and (last is None or done.stderr.splitlines()[-1] == last)


def test_run_with_another_status_fails_and_shows_the_output(command):
    command(raises(InputError("data: empty; fill it")))
    with pytest.raises(AssertionError, match="data: empty"):
        run("train")


class Processes:
    """Stands for tmp_path_factory in two processes of one run."""

    def __init__(self, folder):
        self.folder = folder

    def getbasetemp(self):
        return self.folder


def test_made_once_two_processes_share_one_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    made = []

    def make(folder):
        made.append(folder)
        (folder / "data").touch()

    folders = {made_once(Processes(tmp_path / name), "world", make) for name in ("gw0", "gw1")}
    assert folders == {tmp_path / "world"} and made == [tmp_path / "world"]


def test_made_once_after_a_failure_makes_it_anew(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    def fail(folder):
        (folder / "half").touch()
        raise ValueError

    with pytest.raises(ValueError):
        made_once(Processes(tmp_path), "world", fail)
    folder = made_once(Processes(tmp_path), "world", lambda folder: (folder / "data").touch())
    assert [path.name for path in folder.iterdir()] == ["data"]
