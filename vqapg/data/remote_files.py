"""Files that lie elsewhere, such as ``s3://bucket/photos``, through pyarrow's file systems.

https://arrow.apache.org/docs/python/filesystems.html
"""

import errno
import functools
import io
import os
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from vqapg.errors import InputError

BUFFER = 1 << 20  # bytes that are fetched at a time
# Object stores show a file when it is closed, and have no folders.
APPEARS_WHOLE = ("s3://", "gs://", "gcs://", "abfs://", "abfss://")
# They list no folder and name no file, so pyarrow has no file system for them.
OF_THE_WEB = ("http", "https", "ftp")


def is_remote(path: str | os.PathLike[str]) -> bool:
    """Whether *path* is an address such as ``s3://bucket/photos``, not a local path."""
    return "://" in os.fspath(path)


def file_system(address: str) -> tuple[Any, str]:
    """pyarrow's file system of *address*, and the path within it.

    Options may follow a question mark, as in ``s3://bucket/photos?region=eu-west-1``.

    Raises:
        InputError: if pyarrow is not installed, or knows no such file system
    """
    scheme, _, rest = address.partition("://")
    if scheme.lower() in OF_THE_WEB:
        raise InputError(
            f"{address}: vqapg reads nothing from the web; download the file, and give its path"
        )
    path, _, options = rest.partition("?")
    bucket = "" if scheme == "file" else PurePosixPath(path).parts[0] if path else ""
    # An open connection does not survive a fork.
    return _connect(scheme, bucket, options, os.getpid()), path.rstrip("/") or "/"


@functools.lru_cache(maxsize=32)
def _connect(scheme: str, bucket: str, options: str, process: int) -> Any:
    try:
        from pyarrow import fs
    except ImportError as error:
        raise InputError(
            f"{scheme}://: needs pyarrow; pip install 'vqapg[parquet]', or copy the files here"
        ) from error
    if scheme == "file":
        return fs.LocalFileSystem()
    try:
        found, _ = fs.FileSystem.from_uri(f"{scheme}://{bucket}{'?' if options else ''}{options}")
    except Exception as error:  # each file system raises errors of its own
        raise InputError(
            f"{scheme}://{bucket}: cannot be reached ({first_line(error)}); "
            "correct the address, or copy the files here"
        ) from error
    return found


def open_remote(address: str) -> BinaryIO:
    """Open the file at *address* for reading; one may seek in it.

    Raises:
        OSError: if it cannot be read
        InputError: as :func:`file_system` does
    """
    system, path = file_system(address)
    try:
        return io.BufferedReader(system.open_input_file(path), BUFFER)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise OSError(errno.EIO, first_line(error), address) from error


def write_remote(address: str, content: bytes) -> None:
    """Write the file at *address* as a whole. It appears when all of it is there.

    Raises:
        OSError: if it cannot be written
        InputError: as :func:`file_system` does
    """
    system, path = file_system(address)
    try:
        if address.startswith(APPEARS_WHOLE):
            with system.open_output_stream(path) as file:
                file.write(content)
            return
        folder, _, name = path.rpartition("/")
        hidden = f"{folder}/.{name}.vqapg"
        system.create_dir(folder)
        with system.open_output_stream(hidden) as file:
            file.write(content)
        system.move(hidden, path)
    except Exception as error:
        raise OSError(errno.EIO, first_line(error), address) from error


def kind_of(address: str) -> str:
    """``"file"``, ``"folder"``, or ``"nothing"``.

    Raises:
        InputError: if it cannot be asked for
    """
    from pyarrow import fs

    system, path = file_system(address)
    try:
        kind = system.get_file_info(path).type
    except Exception as error:
        raise InputError(
            f"{address}: cannot be reached ({first_line(error)}); correct the address"
        ) from error
    return {fs.FileType.File: "file", fs.FileType.Directory: "folder"}.get(kind, "nothing")


def files_below_address(address: str) -> Iterator[str]:
    """The addresses of all files below the folder at *address*, by path.

    Raises:
        InputError: if it cannot be listed
    """
    from pyarrow import fs

    system, path = file_system(address)
    scheme, _, rest = address.partition("://")
    options = rest.partition("?")[1] + rest.partition("?")[2]
    try:
        found = system.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    except Exception as error:
        raise InputError(
            f"{address}: cannot be listed ({first_line(error)}); correct the address"
        ) from error
    for path in sorted(info.path for info in found if info.type == fs.FileType.File):
        yield f"{scheme}://{path}{options}"


def first_line(error: BaseException) -> str:
    """What *error* says first."""
    return str(error).partition("\n")[0] or type(error).__name__
