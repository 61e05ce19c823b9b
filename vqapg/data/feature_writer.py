"""Writes features.h5, whose form :mod:`vqapg.data.feature_store` describes."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import h5py
import numpy as np

from vqapg.data.feature_layout import FORMAT_VERSION, REGIONS_VERSION


class FeatureWriter:
    """Writes a features file bit by bit: create() lays it out whole, then rows are filled by memory
    map.

    All of HDF5's own structure is on disk from the start, so a killed run leaves a file that can be
    gone on with.
    """

    def __init__(self, path):
        self.path = Path(path)
        with h5py.File(path, "r") as file:
            features = file["features"]
            self.shape, offset = features.shape, features.id.get_offset()
            self._counts = file["regions"][:] if "regions" in file else None
            boxes_at = file["boxes"].id.get_offset() if "boxes" in file else None
        self._map = np.memmap(path, dtype="<f2", mode="r+", offset=offset, shape=self.shape)
        self._boxes = None
        if boxes_at is not None:
            boxes = (*self.shape[:2], 4)
            self._boxes = np.memmap(path, dtype="<f4", mode="r+", offset=boxes_at, shape=boxes)

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        ids: Sequence[str],
        grid: tuple[int, int] | None,
        channels: int,
        source: Mapping[str, str | int],
        images_digest: str,
        *,
        regions: int | None = None,
        with_boxes: bool = False,
    ) -> Self:
        """Lay out *path* for the images *ids*. Raises OSError when the disk is too small.

        With *regions*, the most that an image has, images may have fewer, and *grid* may be None.
        """
        version = FORMAT_VERSION if regions is None else REGIONS_VERSION
        height, width = grid or (0, 0)
        shape = (len(ids), height * width if regions is None else regions, channels)
        with h5py.File(path, "w") as file:
            file.attrs.update({"format": version, "images_digest": images_digest, **source})
            file.attrs.update({"grid_height": height, "grid_width": width})
            file.create_dataset("ids", data=ids, dtype=h5py.string_dtype())
            file.create_dataset("skipped", data=np.zeros(len(ids), bool))
            file.create_dataset("train_mean", data=np.zeros(channels, np.float32))
            file.create_dataset("train_std", data=np.ones(channels, np.float32))
            if regions is not None:
                file.create_dataset("regions", data=np.zeros(len(ids), "<i4"))
            if with_boxes:
                _allocate(file, b"boxes", h5py.h5t.IEEE_F32LE, (*shape[:2], 4))
            _allocate(file, b"features", h5py.h5t.IEEE_F16LE, shape)
        # Claim the room now: a full disk under a memory map would kill the process without a word.
        if hasattr(os, "posix_fallocate"):  # not on macOS
            with open(path, "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
        return cls(path)

    def write(self, row, features):
        """Fill the rows from *row* on with *features*, float16 [n, R, C]."""
        self._map[row : row + len(features)] = features

    def write_regions(
        self, row: int, features: np.ndarray, boxes: np.ndarray | None = None
    ) -> None:
        """Fill one row with an image's own regions, [r, C], and their *boxes*, [r, 4]; 0 behind."""
        count = len(features)
        self._counts[row] = count
        self._map[row, :count] = features
        self._map[row, count:] = 0
        if self._boxes is not None:
            self._boxes[row, :count] = boxes
            self._boxes[row, count:] = 0

    def flush(self):
        self._map.flush()

    def read(self, rows):
        """float16 [len(rows), R, C], as written."""
        return np.asarray(self._map[rows])

    def read_own(self, rows: Sequence[int]) -> np.ndarray:
        """float16 [regions of all rows, C], without padding."""
        own = np.arange(self.shape[1]) < self._counts[rows][:, None]
        return self.read(rows)[own]

    def finish(self, statistics=None, skipped=()):
        """Put in the *statistics* (mean, std), float32 [C] each, where it is no shard, and the
        *skipped* rows; close.
        """
        self._map.flush()
        if self._boxes is not None:
            self._boxes.flush()
        self._map = self._boxes = None
        with h5py.File(self.path, "r+") as file:
            if self._counts is not None:
                file["regions"][:] = self._counts
            file["skipped"][:] = np.isin(np.arange(self.shape[0]), sorted(skipped))
        if statistics is not None:
            write_statistics(self.path, *statistics)
        with open(self.path, "rb") as file:
            os.fsync(file.fileno())


def _allocate(file, name, kind, shape):
    """A contiguous data set that has its place in the file before anything is written to it."""
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_layout(h5py.h5d.CONTIGUOUS)
    layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    layout.set_obj_track_times(False)  # the same features give the same bytes
    h5py.h5d.create(file.id, name, kind, h5py.h5s.create_simple(shape), dcpl=layout)


def write_statistics(path, mean, std):
    """Put mean and standard deviation of the training images, float32 [C] each, into a features
    file.
    """
    with h5py.File(path, "r+") as file:
        file["train_mean"][:] = mean
        file["train_std"][:] = std


def write_joined(path, shards):
    """Write *path*, a features file that holds none of the features but says where in the *shards*,
    FeatureStores of files beside it, they are. The statistics are left to be put in."""
    first = shards[0]
    rows, row = [len(shard.ids) for shard in shards], 2 * first.shape[1] * first.shape[2]
    with h5py.File(path, "w") as file:
        file.attrs.update(
            {"format": FORMAT_VERSION, "images_digest": first.images_digest, **first.source}
        )
        file.attrs.update({"grid_height": first.grid[0], "grid_width": first.grid[1]})
        file.create_dataset(
            "ids",
            data=[image for shard in shards for image in shard.ids],
            dtype=h5py.string_dtype(),
        )
        file.create_dataset(
            "skipped",
            data=[image in shard.skipped for shard in shards for image in shard.ids],
            dtype=bool,
        )
        file.create_dataset("train_mean", data=np.zeros(first.shape[2], np.float32))
        file.create_dataset("train_std", data=np.ones(first.shape[2], np.float32))
        file.create_dataset(
            "features",
            (sum(rows), *first.shape[1:]),
            dtype="<f2",
            external=[
                (part.name, offset, row * count)
                for shard in shards
                for part, offset, count in shard.segments
            ],
        )
