"""The images in a WebDataset shard, a tar archive without compression, and where they lie in it."""

import os
import tarfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from vqapg.data.input_image import InputImage
from vqapg.data.remote_files import is_remote, open_remote
from vqapg.errors import InputError
from vqapg.sampling.passed_over import Reason
from vqapg.sampling.recognise import is_image

SHARD_SUFFIX = ".tar"
MOST_MEMBERS = 1_000_000
# How far behind its end another archive may begin. Programs add some 10 kB of zeros.
MOST_PADDING = 1 << 24


class Shard(NamedTuple):
    """A shard whose members are not listed yet: on many machines, who reads it lists it.

    Attributes:
        name, path: of the file, as it was given
        offset: 0, as of an image that is a file
    """

    name: str
    path: str
    offset: int = 0


def members_of(
    path: str, passed_over: Counter[Reason], name: str | None = None
) -> list[InputImage]:
    """The images in the shard *path*, as they lie in it.

    Archives that were joined by ``cat`` are read one after the other. Of several members of one
    name the last counts, as when the archive is unpacked.

    Args:
        path: the archive, a local path or an address
        passed_over: is added to
        name: what the archive is called in the names of its members; None: its path

    Raises:
        InputError: the archive cannot be read, was cut, is compressed, or has too many members
    """
    images, called = {}, name or path
    try:
        with open_remote(path) if is_remote(path) else open(path, "rb") as file:
            for number, (shard, member) in enumerate(_members(path, file, passed_over), start=1):
                if number > MOST_MEMBERS:
                    raise InputError(
                        f"{called}: has more than {MOST_MEMBERS:,} members; split it into shards"
                    )
                inside = os.path.normpath(member.name)
                if member.isdir():
                    continue
                if os.path.basename(inside).startswith("."):
                    passed_over[Reason.HIDDEN] += 1
                elif not member.isreg() or member.issparse():
                    passed_over[Reason.NO_FILE] += 1
                elif is_image(inside, partial(shard.extractfile, member), passed_over):
                    # Where the name stood before, the image takes its new place.
                    passed_over[Reason.REPLACED] += images.pop(inside, None) is not None
                    images[inside] = InputImage(
                        f"{called}/{member.name}", path, member.offset_data, member.size
                    )
    except InputError:
        raise
    except OSError as error:
        raise InputError(
            f"{called}: cannot be read ({error.strerror or error}); put it back, or do not name it"
        ) from error
    except Exception as error:  # a damaged header can make tarfile raise anything
        raise InputError(
            f"{called}: not a whole tar file without compression ({error}); "
            "copy it again, or unpack it"
        ) from error
    return list(images.values())


def _members(path, file, passed_over) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    start = 0
    while start is not None:
        file.seek(start)
        # Without compression, so that every member can be read at its place.
        shard = tarfile.open(path, "r:", fileobj=file)  # noqa: SIM115  the caller closes the file
        place = start
        while (member := shard.next()) is not None:
            # tarfile would go back and forth for ever.
            if shard.offset <= place or member.size < 0:
                raise tarfile.ReadError("a member of negative size")
            place = shard.offset
            shard.members.clear()  # hundreds of MB for a large archive
            yield shard, member
        # tarfile takes a cut or broken header for the end; the true end is a block of zeros.
        file.seek(shard.offset)
        if file.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            if start and place == start:
                passed_over[Reason.BEHIND] += 1
                return
            raise tarfile.ReadError("its end is missing")
        start = _next_archive(file, shard.offset)


def _next_archive(file, end):
    """Where something other than zeros begins in *file* behind *end*, or None."""
    for place in range(end, end + MOST_PADDING, tarfile.RECORDSIZE):
        file.seek(place)
        block = file.read(tarfile.RECORDSIZE)
        if not block:
            return None
        if kept := block.lstrip(tarfile.NUL):
            begin = place + len(block) - len(kept)
            return begin - (begin - end) % tarfile.BLOCKSIZE
    return None
