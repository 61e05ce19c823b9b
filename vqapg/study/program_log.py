"""The log of a fairseq command, which is read while it grows."""

import os
import re
from pathlib import Path

# How many lines are shown where a command failed.
LAST_LINES = 10


def read_from(log: Path, offset: int, most: int | None = None) -> bytes:
    """The log from *offset* on; nothing where someone has taken it away.

    Args:
        log: its path
        offset: in bytes
        most: only so many bytes at its end; None: all
    """
    try:
        with open(log, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(offset if most is None else max(offset, end - most))
            return file.read()
    except OSError:
        return b""


def last_said(log: Path, offset: int, program: str) -> list[str]:
    """What *program* has said last: its error in one line, or else the last lines.

    Args:
        log: its path
        offset: where in it the program began
        program: such as ``fairseq-train``
    """
    lines = read_from(log, offset).decode(errors="replace").splitlines()
    # fairseq's commands say so in one line under this package, see one_line_errors.
    errors = [line for line in lines if re.match(rf"{program}: (error|failed): ", line)]
    return errors[-1:] or [line for line in lines if line.strip()][-LAST_LINES:]
