"""Training goes on where it stopped, over any number of processes, to the same weights: through scripts/train.sh."""

import os
import signal
import subprocess
import sys

import pytest
import torch

from tests.support.fairseq_commands import REPOSITORY
from tests.support.world import GENERATION

SMALL = ["--hidden-size", 16, "--embed-dim", 12, "--latent-dim", 8, "--lr", "1e-2"]


def command(data, folder, *arguments, model="pipeline_variational"):
    return [
        "bash", REPOSITORY / "scripts/train.sh", model, data, *SMALL, "--save-dir", folder, *map(str, arguments)
    ]


def environment(processes=1):
    return os.environ | {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1", "PROCESSES": str(processes)}


def train(data, folder, *arguments, processes=1, **options):
    words = list(map(str, command(data, folder, *arguments, **options)))
    done = subprocess.run(words, capture_output=True, text=True, env=environment(processes), timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def newest(folder):
    # weights_only is torch.load's default.
    (path,) = folder.glob("checkpoint[0-9]*.pt")
    return torch.load(path)


def weights(folder):
    model = newest(folder)["model"]
    return {name: value for name, value in model.items() if torch.is_tensor(value)}


def assert_equal_weights(one, other):
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys() and len(one) > 20
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=1e-6, rtol=1e-5, msg=name)


def test_two_processes_stopped_and_resumed_equal_one_with_gradient_accumulation(world, tmp_path):
    data, same = world / "data", ["--batch-size", 4, "--dropout", 0]
    train(data, tmp_path / "two", *same, "--max-epoch", 2, processes=2)
    log = train(data, tmp_path / "two", *same, "--max-epoch", 3, processes=2)
    assert "(epoch 3 @ 8 updates)" in log
    train(data, tmp_path / "one", *same, "--max-epoch", 3, "--update-freq", 2)
    assert_equal_weights(tmp_path / "two", tmp_path / "one")


def test_a_run_killed_in_its_second_epoch_ends_with_the_weights_of_one_left_alone(world, tmp_path):
    data, same = world / "data", ["--batch-size", 1, "--max-epoch", 3, "--log-interval", 5, "--lr-scheduler", "fixed"]
    words = list(map(str, command(data, tmp_path / "killed", *same)))
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(), start_new_session=True
    )
    for line in process.stdout:
        if "train_inner | epoch 002" in line:
            os.killpg(process.pid, signal.SIGKILL)
            break
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert newest(tmp_path / "killed")["extra_state"]["train_iterator"]["epoch"] == 2
    train(data, tmp_path / "killed", *same)
    train(data, tmp_path / "alone", *same)
    assert_equal_weights(tmp_path / "killed", tmp_path / "alone")


@pytest.mark.parametrize("model", ["pipeline_variational", "joint_variational"])
def test_mixed_precision_trains(world, tmp_path, model):
    log = train(world / "data", tmp_path, "--batch-size", 8, "--max-epoch", 2, "--amp", model=model)
    for name, value in weights(tmp_path).items():
        assert value.isfinite().all() and value.dtype == torch.float32, name
    first, second = (
        float(line.split("| elbo ")[1].split()[0]) for line in log.splitlines() if "valid on 'valid'" in line
    )
    assert second > first


def test_features_held_on_the_device_give_the_same_weights(world, tmp_path):
    same = ["--batch-size", 4, "--max-epoch", 2, "--pairs-per-image", 2]
    train(world / "data", tmp_path / "held", *same, "--features-on-device", "--num-workers", 2)
    train(world / "data", tmp_path / "read", *same)
    assert_equal_weights(tmp_path / "held", tmp_path / "read")


START = "import multiprocessing as m, sys; m.set_start_method({!r}); from fairseq_cli.train import cli_main; cli_main()"


def test_workers_give_the_weights_that_none_give_forked_or_spawned(world, tmp_path):
    """fork is Python's way on Linux, spawn on macOS, where a worker starts from nothing but a pickle."""
    flags = [world / "data", "--user-dir", REPOSITORY / "vqapg", *GENERATION, "--optimizer", "adam", "--lr", "1e-2", "--cpu"]
    flags += ["--batch-size", 8, "--max-epoch", 1, "--no-last-checkpoints", "--disable-validation"]
    for method, workers in (("fork", 0), ("fork", 2), ("spawn", 2)):
        folder = tmp_path / f"{method}{workers}"
        words = [*flags, "--num-workers", workers, "--save-dir", folder]
        command = [sys.executable, "-c", START.format(method), *words]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment(), timeout=300)
        assert done.returncode == 0, done.stderr[-4000:]
        assert_equal_weights(folder, tmp_path / "fork0")
