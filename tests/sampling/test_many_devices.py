"""``vqapg sample`` on several GPUs. Two processes on the CPU stand in for two GPUs."""

import json
import os
import signal

import pytest
import torch

from tests.support.tiny_checkpoints import draw_picture, draw_pictures, save_checkpoint
from vqapg.cli.main import main
from vqapg.sampling import many_devices
from vqapg.sampling.journal import Journal
from vqapg.sampling.many_devices import gpus

WORDS = ["sample", "--checkpoint", "model.pt", "photos", "--num-samples", "2", "--sampling"]
WORDS += ["--num-workers", "0", "--weights", "none", "--batch-size", "4"]


@pytest.fixture
def folder(tmp_path, monkeypatch, dictionary):
    monkeypatch.chdir(tmp_path)
    draw_pictures(tmp_path / "photos", 7)
    save_checkpoint("model.pt", "vqapg_joint_variational", dictionary)
    monkeypatch.setattr(many_devices, "IMAGES_AT_ONCE", 2)
    return tmp_path


@pytest.fixture
def two(monkeypatch):
    monkeypatch.setattr(many_devices, "gpus", lambda device: ["cpu", "cpu"])


@pytest.mark.parametrize(
    ("count", "device", "devices"),
    [
        (3, "auto", ["cuda:0", "cuda:1", "cuda:2"]),
        (2, "cuda", ["cuda:0", "cuda:1"]),
        (1, "auto", ["auto"]),
        (0, "auto", ["auto"]),
        (4, "cuda:1", ["cuda:1"]),
        (4, "cpu", ["cpu"]),
    ],
)
def test_auto_and_cuda_are_all_gpus_of_the_machine(monkeypatch, count, device, devices):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    assert gpus(device) == devices


def test_two_devices_write_what_one_writes_and_go_on(folder, monkeypatch, capsys):
    draw_picture(folder / "photos/3.png", 3)
    (folder / "photos/5.png").write_bytes(b"no image")
    (folder / "photos/8.png").write_bytes(b"no image")
    assert main([*WORDS, "--skip-bad-images", "--output", "one.jsonl"]) == 0
    one = capsys.readouterr()
    monkeypatch.setattr(many_devices, "gpus", lambda device: ["cpu", "cpu"])
    add, processes = Journal.add, set()

    def stopping(journal, entry):
        add(journal, entry)
        processes.add(entry["image"])
        if len(processes) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "add", stopping)
        assert main([*WORDS, "--skip-bad-images", "--output", "two.jsonl"]) == 130
    assert "3 of 8 images are done and kept" in capsys.readouterr().err
    done = [json.loads(line) for line in open("two.jsonl.partial")][1:]
    added = []
    monkeypatch.setattr(
        Journal, "add", lambda journal, entry: (added.append(entry["image"]), add(journal, entry))
    )
    assert main([*WORDS, "--skip-bad-images", "--output", "two.jsonl"]) == 0
    two = capsys.readouterr()
    # What was done is not done again.
    assert len(added) == 3 and not {entry["image"] for entry in done} & set(added)
    assert (folder / "two.jsonl").read_bytes() == (folder / "one.jsonl").read_bytes()
    assert two.out == one.out.replace("one.jsonl", "two.jsonl")

    def left_out(err):
        return [line for line in err.splitlines() if "left out" in line]

    assert left_out(two.err) == left_out(one.err) and len(left_out(one.err)) == 2


def test_bad_image_stops_two_devices_with_one_line(folder, two, capsys):
    (folder / "photos/5.png").write_bytes(b"no image")
    assert main([*WORDS, "--output", "two.jsonl"]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert line.startswith("vqapg sample: error: photos/5.png: cannot be read as an image")


def test_killed_process_of_a_device_is_a_failed_run(folder, two, monkeypatch, capsys):
    import multiprocessing

    add = Journal.add

    def killing(journal, entry):
        add(journal, entry)
        for child in multiprocessing.active_children():
            os.kill(child.pid, signal.SIGKILL)

    monkeypatch.setattr(Journal, "add", killing)
    assert main([*WORDS, "--output", "two.jsonl"]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "failed" in line]
    assert "the process of a GPU ended with status -9" in line
    assert "images are done and kept, the same command goes on" in line
