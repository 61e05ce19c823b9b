"""The images that a person names: files, folders, glob patterns, and WebDataset tar shards."""

import errno
import functools
import glob
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial

from vqapg.data.input_image import InputImage
from vqapg.data.pictures import open_ordinary
from vqapg.errors import InputError
from vqapg.sampling.image_folders import files_below, matches, ordinary, written_by_vqapg
from vqapg.sampling.passed_over import Reason, describe
from vqapg.sampling.recognise import is_image
from vqapg.sampling.shards import members_of

SHARD_SUFFIX = ".tar"


class FoundImages(list):
    """InputImages, and ``passed_over``: how many files, by reason, gave none."""

    def __init__(self):
        super().__init__()
        self.passed_over: Counter[Reason] = Counter()


def find_images(arguments: Iterable[str | os.PathLike]) -> FoundImages:
    """Every image of *arguments* in their order.

    A folder's and a pattern's images come by name, a shard's as they lie in it. A file that is
    named itself is taken for a picture, or for a shard. Elsewhere the ending tells a picture. Where
    it does not, the header does: see :func:`~vqapg.sampling.recognise.is_image`.

    An image that was found already is counted and left out. Two names are one image where they
    lead to the same file, through links or not. Copies are images of their own.

    Raises:
        InputError: an argument names nothing or no ordinary file, a shard cannot be read, or there
            is no image at all
    """
    found, known = FoundImages(), set()
    real_path = functools.lru_cache(os.path.realpath)  # a shard's members have one path
    for argument in arguments:
        for image in _images_of(str(argument), found.passed_over):
            try:
                image.name.encode()
            except UnicodeEncodeError as error:
                raise InputError(
                    f"{image.name!r}: the name is not valid UTF-8; rename it"
                ) from error
            place = real_path(image.path), image.offset
            if place in known or image.name in known:
                found.passed_over[Reason.IMAGE_AGAIN] += 1
                continue
            known |= {place, image.name}
            found.append(image)
    if not found:
        told = describe(found.passed_over)
        raise InputError(
            f"{', '.join(map(str, arguments))}: no image in it{f' ({told})' if told else ''}; "
            f"name files, folders or {SHARD_SUFFIX} shards with images"
        )
    return found


def part_of(images: list[InputImage], number: int, count: int) -> list[InputImage]:
    """The *number*-th of *count* equal parts.

    Raises InputError when there are fewer images than parts.
    """
    part = images[len(images) * (number - 1) // count : len(images) * number // count]
    if not part:
        raise InputError(
            f"--shard {number}/{count}: there are only {len(images)} images; give fewer shards"
        )
    return part


def _images_of(argument, passed_over) -> Iterator[InputImage]:
    try:
        mode = os.stat(argument).st_mode
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR) and not glob.has_magic(argument):
            raise InputError(
                f"{argument}: cannot be read ({error.strerror}); do not name it"
            ) from error
        yield from _matching(argument, passed_over)
        return
    if stat.S_ISDIR(mode):
        yield from _in_folder(argument, passed_over)
    elif not stat.S_ISREG(mode):
        raise InputError(
            f"{argument}: is a FIFO, a socket or a device; name a picture, a folder or a shard"
        )
    elif argument.lower().endswith(SHARD_SUFFIX):
        yield from members_of(argument, passed_over)
    else:
        yield InputImage(argument, argument)


def _matching(pattern, passed_over):
    paths = matches(pattern, passed_over) if glob.has_magic(pattern) else []
    if not paths:
        what = (
            "no file matches this pattern" if glob.has_magic(pattern) else "no such file or folder"
        )
        raise InputError(f"{pattern}: {what}; correct it")
    for path in paths:
        if os.path.isdir(path) and written_by_vqapg(path, passed_over):
            continue
        if os.path.isdir(path) or path.lower().endswith(SHARD_SUFFIX):
            yield from _images_of(path, passed_over)
        elif ordinary(path, passed_over) and is_image(
            path, partial(open_ordinary, path), passed_over
        ):
            yield InputImage(path, path)


def _in_folder(folder, passed_over):
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror}); do not name it") from error
    for file in files_below(folder, passed_over):
        if file.lower().endswith(SHARD_SUFFIX):
            passed_over[Reason.ARCHIVE] += 1
        elif is_image(file, partial(open_ordinary, file), passed_over):
            yield InputImage(file, file)
