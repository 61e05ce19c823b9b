"""The images at an address such as ``s3://bucket/photos``: a file, a folder or a pattern."""

import glob
import posixpath
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from vqapg.data.parquet_images import SUFFIX
from vqapg.data.remote_files import files_below_address, kind_of, open_remote
from vqapg.errors import InputError
from vqapg.sampling.image_folders import names
from vqapg.sampling.passed_over import Reason
from vqapg.sampling.recognise import is_image
from vqapg.sampling.shards import SHARD_SUFFIX


def files_at(address: str, passed_over: Counter[Reason]) -> Iterator[str]:
    """The addresses of the files to read for *address*, in order.

    In a folder that is every picture; a shard or a table is named itself, or by a pattern.

    Args:
        address: of a file or a folder, or a pattern
        passed_over: is added to

    Raises:
        InputError: if there is nothing, or it cannot be listed
    """
    if glob.has_magic(address.partition("?")[0]):
        found = list(_matching(address))
        if not found:
            raise InputError(f"{address}: no file matches this pattern; give the folder itself")
        yield from (file for file in found if _is_read(file, passed_over, named=True))
        return
    kind = kind_of(address)
    if kind == "nothing":
        raise InputError(f"{address}: no such file or folder; give one that is there")
    if kind == "file":
        yield address
        return
    for file in files_below_address(address):
        if _is_read(file, passed_over, named=False):
            yield file


def _matching(pattern: str) -> Iterator[str]:
    location, mark, options = pattern.partition("?")
    scheme, _, path = location.partition("://")
    parts = path.split("/")
    place = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    base, wanted = "/".join(parts[:place]), tuple(parts[place:])
    for file in files_below_address(f"{scheme}://{base}{mark}{options}"):
        path = file.partition("?")[0].partition("://")[2]
        below = PurePosixPath(path).relative_to(base or ".").parts
        if names(wanted, below):
            yield file


def _is_read(file: str, passed_over: Counter[Reason], named: bool) -> bool:
    """Whether a file that a listing gave is one to read; one that is not is counted."""
    name = file.partition("?")[0]
    if posixpath.basename(name).startswith("."):
        passed_over[Reason.HIDDEN] += 1
        return False
    if name.lower().endswith((SHARD_SUFFIX, SUFFIX)):
        reason = Reason.ARCHIVE if name.lower().endswith(SHARD_SUFFIX) else Reason.TABLE
        passed_over[reason] += not named
        return named
    return is_image(name, partial(open_remote, file), passed_over)
