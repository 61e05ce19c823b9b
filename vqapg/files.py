"""Writing files so that nothing half-written ever stands under a final name."""

import contextlib
import errno
import glob
import hashlib
import os
import socket
from pathlib import Path

from vqapg.errors import InputError, RunError

DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextlib.contextmanager
def writing(path=None):
    """Turns trouble of the disk, such as that it is full, into RunError, which names *path* or the error's file."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_TROUBLE:
            raise
        raise RunError(
            f"{path or error.filename or 'the output'}: cannot be written ({os.strerror(error.errno)}); make room, or "
            "see to the disk, and run the same command again"
        ) from error


@contextlib.contextmanager
def atomic_write(path, mode="w"):
    """Open a temporary neighbour of *path* for writing; it takes the final name only when all went well.

    Yields a text (UTF-8, ``mode="w"``) or binary (``mode="wb"``) file object. Raises InputError when the place
    cannot be written to, RunError when the disk is full.
    """
    path = Path(path)
    _remove_left_over(path)
    partial = path.with_name(f".{path.name}.partial-{socket.gethostname()}-{os.getpid()}")
    try:
        with writing(path):
            file = open(partial, mode, encoding=None if "b" in mode else "utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give another place") from error
    try:
        with writing(path):
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _remove_left_over(path):
    """What killed runs on this machine began of *path*; other machines may be at work on theirs."""
    beginning = f".{path.name}.partial-{socket.gethostname()}-"
    for partial in path.parent.glob(glob.escape(beginning) + "*"):
        writer = partial.name.removeprefix(beginning)
        if writer.isdecimal() and not _is_running(int(writer)):
            partial.unlink(missing_ok=True)


def _is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    return True


def sha256(path):
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
