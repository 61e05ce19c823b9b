"""The images that a person names: files, folders, glob patterns, and WebDataset tar shards."""

import glob
import hashlib
import io
import os
import tarfile
from pathlib import Path
from typing import NamedTuple

from PIL import UnidentifiedImageError

from vqapg.data.pictures import decode_rgb, to_rgb
from vqapg.errors import InputError

# What counts as an image in a folder or a shard; a file that is named itself is always taken for one.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".jp2", ".avif")
SHARD_SUFFIX = ".tar"


class InputImage(NamedTuple):
    """An image file, or a member of a tar shard, whose ``size`` bytes begin at ``offset``.

    ``name`` is what it is called in all output: the path as it was given, a member's after its shard's.
    """

    name: str
    path: str
    offset: int = 0
    size: int = -1

    def read(self):
        """Its bytes. Raises InputError when they cannot be read."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                return file.read(self.size)
        except OSError as error:
            raise InputError(f"{self.name}: cannot be read ({error.strerror}); put it back, or do not name it") from error

    def number(self):
        """As open gives it, without decoding the picture."""
        return image_number(self.read())

    def open(self):
        """The picture, RGB and upright, and the image's number in noise keys.

        Raises InputError when it is no image, or is damaged or cut short.
        """
        content = self.read()
        try:
            return decode_rgb(io.BytesIO(content)), image_number(content)
        except Exception as error:  # a damaged file can make a decoder raise anything
            unknown = isinstance(error, UnidentifiedImageError)
            reason = "of no known format" if unknown else " ".join(str(error).split())
            raise InputError(f"{self.name}: cannot be read as an image ({reason}); replace or remove it") from error


def image_number(content):
    """The image's number in noise keys (:mod:`vqapg.modules.noise`), made of its bytes: below 2**63.

    So the same photograph and seed give the same pairs, whatever it is called and whatever else is sampled with it,
    in whichever shard, batch or run.
    """
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") >> 1


def open_given(image):
    """Picture and number of a path, or of a PIL image, whose number is made of its pixels."""
    if isinstance(image, (str, os.PathLike)):
        return InputImage(str(image), str(image)).open()
    picture = to_rgb(image)
    return picture, image_number(repr(picture.size).encode() + picture.tobytes())


def find_images(arguments):
    """Every image of *arguments*, once, in the order of the arguments; a folder's and a pattern's by name, a shard's as
    they lie in it.

    Hidden files and folders are left out. Raises InputError for an argument that names nothing, a shard that cannot be
    read, and when there is no image at all.
    """
    images = {}
    for argument in arguments:
        for image in _images_of(str(argument)):
            try:
                image.name.encode()
            except UnicodeEncodeError as error:
                raise InputError(f"{image.name!r}: the name is not valid UTF-8; rename it") from error
            images.setdefault(image.name, image)
    if not images:
        raise InputError(
            f"{', '.join(map(str, arguments))}: no image in it; name files, folders or {SHARD_SUFFIX} shards with images "
            f"({' '.join(SUFFIXES)})"
        )
    return list(images.values())


def part_of(images, number, count):
    """The *number*-th of *count* equal parts. Raises InputError when there are fewer images than parts."""
    part = images[len(images) * (number - 1) // count : len(images) * number // count]
    if not part:
        raise InputError(f"--shard {number}/{count}: there are only {len(images)} images; give fewer shards")
    return part


def _images_of(argument):
    path = Path(argument)
    if path.is_dir():
        return _in_folder(argument)
    if path.is_file():
        return _in_shard(argument) if path.suffix.lower() == SHARD_SUFFIX else [InputImage(argument, argument)]
    matches = sorted(glob.glob(argument, recursive=True)) if glob.has_magic(argument) else []
    if not matches:
        what = "no file matches this pattern" if glob.has_magic(argument) else "no such file or folder"
        raise InputError(f"{argument}: {what}; correct it")
    return [image for match in matches for image in _images_of(match)]


def _in_folder(folder):
    names = []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        names += [os.path.join(root, name) for name in files if _is_image(name)]
    return [InputImage(name, name) for name in sorted(names)]


def _in_shard(path):
    try:
        # Without compression, so that every member can be read at its place.
        with tarfile.open(path, "r:") as shard:
            images = [
                InputImage(f"{path}/{member.name}", path, member.offset_data, member.size)
                for member in shard
                if member.isreg() and not member.issparse() and _is_image(os.path.basename(member.name))
            ]
            # tarfile takes a cut or broken header for the end; the true end is a block of zeros.
            shard.fileobj.seek(shard.offset)
            if shard.fileobj.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
                raise tarfile.ReadError("its end is missing")
            return images
    except (tarfile.TarError, EOFError) as error:
        raise InputError(
            f"{path}: not a whole tar file without compression ({error}); copy it again, or unpack it"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); put it back, or do not name it") from error


def _is_image(name):
    return not name.startswith(".") and name.lower().endswith(SUFFIXES)
