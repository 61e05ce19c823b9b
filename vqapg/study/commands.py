"""Command lines as words, and shell scripts made of them."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any


def flag(name: str, value: str | None) -> list[str]:
    """The flag and its value; nothing where there is none."""
    return [] if value is None else [name, value]


def flags(options: Mapping[Any, Any]) -> list[str]:
    """``--image-size 299`` for ``image_size: 299``, and so on."""
    return [
        word
        for name, value in options.items()
        for word in (f"--{str(name).replace('_', '-')}", str(value))
    ]


def script(*commands: Sequence[str]) -> str:
    """The shell script of these commands, one a line."""
    return "\n".join(map(shlex.join, commands))
