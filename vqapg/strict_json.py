"""JSON that others wrote, read strictly: what Python's reader would let pass or fail on is one
clear line.

Refused are: what is not UTF-8 or not JSON, an empty text, NaN and Infinity, numbers too large to
hold, a key that an object has twice, half a surrogate pair, and nesting that is too deep.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vqapg.errors import InputError

# A pair takes some hundred bytes. Without a bound, one endless line would fill the memory.
MAX_LINE_BYTES = 16 << 20
# What an id may be: other tools keep it in 64 bits.
MAX_ID = (1 << 63) - 1
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_json(
    path: str | Path, cure: str, object_hook: Callable[[dict[str, Any]], Any] | None = None
) -> Any:
    """What the JSON file *path* holds.

    Args:
        path: the file
        cure: how the user mends it; ends every message
        object_hook: what an object becomes, so that what is not needed takes no memory

    Raises:
        InputError: if the file cannot be read or is not strict JSON; FileNotFoundError and
            NotADirectoryError pass, since a missing file means another thing to each caller.
    """
    try:
        text = decode(Path(path).read_bytes(), str(path), cure)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {cure}") from error
    return parse_json(text, str(path), cure, object_hook)


def read_lines(path: str | Path, cure: str) -> Iterator[tuple[int, str]]:
    """The lines of a text file, each with its number from 1, without line ends and byte order
    marks.

    Args:
        path: the file, which may be a pipe
        cure: how the user mends it; ends every message

    Raises:
        InputError: if the file cannot be read, is not UTF-8, or has a line of more than
            ``MAX_LINE_BYTES``
    """
    try:
        with open(path, "rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise InputError(
                        f"{path}:{number}: the line is longer than {MAX_LINE_BYTES:,} bytes; {cure}"
                    )
                yield number, decode(line, f"{path}:{number}", cure).rstrip("\r\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {cure}") from error


def decode(content: bytes, where: str, cure: str) -> str:
    """*content* as text. Raises InputError, which begins with *where*, if it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not valid UTF-8 (byte {error.start + 1}); {cure}") from error


def parse_json(
    text: str, where: str, cure: str, object_hook: Callable[[dict[str, Any]], Any] | None = None
) -> Any:
    """The value that *text* spells.

    Args:
        text: JSON
        where: the file, or file:line where *text* is a line; begins every message
        cure: how the user mends it; ends every message
        object_hook: what an object becomes; its KeyError, TypeError and ValueError mean an object
            of a wrong form

    Raises:
        InputError: if *text* is not strict JSON
    """
    if not text or text.isspace():
        raise InputError(f"{where}: is empty; {cure}")

    def make_object(items: list[tuple[str, Any]]) -> Any:
        made = dict(items)
        if len(made) < len(items):
            keys = [key for key, _ in items]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise _NotStrict(f"the key {twice!r} is there twice in one object")
        if object_hook is None:
            return made
        try:
            return object_hook(made)
        except (KeyError, TypeError, ValueError) as error:
            raise _NotStrict(
                f"not of the official form ({type(error).__name__}: {error})"
            ) from error

    try:
        value = json.loads(
            text,
            object_pairs_hook=make_object,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_whole_number,
        )
        half = _ESCAPED_SURROGATE.search(text) and _holds_surrogate(value)
    except _NotStrict as error:
        raise InputError(f"{where}: {error}; {cure}") from error
    except json.JSONDecodeError as error:
        # A text of several lines is a file's, whose line is known only now.
        line = f":{error.lineno}" if "\n" in text.strip() else ""
        raise InputError(
            f"{where}{line}: broken or cut JSON (column {error.colno}: {error.msg}); {cure}"
        ) from error
    except RecursionError as error:
        raise InputError(f"{where}: JSON nested too deeply; {cure}") from error
    if half:
        raise InputError(f"{where}: holds half a character (a lone surrogate \\udXXX); {cure}")
    return value


def is_id(value: object) -> bool:
    """Whether *value* is a whole number of 0 to ``MAX_ID``; ``true`` and ``1.0`` are not."""
    return type(value) is int and 0 <= value <= MAX_ID


class _NotStrict(Exception):
    """Not a ValueError: those of a hook must not be taken for it."""


def _refuse_constant(name: str) -> None:
    raise _NotStrict(f"{name} is not a JSON number")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _NotStrict(f"the number {_shown(digits)} is too large")
    return number


def _whole_number(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:  # Python's own bound on digits
        raise _NotStrict(f"the number {_shown(digits)} is too large") from error


def _shown(digits: str) -> str:
    return digits if len(digits) <= 20 else f"{digits[:20]}..."


def _holds_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return _SURROGATE.search(value) is not None
    if isinstance(value, dict):
        return any(map(_holds_surrogate, value)) or any(map(_holds_surrogate, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_holds_surrogate, value))
