import multiprocessing
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from vqapg.errors import InputError, RunError
from vqapg.judges.score_cache import ScoreCache, cache_folder


@pytest.mark.parametrize(
    "own, shared, expected",
    [
        ("/own", "/shared", "/own"),
        (None, "/shared", "/shared/vqapg"),
        (None, "not/absolute", "/home/anna/.cache/vqapg"),
        (None, None, "/home/anna/.cache/vqapg"),
    ],
)
def test_cache_folder_follows_the_environment(monkeypatch, own, shared, expected):
    monkeypatch.setenv("HOME", "/home/anna")
    for name, value in (("VQAPG_CACHE", own), ("XDG_CACHE_HOME", shared)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)


def test_scores_are_read_as_they_were_written_nan_too(tmp_path):
    cache = ScoreCache(tmp_path / "new" / "folder" / "scores.sqlite")
    written = {f"{number}".encode(): number / 3000 for number in range(1500)} | {b"?": np.nan}
    cache.write(written)
    cache.write({b"7": 0.25})
    found = ScoreCache(cache.path).read([*written, b"none"])
    assert found.keys() == written.keys() and np.isnan(found[b"?"])
    assert found[b"7"] == 0.25 and found[b"1499"] == 1499 / 3000
    assert cache.read([]) == {}


def _write_until_killed(path, started):
    cache, number = ScoreCache(path), 0
    while True:
        cache.write({f"{number}-{part}".encode(): 0.5 for part in range(50)})
        started.set()
        number += 1


def test_a_kill_leaves_whole_batches(tmp_path):
    path = tmp_path / "scores.sqlite"
    spawned = multiprocessing.get_context("spawn")
    started = spawned.Event()
    writer = spawned.Process(target=_write_until_killed, args=(path, started))
    writer.start()
    assert started.wait(60)
    writer.kill()
    writer.join()
    with sqlite3.connect(path) as database:
        batches = database.execute(
            "SELECT count(*) FROM scores GROUP BY substr(key, 1, instr(key, '-'))"
        ).fetchall()
    assert batches and set(batches) == {(50,)}
    ScoreCache(path).write({b"after": 1.0})
    assert ScoreCache(path).read([b"after", b"0-0"]) == {b"after": 1.0, b"0-0": 0.5}


def test_a_batch_that_fails_leaves_nothing(tmp_path):
    cache = ScoreCache(tmp_path / "scores.sqlite")
    with pytest.raises(TypeError):
        cache.write({b"a": 0.5, b"b": None})
    assert cache.read([b"a"]) == {}


def test_a_file_that_is_no_cache_is_one_line(tmp_path):
    (tmp_path / "scores.sqlite").write_bytes(b"something else, and long enough to be looked at" * 9)
    with pytest.raises(InputError, match="cannot be used as a cache of scores .*VQAPG_CACHE$"):
        ScoreCache(tmp_path / "scores.sqlite").read([b"a"])


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be used as a cache of scores"):
        ScoreCache(tmp_path / "file" / "scores.sqlite").write({b"a": 0.5})


def test_a_full_disk_is_a_run_error(tmp_path, monkeypatch):
    cache = ScoreCache(tmp_path / "scores.sqlite")
    cache.write({b"a": 0.5})
    real = sqlite3.connect

    def small(*given, **options):
        database = real(*given, **options)
        database.execute("PRAGMA max_page_count = 4")
        return database

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(RunError, match="make room, and run the same command again"):
        cache.write({os.urandom(32): 0.5 for _ in range(2000)})
    assert cache.read([b"a"]) == {b"a": 0.5}
