"""Generated pairs as a caller gives them: the path of a file, or the pairs themselves."""

import math
import os
from collections.abc import Iterable
from typing import Any

from vqapg.data.directory import SPLITS, DataDirectory
from vqapg.data.tokenizer import tokenize
from vqapg.errors import InputError
from vqapg.evaluation.generated import GeneratedPair, read_generated

Pairs = str | os.PathLike[str] | Iterable[Any]
FIELDS = ("image", "question", "answer")


def as_directory(data: str | os.PathLike[str] | DataDirectory) -> DataDirectory:
    """The data directory at a path, or the one that is given.

    Raises:
        InputError: as :class:`~vqapg.data.directory.DataDirectory`
    """
    return data if isinstance(data, DataDirectory) else DataDirectory(data)


def given_pairs(pairs: Pairs, data: DataDirectory, split: str | None) -> list[GeneratedPair]:
    """The pairs, in tokens.

    Args:
        pairs: the path of ``generate-<split>.txt`` or of JSON lines; or pairs, each a
            :class:`GeneratedPair`, a dict with image, question and answer, or a tuple of the three.
            Texts are as people write them, except a GeneratedPair's, which are tokens
        data: whose images they are of
        split: of the images; None: any

    Raises:
        InputError: as :func:`read_generated`; if there is no such split or no pair; if a pair is
            of another form, or its image is not in *data*
    """
    if split is not None and split not in SPLITS:
        raise InputError(f"--split {split}: there is no such split; give {', '.join(SPLITS)}")
    if isinstance(pairs, (str, os.PathLike)):
        return read_generated(pairs, data, split or "test")
    if not isinstance(pairs, Iterable):
        raise InputError(
            f"--pairs: {type(pairs).__name__} holds no pairs; give the path of a file, or a list"
        )
    images = set(data.image_ids(split))
    found = [_given(number, pair) for number, pair in enumerate(pairs)]
    if not found:
        raise InputError("--pairs: there is none; give at least one")
    for pair in found:
        if pair.image not in images:
            raise InputError(
                f"--pairs: image {pair.image!r} is not in {f'split {split} of ' if split else ''}"
                f"{data.path}; give the data directory and the split that were generated from"
            )
    return found


def _given(number: int, pair: Any) -> GeneratedPair:
    if isinstance(pair, GeneratedPair):
        return pair
    texts = [pair.get(field) for field in FIELDS] if isinstance(pair, dict) else pair
    if (
        not isinstance(texts, (tuple, list))
        or len(texts) != 3
        or not all(isinstance(text, str) for text in texts)
    ):
        raise InputError(
            f"--pairs: number {number}, from 0, is not the texts image, question and answer; "
            "give a tuple of the three, or a dict"
        )
    question, answer = (" ".join(tokenize(text)) for text in texts[1:])
    if not question or not answer:
        return GeneratedPair(number, texts[0], None, None, math.nan)
    return GeneratedPair(number, texts[0], question, answer, math.nan)
