"""Files of word vectors, opened for reading: a text file, or the archive that Stanford gives out.

An archive is read where it lies. One file of it is unpacked on the fly, a line at a time, and
nothing is written.
"""

import contextlib
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from vqapg.errors import InputError
from vqapg.files import check_readable_file

ZIP = b"PK\x03\x04"
# As in glove.6B.300d.txt; the width stands at the end of the name.
MEMBER = re.compile(r"(?:.*[./])?(\d{1,5})d\.txt")
# GloVe's numbers shrink to two fifths. What shrinks a hundredfold is made to fill a disk.
LARGEST_RATIO = 100


class VectorFile(NamedTuple):
    """An open file of word vectors.

    Attributes:
        name: for messages; of a file in an archive, with the archive's path before it
        size: in bytes, unpacked
        lines: the file object, binary
    """

    name: str
    size: int
    lines: IO[bytes]


@contextlib.contextmanager
def open_vector_file(
    path: str | os.PathLike[str], dim: int, *, cure: str, option: str
) -> Iterator[VectorFile]:
    """Open a text file of word vectors, or that of *dim* dimensions in a zip archive.

    Args:
        path: of the text file or the archive; its content decides, not its name
        dim: which file of an archive
        cure: what the user can do where there is no such file
        option: the option that names it, for messages

    Raises:
        InputError: if there is no such file, or the archive is broken, encrypted, a bomb, or
            lacks a file of that width
    """
    path = check_readable_file(path, cure, option=option)
    try:
        with open(path, "rb") as file:
            is_archive = file.read(len(ZIP)) == ZIP
            file.seek(0)
            if is_archive:
                with zipfile.ZipFile(file) as archive:
                    member = _member(path, archive, dim)
                    with archive.open(member) as lines:
                        yield VectorFile(f"{path}/{member.filename}", member.file_size, lines)
            else:
                yield VectorFile(str(path), path.stat().st_size, file)
    except OSError as error:
        raise InputError(f"{option} {path}: cannot be read ({error.strerror}); {cure}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise InputError(f"{option} {path}: a broken archive ({error}); get it again") from error


def _member(path: Path, archive: zipfile.ZipFile, dim: int) -> zipfile.ZipInfo:
    """The file of *dim* dimensions."""
    found = [
        (int(match[1]), info)
        for info in archive.infolist()
        if (match := MEMBER.fullmatch(info.filename))
    ]
    members = [info for width, info in found if width == dim]
    if not members:
        widths = ", ".join(map(str, sorted({width for width, _ in found}))) or "none"
        raise InputError(
            f"{path}: has no file of {dim} dimensions, whose name would end in {dim}d.txt; the "
            f"widths in it: {widths}"
        )
    if len(members) > 1:
        raise InputError(
            f"{path}: has {len(members)} files of {dim} dimensions; unpack the one you mean, and "
            "give its path"
        )
    member = members[0]
    if member.flag_bits & 1:
        raise InputError(f"{path}: is encrypted; unpack it, and give the text file")
    if member.file_size > LARGEST_RATIO * max(member.compress_size, 1):
        raise InputError(
            f"{path}: its {dim}d.txt would be {member.file_size:,} bytes out of "
            f"{member.compress_size:,}, which no word vectors are; get the archive again"
        )
    return member
