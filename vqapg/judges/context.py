"""What a judge can ask about the images that it judges."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from vqapg.data.directory import DataDirectory
from vqapg.data.pictures import open_rgb
from vqapg.errors import InputError

if TYPE_CHECKING:  # fairseq takes seconds to import
    from vqapg.tasks.checkpoints import Loaded


class FeaturesInMemory(Protocol):
    """The grid features of the images that pairs are being made for.

    Attributes:
        generator: the model that makes the pairs, with its dictionary and what made its features
        device: where it runs
        rows: image id -> row
    """

    generator: "Loaded"
    device: str
    rows: Mapping[str, int]

    def read(self, rows: Sequence[int]) -> NDArray[np.float16]:
        """The features of *rows*: ``[len(rows), R, C]``."""

    def require(self, image_ids: Iterable[str]) -> None:
        """Raises InputError unless every one of *image_ids* has features."""


@dataclass(frozen=True)
class JudgeContext:
    """The images that a judge is asked about. A command gives what it has.

    A judge calls the method for what it needs. Where that is missing, the method says so in one
    line.

    Attributes:
        data: the data directory that the images are in
        split: their split; None where they can be of any
        features: where pairs are made for pictures, without a data directory
        open_picture: image id -> picture, where there is no data directory
        weights: of the backbone of a trained judge that is asked about pictures: "imagenet", a
            file, or "none"
    """

    data: DataDirectory | None = None
    split: str | None = None
    features: FeaturesInMemory | None = None
    open_picture: Callable[[str], Image] | None = None
    weights: str = "imagenet"

    def directory(self, judge: str) -> DataDirectory:
        """The data directory.

        Args:
            judge: the name of who asks, for the message

        Raises:
            InputError: if there is none
        """
        if self.data is None:
            raise InputError(
                f"--judge {judge}: needs a data directory, and here are only pictures; "
                "give an evaluator, or a judge that looks at pictures"
            )
        return self.data

    def picture(self, image: str) -> Image:
        """The picture of that id: upright, mode RGB.

        Raises:
            InputError: if there is none, or it cannot be read
        """
        if self.open_picture is not None:
            return self.open_picture(image)
        if self.data is None:
            raise InputError(f"--judge: there is no picture of {image}; give a data directory")
        return open_rgb(self.data.image_path(image))
