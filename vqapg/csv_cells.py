"""Cells of CSV files, so that a spreadsheet takes none for a formula to run.

A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break gets an apostrophe before
it. So does one that begins with an apostrophe: whoever reads the file takes away exactly one
leading apostrophe and has the text again. Numbers stay as they are.

https://owasp.org/www-community/attacks/CSV_Injection
"""

from typing import TypeVar

Value = TypeVar("Value")

ESCAPED = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")


def escape_cell(value: Value) -> Value | str:
    """*value* as it is written: a text gets an apostrophe where it needs one."""
    return f"'{value}" if isinstance(value, str) and value.startswith(ESCAPED) else value


def unescape_cell(cell: str) -> str:
    """The text that :func:`escape_cell` wrote as *cell*."""
    return cell.removeprefix("'")
