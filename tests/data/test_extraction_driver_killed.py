"""``vqapg extract-features --ray`` is killed, and the same command goes on."""

import json
import os
import signal
import subprocess
import sys
import time

from tests.support.fairseq_commands import REPOSITORY
from tests.support.ray_clusters import (
    draw_data,
    extraction,
    feature_parts_done,
    numbers_in,
)
from vqapg.cli.main import main

IMAGES, PART = 16, 2
STORE = {"RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": str(80 * 2**20)}


def test_killed_driver_goes_on_with_what_is_left(tmp_path):
    data, notes = draw_data(tmp_path, IMAGES), tmp_path / "notes.txt"
    words = extraction(data, "slowly_noted", notes, "--ray", "local")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **STORE}

    def run():
        return subprocess.Popen(
            [sys.executable, "-m", "vqapg.cli.main", *words],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def placed():
        journal = data / ".features.h5.journal"
        return json.loads(journal.read_text())["done"] if journal.exists() else 0

    process = run()
    while placed() < 2 * PART:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _wait_for_end_of_workers(data)
    assert not (data / "features.h5").exists()
    # A part that is placed may not be cleared away yet: it counts once.
    done = placed() + PART * len([first for first in feature_parts_done(data) if first >= placed()])
    assert 2 * PART <= done < IMAGES
    before = len(numbers_in(notes))

    process = run()
    _, err = process.communicate()
    assert process.returncode == 0, err
    seen = numbers_in(notes)
    # What was done is not done again.
    assert len(seen) - before == IMAGES - done and set(seen) == set(range(IMAGES))
    made = (data / "features.h5").read_bytes()
    (data / "features.h5").unlink()
    assert main(extraction(data, "slowly_noted", notes)) == 0
    assert (data / "features.h5").read_bytes() == made
    assert not list(data.glob(".features*"))


def _wait_for_end_of_workers(data):
    """Ray ends the workers of a driver that was killed; one may still finish its part."""
    done, since = feature_parts_done(data), time.monotonic()
    while time.monotonic() - since < 3:
        time.sleep(0.1)
        if feature_parts_done(data) != done:
            done, since = feature_parts_done(data), time.monotonic()
