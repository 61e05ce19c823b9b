"""Training goes on where it stopped, to the same weights, over any number of processes.

scripts/train.sh starts it.
"""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from tests.support.fairseq_commands import REPOSITORY, fairseq
from tests.support.train_script import train
from tests.support.world import GENERATION

# Batches are of one process here, and the rate does not change.
SMALL = ["--hidden-size", 16, "--embed-dim", 12, "--latent-dim", 8, "--global-batch-size", 0]
SMALL += ["--lr", "1e-2", "--lr-scheduler", "fixed"]


def words(data, folder, *arguments, model="pipeline_variational"):
    return [model, data, "--preset", "small", *SMALL, "--save-dir", folder, *arguments]


def start(words, processes=1):
    """scripts/train.sh in a group of processes of its own."""
    programs = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    environment = {"PYTHONWARNINGS": "ignore", "PATH": programs, "PROCESSES": str(processes)}
    return subprocess.Popen(
        ["bash", REPOSITORY / "scripts/train.sh", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
        start_new_session=True,
    )


def newest(folder):
    # weights_only is torch.load's default.
    return torch.load(folder / "checkpoint_last.pt")


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
    for epochs in (2, 3):
        process = start(words(data, tmp_path / "two", *same, "--max-epoch", epochs), processes=2)
        shown, _ = process.communicate(timeout=300)
        assert process.returncode == 0, shown
    # The second run begins with the third epoch.
    assert [line[:12] for line in shown.splitlines() if line.startswith("epoch")] == [
        "epoch 3 of 3"
    ]
    assert "(epoch 3 @ 8 updates)" in (tmp_path / "two/train.log").read_text()
    train(tmp_path, *words(data, tmp_path / "one", *same, "--max-epoch", 3, "--update-freq", 2))
    assert_equal_weights(tmp_path / "two", tmp_path / "one")


def test_a_run_killed_in_its_second_epoch_ends_with_the_weights_of_one_left_alone(world, tmp_path):
    data, same = (
        world / "data",
        ["--batch-size", 1, "--max-epoch", 3, "--log-interval", 5],
    )
    process = start(words(data, tmp_path / "killed", *same))
    log, deadline = tmp_path / "killed/train.log", time.monotonic() + 300
    while not (log.exists() and "train_inner | epoch 002" in log.read_text()):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert newest(tmp_path / "killed")["extra_state"]["train_iterator"]["epoch"] == 2
    for folder in ("killed", "alone"):
        train(tmp_path, *words(data, tmp_path / folder, *same))
    assert_equal_weights(tmp_path / "killed", tmp_path / "alone")


@pytest.mark.parametrize("model", ["pipeline_variational", "joint_variational"])
def test_mixed_precision_trains(world, tmp_path, model):
    flags = ["--batch-size", 8, "--max-epoch", 2, "--amp"]
    log = train(tmp_path, *words(world / "data", tmp_path, *flags, model=model)).stderr
    for name, value in weights(tmp_path).items():
        assert value.isfinite().all() and value.dtype == torch.float32, name
    first, second = (
        float(line.split("| elbo ")[1].split()[0])
        for line in log.splitlines()
        if "valid on 'valid'" in line
    )
    assert second > first


def test_features_held_on_the_device_give_the_same_weights(world, tmp_path):
    same = ["--batch-size", 4, "--max-epoch", 2, "--pairs-per-image", 2]
    for folder, flags in (("held", ["--features-on-device", "--num-workers", 2]), ("read", [])):
        train(tmp_path, *words(world / "data", tmp_path / folder, *same, *flags))
    assert_equal_weights(tmp_path / "held", tmp_path / "read")


SPAWN = """
import multiprocessing

# Before fairseq is imported, which settles the method.
multiprocessing.set_start_method("spawn")
from fairseq_cli.train import cli_main

cli_main()
"""


def test_workers_give_the_weights_that_none_give_forked_or_spawned(world, tmp_path):
    """fork is Python's way on Linux, spawn on macOS: a worker starts from a pickle alone."""
    flags = [*GENERATION, "--optimizer", "adam", "--lr", "1e-2", "--cpu", "--batch-size", 8]
    flags += ["--max-epoch", 1, "--no-epoch-checkpoints", "--disable-validation"]
    for name, workers in (("none", 0), ("forked", 2)):
        folder = tmp_path / name
        fairseq("train", world / "data", *flags, "--num-workers", workers, "--save-dir", folder)
    arguments = [world / "data", "--user-dir", REPOSITORY / "vqapg", *flags, "--num-workers", 2]
    arguments += ["--save-dir", tmp_path / "spawned"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SPAWN, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    for name in ("forked", "spawned"):
        assert_equal_weights(tmp_path / name, tmp_path / "none")
