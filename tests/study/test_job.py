"""The guard of a job: GPUs by locks, and checkpoints that may not go on."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vqapg.study import job


@pytest.fixture
def gpus(tmp_path, monkeypatch):
    """choose(count): GPUs of this process among 4, 5 and 6, locked in the test's folder."""
    monkeypatch.setattr(job.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, 5,6")
    return job.choose_gpus


def test_gpus_go_to_one_job_each(gpus):
    # A second lock is another open file, as it is in another process.
    assert [gpus(1), gpus(2)] == [["4"], ["5", "6"]]


def test_gpus_that_are_short_are_waited_for(gpus, monkeypatch):
    before = set(os.listdir("/proc/self/fd"))
    gpus(2)
    held = set(os.listdir("/proc/self/fd")) - before
    waits = []

    def wait(seconds):
        waits.append(seconds)
        # The other job ends. One that is closed already listed the folder.
        for descriptor in map(int, held):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    monkeypatch.setattr(job.time, "sleep", wait)
    assert gpus(3) == ["4", "5", "6"] and len(waits) == 1


def test_more_gpus_than_there_are_end_the_job(gpus):
    with pytest.raises(SystemExit, match="4 GPUs are wanted, and 3 are there"):
        gpus(4)


def test_no_gpu_is_none(gpus):
    assert gpus(0) == []


def test_checkpoints_of_other_data_go(tmp_path):
    manifest, kept = tmp_path / "manifest.json", tmp_path / "other.pt"
    last = tmp_path / "checkpoint_last.pt"
    manifest.write_text("a")
    job.check_started_from(tmp_path, [manifest])
    for path in (last, kept):
        path.touch()
    os.utime(manifest, (1, 1))
    job.check_started_from(tmp_path, [manifest])
    assert last.exists()
    manifest.write_text("b")
    job.check_started_from(tmp_path, [manifest])
    assert not last.exists() and kept.exists()


def run(folder: Path, script: str, *words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "vqapg.study.job", "place/name", *words]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        command, input=script, cwd=folder, env=environment, capture_output=True, text=True
    )


def test_job_fails_with_its_first_failing_command(tmp_path):
    done = run(tmp_path, "echo one\nfalse | cat\necho two\n")
    assert done.returncode == 1 and done.stdout == done.stderr == ""
    head, *lines = (tmp_path / "place/name.log").read_text().splitlines()
    assert head.startswith("--- 20")
    assert lines == ["echo one", "false | cat", "echo two", "---", "one"]


def test_job_whose_outputs_are_there_runs_nothing(tmp_path):
    (tmp_path / "out").touch()
    done = run(tmp_path, "echo never", "--outputs", "out")
    assert done.returncode == 0 and not (tmp_path / "place/name.log").exists()
    assert done.stdout == "place/name: done by what an earlier start of the study had at work\n"


def test_script_reads_nothing_and_sees_its_gpus(tmp_path):
    done = run(tmp_path, 'cat\necho "[$CUDA_VISIBLE_DEVICES]"', "--gpus", "0")
    assert done.returncode == 0
    assert (tmp_path / "place/name.log").read_text().endswith("---\n[]\n")
