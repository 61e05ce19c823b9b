"""A number with its word, in right number."""


def counted(number: int, what: str) -> str:
    """``1 pair``, ``1,000 pairs``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
