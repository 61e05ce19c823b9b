"""Grid features of all images in one file, ``features.h5``, read by memory map.

- ``features``: float16 ``[N, R, C]``, one image after another, contiguous and uncompressed; R =
  grid height * width
- ``regions``: int32 ``[N]``, only in imported features: how many of the R regions are the image's
  own. They come first, and padding follows. The grid may then be 0 * 0: there is none
- ``boxes``: float32 ``[N, R, 4]``, only there: x1 y1 x2 y2 of each region, in shares of the
  picture's width and height
- ``ids``: strings ``[N]``, the image of each row
- ``skipped``: bool ``[N]``, images that could not be read and were to be left out; their features
  are 0
- ``train_mean``, ``train_std``: float32 ``[C]``, statistics of the training images, by which a
  model standardises
- attributes: format, backbone, weights, weights_sha256, image_size, grid_height, grid_width,
  images_digest

Where the features were made in shards, ``features`` is external: HDF5's list of (file beside this
one, offset, bytes).

Contiguous and uncompressed, so that a reader can map the file at the data set's offset: that needs
no HDF5 lock, survives fork and spawn, and the page cache does the caching. (An open h5py handle
carried over a fork corrupts reads; a file for each image is slow.)
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from vqapg.data.feature_layout import read_layout
from vqapg.errors import InputError
from vqapg.provenance import IMPORTED

EXPONENT = 0x7C00  # of float16


class FeatureStore:
    """Reads a finished features.h5.

    - ``ids``: the images, in order of their rows; ``rows``: image id -> row, of those that have
      features; ``skipped``: the ids of the others, which could not be read and were to be left out
    - ``shape``: (N, R, C); ``grid``: (height, width), R = height * width; None where regions have
      no such order
    - ``region_counts``: int64 [N], how many regions each image has; None where all have R
    - ``has_boxes``: whether each region has a box, see :meth:`boxes`
    - ``source``: what made the features: backbone, weights, weights_sha256 (str) and image_size
      (int, or str "HEIGHTxWIDTH")
    - ``mean``, ``std``: float32 [C] over the training images
    - ``images_digest``: see vqapg.data.directory.images_digest

    Raises InputError when *path* is missing or is not what
    :func:`~vqapg.data.feature_layout.read_layout` accepts.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        layout = read_layout(self.path)
        self.shape, self.grid, self.ids = layout.shape, layout.grid, layout.ids
        self.region_counts = _differing(layout.regions, layout.skipped, layout.shape[1])
        self.has_boxes, self._boxes_at = layout.boxes_at is not None, layout.boxes_at
        self.mean, self.std = layout.mean, layout.std
        self.source, self.images_digest = layout.source, layout.images_digest
        self.rows = {
            image_id: row for row, image_id in enumerate(self.ids) if not layout.skipped[row]
        }
        self.skipped = frozenset(self.ids) - self.rows.keys()
        self._segments = layout.segments
        self._starts = np.cumsum([0, *(count for _, _, count in self._segments)])
        self._maps = None
        self._maps_pid = None
        self._checked = None

    def read(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The features of *rows* (row numbers): a new float16 array [len(rows), R, C].

        Where images have different numbers of regions, R is the largest of *rows*, and padding
        follows an image's own.

        Raises:
            InputError: if there is a feature that is no finite number; a process looks at each row
            once
        """
        # Opened by the process that reads, so that nothing of it is carried over a fork or into a
        # pickle.
        if self._maps_pid != os.getpid():
            self._maps = [
                np.memmap(
                    file, dtype="<f2", mode="r", offset=offset, shape=(count, *self.shape[1:])
                )
                for file, offset, count in self._segments
            ]
            self._maps_pid = os.getpid()
            self._checked = np.zeros(self.shape[0], bool)
        rows = np.asarray(rows, dtype=np.int64)
        if self.region_counts is not None:
            # Imported features are never in shards.
            width = self.region_counts[rows].max(initial=0)
            features = np.asarray(self._maps[0][rows, :width])
        elif len(self._maps) == 1:
            # [N, R, C] -> [len(rows), R, C]
            features = np.asarray(self._maps[0][rows])
        else:
            features = np.empty((len(rows), *self.shape[1:]), np.float16)
            segment = np.searchsorted(self._starts, rows, side="right") - 1
            for number in np.unique(segment):
                here = segment == number
                features[here] = self._maps[number][rows[here] - self._starts[number]]
        self._check_finite(rows, features)
        return features

    def _check_finite(self, rows: np.ndarray, features: np.ndarray) -> None:
        new = ~self._checked[rows]
        if not new.any():
            return
        # Half the time of numpy's isfinite: the exponent's bits are all set in what is not finite.
        bits = (features if new.all() else features[new]).view(np.uint16) & EXPONENT
        if bits.size and bits.max() == EXPONENT:
            bad = (bits == EXPONENT).any(axis=(1, 2))
            raise InputError(
                f"{self.path}: the features of {self.ids[rows[new][bad.argmax()]]} are not all "
                f"finite numbers; make them anew: {self._cure}"
            )
        self._checked[rows] = True

    def boxes(self, image_id: str) -> np.ndarray | None:
        """x1 y1 x2 y2 of an image's own regions, float32 [R, 4], in shares of the picture's size.

        None where the features have no boxes.
        """
        if self._boxes_at is None:
            return None
        row, (count, regions, _) = self.rows[image_id], self.shape
        boxes = np.memmap(
            self._segments[0][0], "<f4", "r", offset=self._boxes_at, shape=(count, regions, 4)
        )
        own = regions if self.region_counts is None else self.region_counts[row]
        return np.nan_to_num(boxes[row, :own]).clip(0, 1)

    @property
    def segments(self):
        """Where the features lie: list of (file, offset in bytes, rows), one after another."""
        return list(self._segments)

    def require(self, image_ids: Iterable[str]) -> None:
        """Raises InputError unless every one of *image_ids* has features."""
        missing = [image_id for image_id in image_ids if image_id not in self.rows]
        if missing:
            raise InputError(
                f"{self.path}: {len(missing):,} images have no features, the first is "
                f"{missing[0]}; run: {self._cure}"
            )

    @property
    def _cure(self) -> str:
        data = self.path.parent
        if str(self.source["backbone"]).startswith(IMPORTED):
            return f"vqapg import-features {data} FILE --overwrite"
        return f"vqapg extract-features {data} --overwrite"

    def __getstate__(self):
        return self.__dict__ | {"_maps": None, "_maps_pid": None, "_checked": None}


def _differing(counts: np.ndarray | None, skipped: np.ndarray, most: int) -> np.ndarray | None:
    """The numbers of regions; None where every image has *most*, for nothing is then padding."""
    if counts is None or (counts[~skipped] == most).all():
        return None
    return counts
