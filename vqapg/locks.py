"""A lock that one process holds, on this machine and on others that see the same file system.

The lock is a hidden file beside what it guards. It says who holds it, and two things keep others
out:

- flock, which the kernel drops when the process dies. It reaches other machines on NFS, but not on
  every file system.
- a sign of life: the holder touches the file every few seconds. Another machine that gets the flock
  takes the lock only when there has been no sign for a minute. The clock is the file system's own,
  so clocks may differ.

A killed run therefore blocks nobody on its own machine, and others for a minute.
"""

import contextlib
import fcntl
import json
import os
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vqapg.errors import InputError, RunError
from vqapg.files import writing
from vqapg.strict_json import decode, parse_json

SIGN_OF_LIFE = 5.0  # seconds between two
SILENCE = 60.0  # seconds after which a holder on another machine counts as dead
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Lock:
    """Holds the lock on *path*, a file or folder that need not exist, from construction until
    :meth:`release`.

    A context manager. Its folder must exist.

    Raises:
        InputError: if another process holds it, or its place cannot be written to
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.with_name(f".{path.name}.lock")
        self._descriptor = self._take()
        self._ended = threading.Event()
        threading.Thread(target=self._show_life, daemon=True).start()

    def check(self) -> None:
        """Raises RunError when the lock is lost, as after a standstill of a minute, or with its
        folder replaced.
        """
        try:
            held = (
                os.path.samestat(os.stat(self.file), os.fstat(self._descriptor))
                and self._holder() == self._self
            )
        except OSError:
            held = False
        if not held:
            raise RunError(
                f"{self.path}: another run has taken over meanwhile; this one stops, its work is "
                "not kept"
            )

    def release(self) -> None:
        if self._ended.is_set():
            return
        self._ended.set()
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(self.file), os.fstat(self._descriptor)):
                self.file.unlink()
        # Workers that outlive this process hold the open file, and with it the flock.
        with contextlib.suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def _take(self) -> int:
        while True:
            try:
                with writing(self.path):
                    descriptor = os.open(
                        self.file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
                    )
            except OSError as error:
                raise InputError(
                    f"{self.path}: cannot be written ({error.strerror}: {self.file.name}); see to "
                    f"the permissions of {self.path.parent}, or give another place"
                ) from error
            self._descriptor = descriptor
            try:
                if not self._flocked():
                    continue  # its holder has just removed it
                try:
                    with writing(self.path):
                        self._write()
                except RunError:
                    self.file.unlink(missing_ok=True)
                    raise
                return descriptor
            except BaseException:
                os.close(descriptor)
                raise

    def _flocked(self) -> bool:
        """Whether the file is still the one that others see. Raises InputError when it is held."""
        holder, flocked = self._holder(), True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._held(holder) from None
        except OSError:
            flocked = False  # a file system without flock: the sign of life alone tells
        holder = self._holder()
        # What ran on this kernel has lost its flock by ending, whether or not the flock reaches
        # other machines.
        ended = flocked and holder is not None and holder.get("boot") == _boot()
        if holder is not None and not ended and self._silence() < SILENCE:
            raise self._held(holder)
        try:
            current = os.path.samestat(os.stat(self.file), os.fstat(self._descriptor))
        except FileNotFoundError:
            current = False
        if not current:
            os.close(self._descriptor)
        return current

    def _held(self, holder: dict[str, Any] | None) -> InputError:
        who = "another run"
        if holder is not None:
            who = (
                f"process {holder.get('process')} on {holder.get('machine')}, begun "
                f"{holder.get('begun')},"
            )
        return InputError(
            f"{self.path}: {who} is at work on it; wait for it to end (one that was killed on "
            f"another machine counts as ended after {SILENCE:.0f} seconds)"
        )

    def _holder(self) -> dict[str, Any] | None:
        """Who the file says holds it; None where it says nothing. Raises InputError for a file that
        is not ours.
        """
        content = os.pread(self._descriptor, 4096, 0)
        if not content:
            return None
        try:
            holder = parse_json(decode(content, "", ""), "", "")["vqapg_lock"]
            return holder if isinstance(holder, dict) else {}
        except (InputError, KeyError, TypeError) as error:
            raise InputError(f"{self.file}: is not a lock of vqapg; move it away") from error

    def _silence(self) -> float:
        """Seconds since the last sign of life, by the clock of the file system."""
        probe = self.file.with_name(f"{self.file.name}-{socket.gethostname()}-{os.getpid()}")
        try:
            probe.touch()
            now = probe.stat().st_mtime
        finally:
            probe.unlink(missing_ok=True)
        return now - os.fstat(self._descriptor).st_mtime

    def _write(self) -> None:
        self._self = {
            "machine": socket.gethostname(),
            "boot": _boot(),
            "process": os.getpid(),
            "begun": datetime.now(UTC).isoformat(timespec="seconds"),
            "number": time.monotonic_ns(),
        }
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps({"vqapg_lock": self._self}).encode(), 0)

    def _show_life(self) -> None:
        while not self._ended.wait(SIGN_OF_LIFE):
            with contextlib.suppress(OSError):
                os.utime(self._descriptor)


def check_free(path: Path) -> None:
    """Raises InputError when the lock on *path* is held."""
    if path.with_name(f".{path.name}.lock").exists():
        Lock(path).release()


def _boot() -> str:
    """Tells this start of this machine's kernel from all others, whatever the machine is called."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return socket.gethostname()
