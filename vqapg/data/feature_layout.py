"""Looks at a features file as at a stranger's: nothing outside of it is read, and nothing larger
than it is believed.

HDF5 can send a reader to other files: by external storage, external and soft links, and virtual
data sets. It can also state sizes that the file does not have. So every data set is looked at
before it is read. It must be a plain one of the expected type and shape, stored in this file.

Only the features may lie elsewhere: in shards, which are features files of their own in the same
folder.
"""

import collections
import math
import os
import stat
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from vqapg.errors import InputError
from vqapg.picture_size import PictureSize, is_picture_size

FORMAT_VERSION = 1
# With a number of regions for each image, which an older reader would take for a grid.
REGIONS_VERSION = 2
SOURCE_TEXTS = ("backbone", "weights", "weights_sha256")  # and image_size
HALF = np.dtype("<f2")
MOST_ROWS, MOST_REGIONS, MOST_CHANNELS = 1 << 28, 1 << 16, 1 << 16


class Layout(NamedTuple):
    """What a features file holds, beside the features; ``segments``: where these lie, (file, offset
    in bytes, rows); ``regions [N]``: how many each image has; ``boxes_at``: where boxes begin, in
    bytes. None stands for: no grid, equally many regions, no boxes.
    """

    shape: tuple[int, int, int]
    segments: list[tuple[Path, int, int]]
    ids: list[str]
    skipped: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    grid: tuple[int, int] | None
    source: dict[str, str | int]
    images_digest: str
    regions: np.ndarray | None = None
    boxes_at: int | None = None


class _Fault(Exception):
    """What is wrong with a features file, in a few words."""


def read_layout(path: Path) -> Layout:
    """The layout of the features file *path*; of a link, of the file that it leads to.

    Raises:
        InputError: if there is no such file; it is not HDF5 or is cut; a data set is linked,
            virtual, external, compressed, of a wrong type or shape, or larger than the file; the
            statistics are not finite, or a deviation is not positive; an image is there twice; or a
            shard is missing, cut, a link, or of something else
    """
    cure = f"make it anew with: vqapg extract-features {path.parent} --overwrite"
    if not path.is_file():
        raise InputError(
            f"{path}: no such features; make them with: vqapg extract-features {path.parent}"
        )
    try:
        return _read(path.resolve(), joined_of_shards=True)
    except _Fault as fault:
        raise InputError(f"{path}: {fault}; {cure}") from None
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        RuntimeError,
        MemoryError,
    ) as error:
        # h5py's own words run over several lines at times.
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a whole features file ({reason}); {cure}") from error


def stored_shape(path: Path) -> tuple[int, ...] | None:
    """The shape of the features that *path* holds in itself; None where it is no such file.

    A partial file is looked at in this way before anything is written to it.
    """
    try:
        with h5py.File(path, "r") as file:
            features = _dataset(file, "features")
            if features.dtype != HALF or _external(features):
                return None
            _offset(features, path)
            return features.shape
    except (_Fault, OSError, KeyError, ValueError, TypeError, RuntimeError):
        return None


def _read(path: Path, *, joined_of_shards: bool) -> Layout:
    with h5py.File(path, "r") as file:
        version = _number(file, "format")
        if version not in (FORMAT_VERSION, REGIONS_VERSION):
            raise _Fault(
                f"format {version}, this vqapg reads formats {FORMAT_VERSION} and {REGIONS_VERSION}"
            )
        source = {name: _text(file, name) for name in SOURCE_TEXTS}
        source["image_size"] = _picture_size(file)
        sides = (_number(file, "grid_height"), _number(file, "grid_width"))
        grid = None if version == REGIONS_VERSION and sides == (0, 0) else sides
        digest = _text(file, "images_digest")
        features = _dataset(file, "features")
        if features.dtype != HALF or features.ndim != 3:
            raise _Fault("its features are not contiguous float16 [N, R, C]")
        count, regions, channels = shape = features.shape
        if not (
            0 < count <= MOST_ROWS and 0 < regions <= MOST_REGIONS and 0 < channels <= MOST_CHANNELS
        ):
            raise _Fault(f"its features have the shape {list(shape)}, which no features have")
        if grid is not None and (min(grid) < 1 or grid[0] * grid[1] != regions):
            raise _Fault("its ids or its grid do not fit its features")
        external = _external(features)
        if external and joined_of_shards and version == FORMAT_VERSION:
            segments = [_shard(path, part, shape, source, digest) for part in external]
            if sum(rows for _, _, rows in segments) != count:
                raise _Fault("its shards do not fit its features")
        elif external:
            raise _Fault("its features lie in other files")
        else:
            segments = [(path, _offset(features, path), count)]
        # The features are within the files, so their number is a true bound for all that follows.
        ids = _dataset(file, "ids")
        _check_stored(ids, path, (count,))
        if h5py.check_string_dtype(ids.dtype) is None:
            raise _Fault("its ids are no text")
        skipped = np.zeros(count, bool)
        # Files of before images could be left out have none.
        if "skipped" in file:
            dataset = _dataset(file, "skipped")
            _check_stored(dataset, path, (count,), np.dtype(bool))
            skipped = dataset[:]
        own_regions, boxes_at = None, None
        if version == REGIONS_VERSION:
            own_regions, boxes_at = _own_regions(file, path, shape, skipped)
        statistics = []
        for name in ("train_mean", "train_std"):
            dataset = _dataset(file, name)
            _check_stored(dataset, path, (channels,), np.dtype("<f4"))
            statistics.append(dataset[:])
        mean, std = statistics
        names = list(ids.asstr()[:])
    if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()):
        raise _Fault(
            "its train_mean or train_std holds no finite number, or a deviation that is not "
            "positive"
        )
    if len(set(names)) != len(names):
        twice = collections.Counter(names).most_common(1)[0][0]
        raise _Fault(f"the image {twice} is in it twice")
    return Layout(
        shape, segments, names, skipped, mean, std, grid, source, digest, own_regions, boxes_at
    )


