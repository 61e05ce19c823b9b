"""The images that pairs are being made for, as a judge reads them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from vqapg.errors import InputError
from vqapg.tasks.checkpoints import Loaded

OpenPicture = Callable[[], Image]


def no_picture() -> Image:
    """Opens the picture of an image of which there are features only.

    Raises:
        InputError: always
    """
    raise InputError("--judge: looks at pictures, and here are only features; give an evaluator")


class ImagesInHand:
    """The images of one batch after the other; a judge holds on to this, not to a batch.

    Args:
        generator: the model that makes the pairs
        device: where it runs

    Attributes:
        rows: name of an image -> its row in the batch
        region_counts: how many regions each image of the batch has; None where equally many
    """

    def __init__(self, generator: Loaded, device: str) -> None:
        self.generator, self.device = generator, device
        self.rows: Mapping[str, int] = {}
        self.region_counts: NDArray[np.int64] | None = None
        self._features: NDArray[np.float16] = np.empty((0, 0, 0), np.float16)
        self._pictures: Mapping[str, OpenPicture] = {}

    def hold(
        self,
        features: NDArray[np.float16],
        pictures: Mapping[str, OpenPicture],
        region_counts: NDArray[np.int64] | None = None,
    ) -> None:
        """Take up the next batch.

        Args:
            features: ``[U, R, C]``
            pictures: what opens each image, by its name, in the order of *features*
            region_counts: ``[U]``, where images have different numbers of regions
        """
        self.rows = {name: row for row, name in enumerate(pictures)}
        self._features, self._pictures = features, pictures
        self.region_counts = region_counts

    def read(self, rows: Sequence[int]) -> NDArray[np.float16]:
        """The features of *rows*: ``[len(rows), R, C]``."""
        found = self._features[rows]
        if self.region_counts is None:
            return found
        return found[:, : self.region_counts[rows].max(initial=0)]

    def require(self, image_ids: Iterable[str]) -> None:
        """Nothing to do: every image in hand has features."""

    def picture(self, name: str) -> Image:
        """The picture: upright, mode RGB.

        Raises:
            InputError: if it cannot be read
        """
        return self._pictures[name]()
