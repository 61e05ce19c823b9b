"""Files of a session folder, which may come from a stranger: ordinary files of a bounded size, nothing else."""

import stat
from pathlib import Path

from vqapg.errors import InputError


def require_regular(path: Path, most: int, *, links: bool = True) -> None:
    """See, without opening it, that a file is one that can be read whole.

    Args:
        path: the file.
        most: how many bytes it may have.
        links: whether *path* may be a symbolic link.

    Raises:
        InputError: when it is a link that is not allowed, no ordinary file, or too large.
        FileNotFoundError: when there is none.
    """
    if not links and path.is_symlink():
        raise InputError(f"{path}: is a link; put the file itself there")
    status = path.stat()
    # A FIFO would wait for its writer, and a device may never end.
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: is no ordinary file; put a file there")
    if status.st_size > most:
        raise InputError(
            f"{path}: has {status.st_size:,} bytes, more than {most:,}; give the right file"
        )


def read_regular(path: Path, most: int, *, links: bool = True) -> bytes:
    """The bytes of a file. Takes and raises what ``require_regular`` does, and OSError when it cannot be read."""
    require_regular(path, most, links=links)
    return path.read_bytes()
