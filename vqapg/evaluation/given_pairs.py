"""Pairs as a caller gives them, and where their images are: a data directory or a folder."""

import math
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from vqapg.data.directory import DataDirectory
from vqapg.data.picture_folder import PictureFolder
from vqapg.data.tokenizer import tokenize
from vqapg.datasets.reader import SPLITS
from vqapg.errors import InputError
from vqapg.evaluation.generated import GeneratedPair, chooser_in, images_of, read_generated
from vqapg.judges.context import JudgeContext

Data = str | os.PathLike[str] | DataDirectory
Pairs = str | os.PathLike[str] | Iterable[Any]
FIELDS = ("image", "question", "answer")


def as_directory(data: Data) -> DataDirectory:
    """The data directory at a path, or the one that is given.

    Raises:
        InputError: as :class:`~vqapg.data.directory.DataDirectory`
    """
    return data if isinstance(data, DataDirectory) else DataDirectory(data)


def place_of_images(
    data: Data | None, images: str | os.PathLike[str] | None, split: str | None
) -> DataDirectory | PictureFolder:
    """Where the images of the pairs are.

    Args:
        data: the data directory, or its path
        images: the folder of the pictures, where there is no data directory
        split: of the images; a folder has none

    Raises:
        InputError: unless one of the two is given, and is one; if there is no such split
    """
    if split is not None and split not in SPLITS:
        raise InputError(f"--split {split}: there is no such split; give {', '.join(SPLITS)}")
    if images is None:
        if data is None:
            raise InputError("--images: give the folder of the pictures, or a data directory")
        return as_directory(data)
    if data is not None:
        raise InputError(f"--images {images}: a data directory has images; give one of the two")
    if split is not None:
        raise InputError(f"--split {split}: a folder of pictures has no splits; leave it out")
    return PictureFolder(images)


def judge_context(
    place: DataDirectory | PictureFolder, split: str | None, weights: str = "imagenet"
) -> JudgeContext:
    """What a judge of these images may ask.

    Args:
        place: of the images
        split: as :func:`place_of_images`
        weights: of the backbone of a trained judge, as ``vqapg sample --weights``; for a folder
    """
    if isinstance(place, DataDirectory):
        return JudgeContext(place, split)
    return JudgeContext(open_picture=place.open, weights=weights)


def given_pairs(
    pairs: Pairs | None, place: DataDirectory | PictureFolder, split: str | None
) -> list[GeneratedPair]:
    """The pairs, in tokens.

    Args:
        pairs: the path of ``generate-<split>.txt`` or of JSON lines; or pairs, each a
            :class:`GeneratedPair`, a dict with image, question and answer, or a tuple of the three.
            Texts are as people write them, except a GeneratedPair's, which are tokens
        place: of the images
        split: of the images; None: any

    Raises:
        InputError: as :func:`read_generated`; if there is no pair; if a pair is of another form,
            or its image is not in *place*
    """
    if isinstance(pairs, (str, os.PathLike)):
        return read_generated(pairs, place, split or "test")
    if not isinstance(pairs, Iterable):
        raise InputError(
            f"--pairs: {type(pairs).__name__} holds no pairs; give the path of a file, or a list"
        )
    image_named, not_found = images_of(place, split)
    found = []
    for number, given in enumerate(pairs):
        pair = _given(number, given)
        image = image_named(pair.image)
        if image is None:
            raise InputError(f"--pairs: image {pair.image!r} is not in {not_found}")
        found.append(replace(pair, image=image))
    if not found:
        raise InputError("--pairs: there is none; give at least one")
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
    chooser = chooser_in(pair) if isinstance(pair, dict) else None
    if not question or not answer:
        return GeneratedPair(number, texts[0], None, None, math.nan, chooser)
    return GeneratedPair(number, texts[0], question, answer, math.nan, chooser)
