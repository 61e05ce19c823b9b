"""Where the pairs and the pictures of a session come from: a data directory, or a folder."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from PIL.Image import Image

from vqapg.data.directory import DataDirectory
from vqapg.data.picture_folder import PictureFolder
from vqapg.evaluation.generated import GeneratedPair, read_generated
from vqapg.evaluation.given_pairs import as_directory, judge_context, place_of_images
from vqapg.judges.context import JudgeContext


class PairSource(NamedTuple):
    """Pairs, and the pictures that they are of.

    Attributes:
        path: what holds the pictures
        split: of the images; None where there are no splits
        inputs: the files that say which images there are, for the session's provenance
        read_pairs: the pairs in a file
        images_to_draw: the images that there are, in an order that the files of pairs do not
            change; it is given all pairs
        context: what a judge may ask
    """

    path: Path
    split: str | None
    inputs: dict[str, Path]
    read_pairs: Callable[[str | os.PathLike[str]], list[GeneratedPair]]
    images_to_draw: Callable[[Iterable[GeneratedPair]], list[str]]
    context: JudgeContext

    def picture(self, image: str) -> Image:
        """The picture of that id: upright, mode RGB.

        Raises:
            InputError: if there is none, or it cannot be read
        """
        return self.context.picture(image)


def pair_source(
    data: str | os.PathLike[str] | DataDirectory | None,
    images: str | os.PathLike[str] | None,
    split: str | None = None,
    weights: str = "imagenet",
) -> PairSource:
    """The data directory or the folder of pictures that a user names.

    Args:
        data: the data directory that was generated from
        images: the folder of the pictures, where there is no data directory
        split: of the images; None: ``test``. A folder has none
        weights: of the backbone of a trained judge, for a folder

    Raises:
        InputError: unless one of the two is given, and is one
    """
    place = place_of_images(data, images, split)
    if isinstance(place, DataDirectory):
        return data_source(place, split or "test")
    return folder_source(place, weights)


def data_source(data: str | os.PathLike[str] | DataDirectory, split: str = "test") -> PairSource:
    """The images of one split of a data directory.

    Args:
        data: the data directory that was generated from
        split: of the images

    Raises:
        InputError: if it is no data directory
    """
    directory = as_directory(data)
    return PairSource(
        path=directory.path,
        split=split,
        inputs={"data": directory.path},
        read_pairs=lambda file: read_generated(file, directory, split),
        images_to_draw=lambda pairs: directory.image_ids(split),
        context=judge_context(directory, split),
    )


def folder_source(
    images: str | os.PathLike[str] | PictureFolder, weights: str = "imagenet"
) -> PairSource:
    """The pictures of a folder, for pairs that any system made.

    Args:
        images: the folder
        weights: of the backbone of a trained judge: "imagenet", a file, or "none"

    Raises:
        InputError: if there is no such folder
    """
    folder = images if isinstance(images, PictureFolder) else PictureFolder(images)
    return PairSource(
        path=folder.path,
        split=None,
        inputs={},
        read_pairs=lambda file: read_generated(file, folder),
        # A folder may hold other pictures, too.
        images_to_draw=lambda pairs: sorted({pair.image for pair in pairs}),
        context=judge_context(folder, None, weights),
    )
