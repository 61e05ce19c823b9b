"""``vqapg sample --ray`` is killed, and the same command goes on."""

import os
import signal
import subprocess
import sys
import time

from tests.support.fairseq_commands import REPOSITORY
from tests.support.ray_clusters import DRAWN, draw_world, joined, parts_done, sample

JUDGE = "tests.support.judges:{}:{}"
IMAGES = 8
STORE = {"RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": str(80 * 2**20)}


def test_killed_driver_goes_on_with_what_is_left(tmp_path, monkeypatch, dictionary):
    monkeypatch.chdir(tmp_path)
    draw_world(tmp_path, dictionary, IMAGES)
    slow = ["--judge", JUDGE.format("SlowlyNoted", tmp_path / "noted.txt"), "--part-size", "1"]
    words = ["sample", "--checkpoint", "model.pt", "photos", "--output", "p.jsonl", *DRAWN, *slow]
    words = [sys.executable, "-m", "vqapg.cli.main", *words, "--ray", "local"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **STORE}

    def run():
        return subprocess.Popen(
            words,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    process = run()
    while parts_done(tmp_path / "p.jsonl") < 3:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _wait_for_end_of_workers(tmp_path / "p.jsonl")
    done = parts_done(tmp_path / "p.jsonl")
    assert 3 <= done < IMAGES and not (tmp_path / "p.jsonl/_vqapg/counts.json").exists()
    before = (tmp_path / "noted.txt").read_text().splitlines()

    process = run()
    _, err = process.communicate()
    assert process.returncode == 0, err
    judged = (tmp_path / "noted.txt").read_text().splitlines()
    # What was done is not done again: the second run judged what the first had not finished.
    assert len(judged) - len(before) == IMAGES - done
    assert set(judged) == {f"photos/{number}.png" for number in range(IMAGES)}
    whole = ["--judge", JUDGE.format("Noted", tmp_path / "whole.txt")]
    assert sample(*whole, output="whole.jsonl") == 0
    assert joined(tmp_path / "p.jsonl") == (tmp_path / "whole.jsonl").read_bytes()


def _wait_for_end_of_workers(folder):
    """Ray ends the workers of a driver that was killed; one may still finish its part."""
    done, since = parts_done(folder), time.monotonic()
    while time.monotonic() - since < 3:
        time.sleep(0.1)
        if parts_done(folder) != done:
            done, since = parts_done(folder), time.monotonic()
