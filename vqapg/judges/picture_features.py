"""Grid features of pictures in a folder, made when a judge reads them."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image

from vqapg.backbones.backbone import Backbone
from vqapg.data.feature_encoding import encode_images

AT_ONCE = 32  # pictures
THREADS = 4  # that decode; Pillow works outside Python's lock
# Features that are kept: those of some 8,000 pictures of 49 regions by 1,280 channels.
LARGEST = 1 << 30  # bytes


class PictureFeatures:
    """What :class:`~vqapg.data.feature_store.FeatureStore` is to a judge, without a features file.

    Those that were read last are kept, so that an image is encoded once unless there are thousands.

    Args:
        open_picture: image id -> picture
        backbone: on its device
        device: where it runs
        largest: bytes of features that are kept

    Attributes:
        rows: image id -> row, of the images that were required so far
    """

    def __init__(
        self,
        open_picture: Callable[[str], Image],
        backbone: Backbone,
        device: str,
        largest: int = LARGEST,
    ) -> None:
        self.rows: dict[str, int] = {}
        self._ids: list[str] = []
        self._open, self._backbone, self._device = open_picture, backbone, device
        regions = backbone.grid[0] * backbone.grid[1]
        self._most = max(1, largest // (2 * regions * backbone.channels))
        self._kept: OrderedDict[int, NDArray[np.float16]] = OrderedDict()

    def require(self, image_ids: Iterable[str]) -> None:
        """Gives each of *image_ids* a row."""
        for image in image_ids:
            if image not in self.rows:
                self.rows[image] = len(self._ids)
                self._ids.append(image)

    def read(self, rows: Sequence[int]) -> NDArray[np.float16]:
        """The features of *rows*: ``[len(rows), R, C]``.

        Raises:
            InputError: if a picture cannot be read
        """
        wanted = list(dict.fromkeys(rows))
        found = {row: self._kept[row] for row in wanted if row in self._kept}
        found |= self._encode([row for row in wanted if row not in found])
        for row in wanted:
            self._kept[row] = found[row]
            self._kept.move_to_end(row)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return np.stack([found[row] for row in rows])

    def _encode(self, rows: Sequence[int]) -> Mapping[int, NDArray[np.float16]]:
        encoded: dict[int, NDArray[np.float16]] = {}
        with ThreadPoolExecutor(THREADS) as threads, torch.inference_mode():
            for start in range(0, len(rows), AT_ONCE):
                batch = rows[start : start + AT_ONCE]
                pixels = torch.stack(list(threads.map(self._resized, batch)))
                features = encode_images(self._backbone, pixels.to(self._device))
                encoded.update(zip(batch, features))
        return encoded

    def _resized(self, row: int) -> torch.Tensor:
        return self._backbone.preprocessing.resize(self._open(self._ids[row]))
