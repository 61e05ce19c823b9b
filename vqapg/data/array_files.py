"""Arrays in files that others wrote. Nothing is unpickled, and HDF5 leads to no other file."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np
from numpy.typing import NDArray

from vqapg.errors import InputError
from vqapg.files import LARGEST_TEXT, check_readable_file

PICKLED = "holds Python objects, which are never unpickled; save plain arrays"
# What arrays of features may be called.
ARRAYS = ("features", "boxes", "image_size", "ids", "num_boxes")


class reading:
    """Turns what numpy and zipfile raise on a damaged or pickled file into one line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError):
            raise InputError(
                f"{self.path}: has no array features; save one of that name"
            ) from error
        if isinstance(error, (ValueError, EOFError, OSError, zipfile.BadZipFile)):
            if "allow_pickle" in str(error):
                raise InputError(f"{self.path}: {PICKLED}") from error
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{self.path}: cannot be read ({reason}); save it again") from error


def read_header(stream: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of a .npy array, without reading it."""
    version = np.lib.format.read_magic(stream)
    read: Callable[[BinaryIO], tuple[tuple[int, ...], bool, np.dtype[Any]]] = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read(stream)
    return shape, dtype


def read_array(path: Path, memory_map: bool = False) -> NDArray[Any]:
    """The array of a .npy file."""
    with reading(path):
        found = np.load(path, mmap_mode="r" if memory_map else None, allow_pickle=False)
        if not isinstance(found, np.ndarray):
            raise ValueError("it is no .npy file, whatever its name says")
        return found


def read_archive(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a .npz file that are known by name."""
    with reading(path):
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            raise ValueError("it is no .npz file, whatever its name says")
        with loaded:
            return {name: loaded[name] for name in ARRAYS if name in loaded}


def open_hdf5(path: Path) -> h5py.File:
    """An HDF5 file, open for reading."""
    with reading(path):
        return h5py.File(path, "r")


def is_own(group: h5py.Group, name: str) -> bool:
    """Whether *name* is in this file, and no link to elsewhere."""
    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def plain_dataset(path: Path, group: h5py.Group, name: str) -> h5py.Dataset:
    """A data set whose content is in this file."""
    found = group[name] if is_own(group, name) else None
    if not isinstance(found, h5py.Dataset):
        raise InputError(f"{path}: {name} is a link or no data set; store the data itself")
    plan = found.id.get_create_plist()
    if plan.get_layout() == h5py.h5d.VIRTUAL or plan.get_external_count():
        raise InputError(f"{path}: {name} lies in another file; store the data itself")
    return found


def read_lines(path: Path) -> list[str]:
    """The lines of a text."""
    check_readable_file(path, "give a text with an image a line", LARGEST_TEXT, "--ids")
    try:
        return path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"--ids {path}: not valid UTF-8; save it as UTF-8") from error


def as_text(name: object) -> str:
    """A name as numpy and HDF5 give it."""
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
