"""The images that a person names: files, folders, glob patterns, tar shards and Parquet files."""

import errno
import functools
import glob
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial

from vqapg.data.input_image import InputImage
from vqapg.data.parquet_images import SUFFIX as TABLE_SUFFIX
from vqapg.data.parquet_images import rows_of
from vqapg.data.pictures import open_ordinary
from vqapg.data.remote_files import is_remote
from vqapg.did_you_mean import did_you_mean
from vqapg.errors import InputError
from vqapg.sampling.image_folders import files_below, matches, ordinary, written_by_vqapg
from vqapg.sampling.passed_over import Reason, describe
from vqapg.sampling.recognise import is_image
from vqapg.sampling.remote_images import files_at
from vqapg.sampling.shards import SHARD_SUFFIX, Shard, members_of


class FoundImages(list):
    """InputImages, or Shards, and ``passed_over``: how many files, by reason, gave none."""

    def __init__(self):
        super().__init__()
        self.passed_over: Counter[Reason] = Counter()


def find_images(arguments: Iterable[str | os.PathLike], *, list_shards: bool = True) -> FoundImages:
    """Every image of *arguments* in their order.

    A folder's and a pattern's images come by name, those of a shard or a Parquet file as they lie
    in it. A file that is named itself is a picture, or a shard or a Parquet file by its ending.
    Elsewhere the ending tells a picture. Where it does not, the header does: see
    :func:`~vqapg.sampling.recognise.is_image`.

    An image that was found already is counted and left out. Two names are one image where they
    lead to the same file, through links or not. Copies are images of their own.

    Args:
        arguments: paths, patterns and addresses
        list_shards: give the members of shards, not the shards

    Raises:
        InputError: an argument names nothing or no ordinary file, a shard cannot be read, or there
            is no image at all
    """
    found, known = FoundImages(), set()
    # A shard's members have one path.
    real_path = functools.lru_cache(
        lambda path: path if is_remote(path) else os.path.realpath(path)
    )
    for argument in arguments:
        for image in _images_of(str(argument), found.passed_over, list_shards):
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


def _images_of(argument, passed_over, list_shards) -> Iterator[InputImage | Shard]:
    if is_remote(argument):
        for file in files_at(argument, passed_over):
            yield from _in_file(file, passed_over, list_shards)
        return
    try:
        mode = os.stat(argument).st_mode
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR) and not glob.has_magic(argument):
            raise InputError(
                f"{argument}: cannot be read ({error.strerror}); do not name it"
            ) from error
        yield from _matching(argument, passed_over, list_shards)
        return
    if stat.S_ISDIR(mode):
        yield from _in_folder(argument, passed_over)
    elif not stat.S_ISREG(mode):
        raise InputError(
            f"{argument}: is a FIFO, a socket or a device; name a picture, a folder or a shard"
        )
    else:
        yield from _in_file(argument, passed_over, list_shards)


def _in_file(file, passed_over, list_shards) -> Iterator[InputImage | Shard]:
    """The images in a file that was named itself."""
    name = file.partition("?")[0].lower() if is_remote(file) else file.lower()
    if name.endswith(SHARD_SUFFIX):
        yield from members_of(file, passed_over) if list_shards else [Shard(file, file)]
    elif name.endswith(TABLE_SUFFIX):
        rows = rows_of(file)
        for row in range(rows.total):
            own = row if rows.names is None else rows.names[row]
            yield InputImage(f"{file}/{own}", file, row, column=rows.column)
    else:
        yield InputImage(file, file)


def _matching(pattern, passed_over, list_shards):
    paths = matches(pattern, passed_over) if glob.has_magic(pattern) else []
    if not paths:
        raise nothing_there(pattern)
    for path in paths:
        if os.path.isdir(path) and written_by_vqapg(path, passed_over):
            continue
        if os.path.isdir(path) or path.lower().endswith((SHARD_SUFFIX, TABLE_SUFFIX)):
            yield from _images_of(path, passed_over, list_shards)
        elif ordinary(path, passed_over) and is_image(
            path, partial(open_ordinary, path), passed_over
        ):
            yield InputImage(path, path)


def nothing_there(argument: str) -> InputError:
    """What to tell of a path or a pattern that leads to no file, with the name that was meant."""
    if glob.has_magic(argument):
        return InputError(f"{argument}: no file matches this pattern; give the folder itself")
    folder, name = os.path.split(argument.rstrip(os.sep))
    if folder and not os.path.isdir(folder):
        cure = f"there is no folder {folder} either"
    else:
        names = os.listdir(folder or os.curdir)
        cure = did_you_mean(name, names) or "give pictures or folders that are there"
    return InputError(f"{argument}: no such file or folder; {cure}")


def _in_folder(folder, passed_over):
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror}); do not name it") from error
    for file in files_below(folder, passed_over):
        if file.lower().endswith(SHARD_SUFFIX):
            passed_over[Reason.ARCHIVE] += 1
        elif file.lower().endswith(TABLE_SUFFIX):
            passed_over[Reason.TABLE] += 1
        elif is_image(file, partial(open_ordinary, file), passed_over):
            yield InputImage(file, file)
