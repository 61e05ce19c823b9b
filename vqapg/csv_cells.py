"""Cells of a CSV file that no spreadsheet runs as a formula.

An apostrophe goes before a cell that begins with one of ``= + - @``, a tab, a carriage return or an apostrophe.
Reading takes exactly one apostrophe away, so every text comes back as it was.
Source: OWASP, "CSV Injection".
"""

_RISKY = ("=", "+", "-", "@", "\t", "\r", "'")


def escape_cell(text: str) -> str:
    """The cell to write for *text*.

    Args:
        text: what the cell says.

    Returns:
        *text*, with an apostrophe before it where a spreadsheet could run it.
    """
    return f"'{text}" if text.startswith(_RISKY) else text


def unescape_cell(cell: str) -> str:
    """The text that ``escape_cell`` wrote as *cell*.

    Args:
        cell: a cell as it was read.

    Returns:
        *cell* without its first apostrophe, if it begins with one.
    """
    return cell.removeprefix("'")
