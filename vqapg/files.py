"""Reading and writing files so that nothing hangs and nothing half-written ever stands under a
final name.
"""

import contextlib
import errno
import glob
import hashlib
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from vqapg.errors import InputError, RunError

DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
# Of what is read into memory as a whole, in bytes.
LARGEST_TEXT = 4 << 30
KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}


@contextlib.contextmanager
def writing(path: str | os.PathLike[str] | None = None) -> Iterator[None]:
    """Turns trouble of the disk, such as that it is full, into a RunError that names *path* or the
    error's file.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_TROUBLE:
            raise
        raise RunError(
            f"{path or error.filename or 'the output'}: cannot be written "
            f"({os.strerror(error.errno)}); make room, or see to the disk, and run the same "
            "command again"
        ) from error


def check_readable_file(
    path: str | os.PathLike[str],
    cure: str,
    largest: int | None = None,
    option: str | None = None,
    *,
    links: bool = True,
) -> Path:
    """The path of a user's file that can be opened without waiting and read to an end.

    A pipe is refused too: without a writer it would hang, and some commands read their input twice.

    Args:
        path: the file
        cure: what the user can do where it is no such file
        largest: bytes that the file may have, for a file that is read into memory as a whole
        option: the option that names it, for the message
        links: whether it may be a symbolic link

    Raises:
        InputError: if there is no such file, it is no regular file, it is too large, or it is a
            link that is not allowed
    """
    named = f"{option} {path}" if option else str(path)
    if not links and os.path.islink(path):
        raise InputError(f"{named}: is a link; put the file itself there")
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{named}: cannot be read ({reason}); {cure}") from error
    if not stat.S_ISREG(status.st_mode):
        kind = next(
            (kind for is_kind, kind in KINDS.items() if is_kind(status.st_mode)), "no regular file"
        )
        also = "write what it gives into a file first" if kind == "a pipe" else cure
        raise InputError(f"{named}: is {kind}, not a regular file; {also}")
    if largest is not None and status.st_size > largest:
        raise InputError(
            f"{named}: has {status.st_size:,} bytes, and at most {largest:,} are read; {cure}"
        )
    return Path(path)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives the path of a temporary neighbour to write to; it takes the name *path* only when all
    went well.

    Whatever stands at *path* is replaced: ask :func:`vqapg.targets.check_target` first.

    Raises:
        RunError: if the disk is full
    """
    remove_left_over(path)
    partial = working_name(path)
    try:
        with writing(path):
            yield partial
            os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a :func:`whole_file` for writing: a text (UTF-8, ``mode="w"``) or binary (``mode="wb"``)
    file object.

    Raises:
        InputError: if the place cannot be written to
        RunError: if the disk is full
    """
    path = Path(path)
    with whole_file(path) as partial:
        try:
            file = open(partial, mode, encoding=None if "b" in mode else "utf-8")  # noqa: SIM115
        except OSError as error:
            if error.errno in DISK_TROUBLE:
                raise
            raise InputError(
                f"{path}: cannot be written ({error.strerror}); give another place"
            ) from error
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())


def working_name(path: Path, role: str = "") -> Path:
    """The hidden neighbour of *path* that this process may write to. Its name tells the program,
    machine and process.
    """
    return path.with_name(f".{path.name}.vqapg{role}-{socket.gethostname()}-{os.getpid()}")


def left_over(path: Path, role: str = "") -> list[Path]:
    """The working names beside *path* whose processes, of this machine, have ended; other machines
    may be at work.
    """
    beginning = f".{path.name}.vqapg{role}-{socket.gethostname()}-"
    found = []
    for partial in path.parent.glob(glob.escape(beginning) + "*"):
        writer = partial.name.removeprefix(beginning)
        if writer.isdecimal() and (int(writer) == os.getpid() or not is_running(int(writer))):
            found.append(partial)
    return found


def remove_left_over(path: Path) -> None:
    """Remove the files that killed runs on this machine began of *path*."""
    for partial in left_over(path):
        if partial.is_file() and not partial.is_symlink():
            partial.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # another user's
    return True


def link_or_copy(source: Path, target: Path) -> None:
    """Make *target* the same file as *source*; a copy where the file system has no hard links, and
    a link stays one.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def sha256(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
