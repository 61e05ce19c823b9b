"""Features that were made elsewhere, read image by image: what docs/own-features.md describes.

The files may come from a stranger. Nothing is unpickled, and an HDF5 file leads to no other file.
"""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from vqapg.data.array_files import (
    ARRAYS,
    PICKLED,
    as_text,
    is_own,
    open_hdf5,
    plain_dataset,
    read_archive,
    read_array,
    read_header,
    read_lines,
    reading,
)
from vqapg.data.feature_layout import MOST_CHANNELS, MOST_REGIONS
from vqapg.errors import InputError
from vqapg.files import check_readable_file

LARGEST = 1 << 28  # numbers of one image
SUFFIXES = (".npy", ".npz", ".h5", ".hdf5")


class OwnRegions(NamedTuple):
    """One image: ``features [R, C]``, ``boxes [R, 4]`` or None, and the picture's ``image_size``,
    width and height, by which boxes in pixels are divided.
    """

    features: NDArray[Any]
    boxes: NDArray[Any] | None = None
    image_size: NDArray[Any] | None = None


class Reader(Protocol):
    """One form of file.

    Attributes:
        names: what the images are called in it
    """

    names: Sequence[str]

    def where(self, name: str) -> str:
        """The file and the item, for messages."""

    def shape(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and type of an image's features, without reading them."""

    def read(self, name: str) -> OwnRegions: ...


def open_features(path: Path, ids: Path | None = None) -> Reader:
    """The reader of *path*.

    Args:
        path: a folder, or a .npy, .npz or .h5 file
        ids: a text with the image of each row of *path*, a line each

    Raises:
        InputError: if it is none of these, or cannot be read
    """
    if path.is_dir():
        if ids is not None:
            raise InputError(f"--ids {ids}: the files of {path} name their images; leave it out")
        return _Folder(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: is no folder and no {', '.join(SUFFIXES)} file; give one")
    check_readable_file(path, "give a folder or a file of features")
    names = None if ids is None else read_lines(ids)
    if path.suffix.lower() == ".npy":
        if names is None:
            raise InputError(f"{path}: does not name its images; give --ids FILE, a line each")
        return _Rows(path, {"features": read_array(path, memory_map=True)}, names)
    if path.suffix.lower() == ".npz":
        return _Rows(path, read_archive(path), names)
    file = open_hdf5(path)
    if is_own(file, "features") and isinstance(file["features"], h5py.Dataset):
        arrays = {name: plain_dataset(path, file, name) for name in ARRAYS if name in file}
        return _Rows(path, arrays, names)
    if names is not None:
        raise InputError(f"--ids {ids}: {path} names its images itself; leave it out")
    return _Items(path, file)


class _Folder:
    """A file an image."""

    def __init__(self, path: Path) -> None:
        found = [file for file in path.rglob("*") if file.suffix.lower() in (".npy", ".npz")]
        self._files = {file.relative_to(path).with_suffix("").as_posix(): file for file in found}
        self.names = sorted(self._files)
        if not found:
            raise InputError(f"{path}: no .npy or .npz file in it; give a folder with one an image")

    def where(self, name: str) -> str:
        return str(self._files[name])

    def shape(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        file = check_readable_file(self._files[name], "put an array there")
        with reading(file):
            if file.suffix.lower() == ".npy":
                with open(file, "rb") as stream:
                    return read_header(stream)
            with zipfile.ZipFile(file) as archive, archive.open("features.npy") as member:
                return read_header(member)  # type: ignore[arg-type]  # it reads like a file

    def read(self, name: str) -> OwnRegions:
        file = self._files[name]
        if file.suffix.lower() == ".npy":
            return OwnRegions(read_array(file))
        arrays = read_archive(file)
        return OwnRegions(arrays["features"], arrays.get("boxes"), arrays.get("image_size"))


class _Rows:
    """All images in one array ``features [N, R, C]``, padded where ``num_boxes [N]`` says so."""

    def __init__(self, path: Path, arrays: Mapping[str, Any], names: list[str] | None) -> None:
        self.path, self._arrays = path, arrays
        if "features" not in arrays:
            raise InputError(f"{path}: has no array features; it has {', '.join(arrays) or 'none'}")
        if names is None:
            if "ids" not in arrays:
                raise InputError(f"{path}: has no array ids; give --ids FILE, an image a line")
            names = [as_text(name) for name in np.asarray(arrays["ids"]).tolist()]
        self.names = names
        features = arrays["features"]
        if features.ndim != 3:
            raise InputError(
                f"{path}: features are {list(features.shape)}, not [N, R, C]; reshape them"
            )
        wanted = {"boxes": (*features.shape[:2], 4), "num_boxes": (None,), "image_size": (None, 2)}
        for name, shape in wanted.items():
            found = arrays[name].shape if name in arrays else None
            expected = (len(features), *shape[1:])
            if found not in (None, expected):
                raise InputError(
                    f"{path}: {name} has the shape {list(found)}, not {list(expected)}; mend it"
                )
        if len(names) != len(features):
            raise InputError(f"{path}: {len(features):,} rows and {len(names):,} ids; mend one")
        self._row = {name: row for row, name in enumerate(names)}
        if len(self._row) != len(names):
            twice = next(name for row, name in enumerate(names) if self._row[name] != row)
            raise InputError(f"{path}: the image {twice} is in it twice; remove one")
        counts = np.asarray(arrays.get("num_boxes", np.full(len(features), features.shape[1])))
        if counts.dtype.kind not in "iu" or (counts > features.shape[1]).any():
            raise InputError(f"{path}: num_boxes are no numbers up to {features.shape[1]}; mend it")
        self._counts = counts

    def where(self, name: str) -> str:
        return f"{self.path}: {name}"

    def shape(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        features = self._arrays["features"]
        return (int(self._counts[self._row[name]]), features.shape[2]), features.dtype

    def read(self, name: str) -> OwnRegions:
        row, own = self._row[name], int(self._counts[self._row[name]])
        boxes, sizes = self._arrays.get("boxes"), self._arrays.get("image_size")
        return OwnRegions(
            self._arrays["features"][row, :own],
            None if boxes is None else boxes[row, :own],
            None if sizes is None else sizes[row],
        )


class _Items:
    """A data set an image in HDF5, or a group with ``features``, ``boxes`` and ``image_size``."""

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path, self._file, self.names = path, file, list[str]()
        self._visit(file, "")
        if not self.names:
            raise InputError(f"{path}: no data set in it; give one an image")

    def _visit(self, group: h5py.Group, prefix: str) -> None:
        for name in group:
            if not is_own(group, name):
                raise InputError(f"{self.path}: {prefix}{name} is a link; store the data itself")
            item = group[name]
            if isinstance(item, h5py.Group) and "features" not in item:
                self._visit(item, f"{prefix}{name}/")
            else:
                self.names.append(prefix + name)

    def where(self, name: str) -> str:
        return f"{self.path}: {name}"

    def _parts(self, name: str) -> dict[str, h5py.Dataset]:
        item = self._file[name]
        if isinstance(item, h5py.Dataset):
            return {"features": plain_dataset(self.path, self._file, name)}
        return {part: plain_dataset(self.path, item, part) for part in ARRAYS if part in item}

    def shape(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        features = self._parts(name)["features"]
        return features.shape, features.dtype

    def read(self, name: str) -> OwnRegions:
        parts = {part: dataset[:] for part, dataset in self._parts(name).items()}
        return OwnRegions(parts["features"], parts.get("boxes"), parts.get("image_size"))


def check_shape(reader: Reader, name: str) -> tuple[int, int]:
    """Regions and channels of an image.

    Raises:
        InputError: if its features are no [R, C] of floating-point numbers, or there is no region
    """
    shape, dtype = reader.shape(name)
    where = reader.where(name)
    if dtype.hasobject:
        raise InputError(f"{where}: {PICKLED}")
    if dtype.kind != "f":
        raise InputError(f"{where}: features are {dtype}; save them as float16 or float32")
    if len(shape) != 2:
        raise InputError(f"{where}: features are {list(shape)}, not [R, C]; reshape them")
    regions, channels = shape
    if regions < 1 or channels < 1:
        raise InputError(f"{where}: there is no region in it; make at least one an image")
    if regions > MOST_REGIONS or channels > MOST_CHANNELS or regions * channels > LARGEST:
        raise InputError(f"{where}: {regions:,} regions of {channels:,} channels are too many")
    return regions, channels


def names_of_images(image_ids: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """What each image of a data directory is called among the *names* of a reader.

    It is called by its id, with or without the ending; or by the last part of that, where no other
    image is called so. Images that are not there are left out.

    Raises:
        InputError: if two images would be called the same
    """
    known, found, image_of = set(names), dict[str, str](), dict[str, str]()
    for image in image_ids:
        path = Path(image)
        candidates = (image, str(path.with_suffix("")), path.name, path.stem)
        name = next((candidate for candidate in candidates if candidate in known), None)
        if name is None:
            continue
        if name in image_of:
            raise InputError(
                f"the features called {name} could be of {image_of[name]} or of {image}; name them"
                " by whole ids, as in DATA/train.image"
            )
        found[image], image_of[name] = name, image
    return found
