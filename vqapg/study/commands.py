"""Command lines as words, and shell scripts made of them."""

import shlex
from collections.abc import Sequence


def flag(name: str, value: str | None) -> list[str]:
    """The flag and its value; nothing where there is none."""
    return [] if value is None else [name, value]


def script(*commands: Sequence[str]) -> str:
    """The shell script of these commands, one a line."""
    return "\n".join(map(shlex.join, commands))
