"""Scores on disk, so that a judge that takes long is asked once about each triple.

One SQLite file holds the scores of one judge. SQLite commits a batch as a whole or not at all, so
a run may be killed at any moment. Several runs may use one file.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from vqapg.errors import InputError, RunError

WAIT = 60.0  # seconds for another run to finish writing
AT_ONCE = 500  # keys in one question; SQLite takes some thousand


def cache_folder() -> Path:
    """Where vqapg keeps what it can make again.

    ``VQAPG_CACHE`` if that is set, else ``vqapg`` in ``XDG_CACHE_HOME``, else ``~/.cache/vqapg``.

    Source: https://specifications.freedesktop.org/basedir-spec/latest/, which has a path that is
    not absolute ignored.
    """
    if own := os.environ.get("VQAPG_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(shared) if os.path.isabs(shared) else Path.home() / ".cache") / "vqapg"


class ScoreCache:
    """The scores of one judge.

    Args:
        path: the SQLite file; it is made with its folder when it is first used
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, keys: Sequence[bytes]) -> dict[bytes, float]:
        """The scores of those *keys* that have one; NaN is one.

        Raises:
            InputError: if the file cannot be used
        """
        found: dict[bytes, float] = {}
        with self._open() as database:
            for start in range(0, len(keys), AT_ONCE):
                part = keys[start : start + AT_ONCE]
                marks = ",".join("?" * len(part))
                rows = database.execute(
                    f"SELECT key, score FROM scores WHERE key IN ({marks})", part
                )
                # SQLite has no NaN: it stores NULL.
                found.update((key, np.nan if score is None else score) for key, score in rows)
        return found

    def write(self, scores: Mapping[bytes, float]) -> None:
        """Keep *scores*, all or none of them. When this returns they are on the disk.

        Raises:
            InputError: if the file cannot be used
            RunError: if the disk is full
        """
        with self._open() as database:
            database.executemany(
                "INSERT OR REPLACE INTO scores VALUES (?, ?)",
                [(key, float(score)) for key, score in scores.items()],
            )

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The database, in a transaction that ends with the block."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self.path, timeout=WAIT)) as database, database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS scores "
                    "(key BLOB PRIMARY KEY, score REAL) WITHOUT ROWID"
                )
                yield database
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise RunError(
                    f"{self.path}: cannot be written ({error}); make room, and run the same "
                    "command again"
                ) from error
            raise InputError(
                f"{self.path}: cannot be used as a cache of scores ({error}); remove it, or name "
                "another folder by the environment variable VQAPG_CACHE"
            ) from error
