"""Grid features of all images in one file, ``features.h5``, read by memory map.

- ``features``: float16 ``[N, R, C]``, one image after another, contiguous and uncompressed; R = grid height * width
- ``ids``: strings ``[N]``, the image of each row
- ``skipped``: bool ``[N]``, images that could not be read and were to be left out; their features are 0
- ``train_mean``, ``train_std``: float32 ``[C]``, statistics of the training images, by which a model standardises
- attributes: format, backbone, weights, weights_sha256, image_size, grid_height, grid_width, images_digest

Where the features were made in shards, ``features`` is external: HDF5's list of (file beside this one, offset, bytes).

Contiguous and uncompressed, so that a reader can map the file at the data set's offset: that needs no HDF5 lock,
survives fork and spawn, and the page cache does the caching. (An open h5py handle carried over a fork corrupts
reads; a file for each image is slow.)
"""

import os
from pathlib import Path

import h5py
import numpy as np

from vqapg.errors import InputError

FORMAT_VERSION = 1
SOURCE_TYPES = {"backbone": str, "weights": str, "weights_sha256": str, "image_size": int}


class FeatureStore:
    """Reads a finished features.h5.

    - ``ids``: the images, in order of their rows; ``rows``: image id -> row, of those that have features;
      ``skipped``: the ids of the others, which could not be read and were to be left out
    - ``shape``: (N, R, C); ``grid``: (height, width), R = height * width
    - ``source``: what made the features: backbone, weights, weights_sha256 (str) and image_size (int)
    - ``mean``, ``std``: float32 [C] over the training images
    - ``images_digest``: see vqapg.data.directory.images_digest

    Raises InputError when *path* is missing, is not HDF5, is cut short or is of another format.
    """

    def __init__(self, path):
        self.path = Path(path)
        cure = f"make it anew with: vqapg extract-features {self.path.parent} --overwrite"
        if not self.path.is_file():
            raise InputError(
                f"{path}: no such features; make them with: vqapg extract-features {self.path.parent}"
            )
        try:
            with h5py.File(self.path, "r") as file:
                version = file.attrs["format"]
                if version != FORMAT_VERSION:
                    raise InputError(
                        f"{path}: format {version}, this vqapg reads format {FORMAT_VERSION}; {cure}"
                    )
                features = file["features"]
                self.shape = features.shape
                if features.dtype != np.float16 or features.ndim != 3:
                    raise InputError(f"{path}: its features are not contiguous float16 [N, R, C]; {cure}")
                self._segments = _segments(features, self.path)
                if not self._segments:
                    raise InputError(f"{path}: its features are not contiguous float16 [N, R, C]; {cure}")
                self.ids = list(file["ids"].asstr()[:])
                # Files of before images could be left out have none.
                skipped = file["skipped"][:] if "skipped" in file else np.zeros(len(self.ids), bool)
                self.mean = file["train_mean"][:]
                self.std = file["train_std"][:]
                self.grid = (int(file.attrs["grid_height"]), int(file.attrs["grid_width"]))
                self.source = {name: kind(file.attrs[name]) for name, kind in SOURCE_TYPES.items()}
                self.images_digest = str(file.attrs["images_digest"])
        except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
            # h5py's own words run over several lines at times.
            reason = " ".join(str(error).split())
            raise InputError(f"{path}: not a whole features file ({reason}); {cure}") from error
        self.rows = {image_id: row for row, image_id in enumerate(self.ids) if not skipped[row]}
        self.skipped = frozenset(self.ids) - self.rows.keys()
        if not len(self.ids) == len(skipped) == self.shape[0] or self.grid[0] * self.grid[1] != self.shape[1]:
            raise InputError(f"{path}: its ids or its grid do not fit its features; {cure}")
        for file, offset, count in self._segments:
            size = offset + 2 * count * self.shape[1] * self.shape[2]
            if not file.is_file() or file.stat().st_size < size:
                raise InputError(f"{file}: missing or cut, but {path} was joined of it; {cure}")
        self._starts = np.cumsum([0, *(count for _, _, count in self._segments)])
        if self._starts[-1] != self.shape[0]:
            raise InputError(f"{path}: its shards do not fit its features; {cure}")
        self._maps = None
        self._maps_pid = None

    def read(self, rows):
        """The features of *rows* (any sequence of row numbers): a new float16 array [len(rows), R, C]."""
        # Opened by the process that reads, so that nothing of it is carried over a fork or into a pickle.
        if self._maps_pid != os.getpid():
            self._maps = [
                np.memmap(file, dtype="<f2", mode="r", offset=offset, shape=(count, *self.shape[1:]))
                for file, offset, count in self._segments
            ]
            self._maps_pid = os.getpid()
        rows = np.asarray(rows, dtype=np.int64)
        if len(self._maps) == 1:
            # [N, R, C] -> [len(rows), R, C]
            return np.asarray(self._maps[0][rows])
        features = np.empty((len(rows), *self.shape[1:]), np.float16)
        segment = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(segment):
            here = segment == number
            features[here] = self._maps[number][rows[here] - self._starts[number]]
        return features

    @property
    def segments(self):
        """Where the features lie: list of (file, offset in bytes, rows), one after another."""
        return list(self._segments)

    def require(self, image_ids):
        """Raises InputError unless every one of *image_ids* has features."""
        missing = [image_id for image_id in image_ids if image_id not in self.rows]
        if missing:
            raise InputError(
                f"{self.path}: {len(missing):,} images have no features, the first is {missing[0]}; "
                f"run: vqapg extract-features {self.path.parent} --overwrite"
            )

    def __getstate__(self):
        return self.__dict__ | {"_maps": None, "_maps_pid": None}