def _own_regions(
    file: h5py.File, path: Path, shape: tuple[int, int, int], skipped: np.ndarray
) -> tuple[np.ndarray, int | None]:
    """How many regions each image has, and where their boxes begin, if there are any."""
    dataset = _dataset(file, "regions")
    _check_stored(dataset, path, shape[:1], np.dtype("<i4"))
    counts = dataset[:].astype(np.int64)
    if ((counts < 1) & ~skipped).any() or counts.min() < 0 or counts.max() > shape[1]:
        raise _Fault(f"its regions are not between 1 and {shape[1]} an image")
    if "boxes" not in file:
        return counts, None
    boxes = _dataset(file, "boxes")
    _check_stored(boxes, path, (*shape[:2], 4), np.dtype("<f4"))
    return counts, _offset(boxes, path)


def _dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """The data set *name*, opened but not read. A link to elsewhere is not followed."""
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise _Fault(f"its {name} is a link to elsewhere, or missing")
    if not isinstance(dataset := file[name], h5py.Dataset):
        raise _Fault(f"its {name} is no data set")
    plan = dataset.id.get_create_plist()
    if plan.get_layout() == h5py.h5d.VIRTUAL:
        raise _Fault(f"its {name} is virtual, put together of other files")
    if name != "features" and plan.get_external_count():
        raise _Fault(f"its {name} lies in another file")
    # A small file could otherwise unpack to any size.
    if plan.get_layout() == h5py.h5d.CHUNKED or plan.get_nfilters():
        raise _Fault(f"its {name} is not contiguous, or is compressed")
    return dataset


def _check_stored(
    dataset: h5py.Dataset, path: Path, shape: tuple[int, ...], dtype: np.dtype | None = None
) -> None:
    """Raises _Fault unless a data set has this shape and type and is stored within the file."""
    name = dataset.name.removeprefix("/")
    if dataset.shape != shape or (dtype is not None and dataset.dtype != dtype):
        raise _Fault(
            f"its {name} has the shape {list(dataset.shape or ())} of {dataset.dtype}, not "
            f"{list(shape)}"
        )
    if dataset.id.get_create_plist().get_layout() == h5py.h5d.CONTIGUOUS:
        _offset(dataset, path)


def _offset(dataset: h5py.Dataset, path: Path) -> int:
    """Where a contiguous data set begins in its file, in bytes."""
    offset = dataset.id.get_offset()
    if dataset.id.get_create_plist().get_layout() != h5py.h5d.CONTIGUOUS or offset is None:
        raise _Fault(
            f"its {dataset.name.removeprefix('/')} is not contiguous, or was never written"
        )
    size = math.prod(dataset.shape) * dataset.id.get_type().get_size()
    if offset + size > path.stat().st_size:
        raise _Fault(
            f"not a whole features file: its {dataset.name.removeprefix('/')} ends beyond its end"
        )
    return offset


def _external(features: h5py.Dataset) -> list[tuple[str, int, int]]:
    """(file's name, offset, bytes) of each part of features that lie in other files."""
    plan = features.id.get_create_plist()
    parts = [plan.get_external(number) for number in range(plan.get_external_count())]
    return [(os.fsdecode(name), offset, size) for name, offset, size in parts]


def _shard(
    path: Path, part: tuple[str, int, int], shape: tuple[int, int, int], source: dict, digest: str
) -> tuple[Path, int, int]:
    """The segment that a part names. It must be the features of a shard in the same folder, made of
    the same.
    """
    name, offset, size = part
    if name != os.path.basename(name) or name in ("", ".", ".."):
        raise _Fault(
            f"its features lie in {name}, and shards are in the folder of the features file"
        )
    shard = path.with_name(name)
    try:
        status = os.lstat(shard)
    except OSError:
        raise _Fault(f"was joined of {name}, which is missing or cut") from None
    if not stat.S_ISREG(status.st_mode):
        raise _Fault(f"was joined of {name}, which is no regular file")
    try:
        layout = _read(shard, joined_of_shards=False)
    except OSError as error:
        raise _Fault(
            f"was joined of {name}, which is missing or cut ({' '.join(str(error).split())})"
        ) from None
    except _Fault as fault:
        raise _Fault(f"was joined of {name}, and {fault}") from None
    rows = size // (2 * shape[1] * shape[2])
    if layout.segments != [(shard, offset, rows)] or layout.shape[1:] != shape[1:]:
        raise _Fault(f"its parts are not the features of {name}")
    if layout.source != source or layout.images_digest != digest:
        raise _Fault(f"was joined of {name}, which was made anew of something else")
    return shard, offset, rows


def _text(file: h5py.File, name: str) -> str:
    value = _attribute(file, name)
    if not isinstance(value, str):
        raise _Fault(f"its attribute {name} is no text")
    return value


def _number(file: h5py.File, name: str) -> int:
    value = _attribute(file, name)
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise _Fault(f"its attribute {name} is no whole number")
    return int(value)


def _picture_size(file: h5py.File) -> PictureSize:
    value = _attribute(file, "image_size")
    # Features of before there were rectangles have any whole number.
    if isinstance(value, str) and is_picture_size(value):
        return value
    return _number(file, "image_size")


def _attribute(file: h5py.File, name: str) -> object:
    if name not in file.attrs:
        raise _Fault(f"not a whole features file: it has no attribute {name}")
    if file.attrs.get_id(name).shape != ():
        raise _Fault(f"its attribute {name} is more than one value")
    return file.attrs[name]
