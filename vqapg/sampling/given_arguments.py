"""What a caller from Python gives, checked: paths, and texts of a pair."""

import os
from collections.abc import Iterable

from vqapg.data.tokenizer import tokenize
from vqapg.errors import InputError

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def path_list(images: Paths) -> list[str | os.PathLike[str]]:
    """One path or several, as a list.

    Raises:
        InputError: if there is none, or something else than a path
    """
    if isinstance(images, (str, os.PathLike)):
        return [images]
    paths = list(images) if isinstance(images, Iterable) else [images]
    for path in paths:
        if not isinstance(path, (str, os.PathLike)):
            raise InputError(
                f"images: {type(path).__name__} is no path; give paths, folders or patterns, and "
                "pictures in memory to sample, one after the other"
            )
    if not paths:
        raise InputError("images: there is none; give at least one path, folder or pattern")
    return paths


def one_text(name: str, text: str) -> str:
    """The tokens of *text*, joined; *name* is the argument's, for messages.

    Raises:
        InputError: if it is no text, or has no word
    """
    if not isinstance(text, str):
        raise InputError(f"{name}: {type(text).__name__} is no text; give a string")
    tokens = tokenize(text)
    if not tokens:
        raise InputError(f"{name} has no word in it; give one")
    return " ".join(tokens)