def _segments(features, path):
    """(file, offset, rows) of an HDF5 data set that is contiguous or external; empty where it is neither."""
    layout, row = features.id.get_create_plist(), 2 * features.shape[1] * features.shape[2]
    external = [layout.get_external(number) for number in range(layout.get_external_count())]
    if external:
        return [(path.with_name(os.fsdecode(name)), offset, size // row) for name, offset, size in external]
    offset = features.id.get_offset()
    return [] if offset is None else [(path, offset, features.shape[0])]


class FeatureWriter:
    """Writes a features file bit by bit: create() lays it out whole, then rows are filled by memory map.

    All of HDF5's own structure is on disk from the start, so a killed run leaves a file that can be gone on
    with.
    """

    def __init__(self, path):
        self.path = Path(path)
        with h5py.File(path, "r") as file:
            features = file["features"]
            self.shape, offset = features.shape, features.id.get_offset()
        self._map = np.memmap(path, dtype="<f2", mode="r+", offset=offset, shape=self.shape)

    @classmethod
    def create(cls, path, ids, grid, channels, source, images_digest):
        """Lay out *path* for the images *ids*. Raises OSError when the disk is too small."""
        shape = (len(ids), grid[0] * grid[1], channels)
        # Allocated early: the data set has its offset in the file before anything is written to it.
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_layout(h5py.h5d.CONTIGUOUS)
        layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        layout.set_obj_track_times(False)  # the same features give the same bytes
        with h5py.File(path, "w") as file:
            file.attrs.update({"format": FORMAT_VERSION, "images_digest": images_digest, **source})
            file.attrs.update({"grid_height": grid[0], "grid_width": grid[1]})
            file.create_dataset("ids", data=ids, dtype=h5py.string_dtype())
            file.create_dataset("skipped", data=np.zeros(len(ids), bool))
            file.create_dataset("train_mean", data=np.zeros(channels, np.float32))
            file.create_dataset("train_std", data=np.ones(channels, np.float32))
            space = h5py.h5s.create_simple(shape)
            h5py.h5d.create(file.id, b"features", h5py.h5t.IEEE_F16LE, space, dcpl=layout)
        # Claim the room now: a full disk under a memory map would kill the process without a word.
        if hasattr(os, "posix_fallocate"):  # not on macOS
            with open(path, "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
        return cls(path)

    def write(self, row, features):
        """Fill the rows from *row* on with *features*, float16 [n, R, C]."""
        self._map[row : row + len(features)] = features

    def flush(self):
        self._map.flush()

    def read(self, rows):
        """float16 [len(rows), R, C], as written."""
        return np.asarray(self._map[rows])

    def finish(self, statistics=None, skipped=()):
        """Put in the *statistics* (mean, std), float32 [C] each, where it is no shard, and the *skipped* rows; close."""
        self._map.flush()
        self._map = None
        with h5py.File(self.path, "r+") as file:
            file["skipped"][:] = np.isin(np.arange(self.shape[0]), sorted(skipped))
        if statistics is not None:
            write_statistics(self.path, *statistics)
        with open(self.path, "rb") as file:
            os.fsync(file.fileno())


def write_statistics(path, mean, std):
    """Put mean and standard deviation of the training images, float32 [C] each, into a features file."""
    with h5py.File(path, "r+") as file:
        file["train_mean"][:] = mean
        file["train_std"][:] = std


def write_joined(path, shards):
    """Write *path*, a features file that holds none of the features but says where in the *shards*, FeatureStores of
    files beside it, they are. The statistics are left to be put in."""
    first = shards[0]
    rows, row = [len(shard.ids) for shard in shards], 2 * first.shape[1] * first.shape[2]
    with h5py.File(path, "w") as file:
        file.attrs.update({"format": FORMAT_VERSION, "images_digest": first.images_digest, **first.source})
        file.attrs.update({"grid_height": first.grid[0], "grid_width": first.grid[1]})
        file.create_dataset("ids", data=[image for shard in shards for image in shard.ids], dtype=h5py.string_dtype())
        file.create_dataset(
            "skipped", data=[image in shard.skipped for shard in shards for image in shard.ids], dtype=bool
        )
        file.create_dataset("train_mean", data=np.zeros(first.shape[2], np.float32))
        file.create_dataset("train_std", data=np.ones(first.shape[2], np.float32))
        file.create_dataset(
            "features",
            (sum(rows), *first.shape[1:]),
            dtype="<f2",
            external=[
                (part.name, offset, row * count) for shard in shards for part, offset, count in shard.segments
            ],
        )
