"""Images in Parquet files: a column holds the bytes of a picture, another one its name.

It reads what ``datasets`` writes, a column ``image`` of bytes and path, and plain columns of bytes.
"""

import bisect
import functools
from typing import Any, NamedTuple

from vqapg.data.remote_files import file_system, first_line, is_remote
from vqapg.errors import InputError

SUFFIX = ".parquet"
# Where no column but these holds a row's name, the row's number is its name.
NAMES = ("id", "key", "__key__", "image_id", "name", "file_name", "path")
NAME_OF_COLUMN = "call the column of pictures image"


class Rows(NamedTuple):
    """The rows of a file.

    Attributes:
        column: the one that holds the pictures, as Parquet spells it, such as ``image.bytes``
        names: of the rows, in order; None where the file has no column of names
        total: how many rows
    """

    column: str
    names: list[str] | None
    total: int


def rows_of(path: str) -> Rows:
    """What the Parquet file *path* holds; no picture is read.

    Raises:
        InputError: if pyarrow is not installed, or the file cannot be read, or has no column of
            pictures, or two rows of one name
    """
    file = _opened(path)
    try:
        column = _picture_column(path, file.schema_arrow)
        names = _names(path, file)
        return Rows(column, names, file.metadata.num_rows)
    except InputError:
        raise
    except Exception as error:  # a damaged file can make pyarrow raise anything
        raise _unreadable(path, error) from error
    finally:
        file.close()


def read_row(path: str, column: str, row: int) -> bytes:
    """The bytes of the picture in *row*.

    Raises:
        OSError: if the file cannot be read
        InputError: as :func:`rows_of` does
    """
    first, pictures = _group_of(path, column, row)
    content = pictures[row - first].as_py()
    return content or b""


# A row group is read as a whole. Rows are asked for in order, so the last one is kept.
@functools.lru_cache(maxsize=1)
def _group(path: str, column: str, group: int) -> Any:
    file = _opened(path)
    try:
        table = file.read_row_group(group, columns=[column], use_threads=False)
        pictures = table.column(0).combine_chunks()
        return pictures.field("bytes") if column.endswith(".bytes") else pictures
    except Exception as error:
        raise OSError(None, first_line(error), path) from error
    finally:
        file.close()


def _group_of(path: str, column: str, row: int) -> tuple[int, Any]:
    starts = _starts(path)
    group = bisect.bisect_right(starts, row) - 1
    return starts[group], _group(path, column, group)


@functools.lru_cache(maxsize=64)
def _starts(path: str) -> tuple[int, ...]:
    file = _opened(path)
    try:
        starts, count = [], 0
        for group in range(file.num_row_groups):
            starts.append(count)
            count += file.metadata.row_group(group).num_rows
        return tuple(starts)
    finally:
        file.close()


def _opened(path: str) -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            f"{path}: needs pyarrow to be read; pip install 'vqapg[parquet]'"
        ) from error
    try:
        if is_remote(path):
            system, place = file_system(path)
            return pyarrow.parquet.ParquetFile(place, filesystem=system)
        return pyarrow.parquet.ParquetFile(path)
    except InputError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error


def _picture_column(path: str, schema: Any) -> str:
    from pyarrow import types

    def is_bytes(kind: Any) -> bool:
        return bool(types.is_binary(kind) or types.is_large_binary(kind))

    found: dict[str, str] = {}
    for field in schema:
        if is_bytes(field.type):
            found[field.name] = field.name
        elif types.is_struct(field.type):
            place = field.type.get_field_index("bytes")
            if place >= 0 and is_bytes(field.type.field(place).type):
                found[field.name] = f"{field.name}.bytes"
    if len(found) == 1:
        return next(iter(found.values()))
    if "image" in found:
        return found["image"]
    if not found:
        raise InputError(
            f"{path}: has no column that holds the bytes of pictures "
            f"(it has {', '.join(schema.names)}); {NAME_OF_COLUMN}"
        )
    raise InputError(f"{path}: has several columns of bytes ({', '.join(found)}); {NAME_OF_COLUMN}")


def _names(path: str, file: Any) -> list[str] | None:
    column = next((name for name in NAMES if name in file.schema_arrow.names), None)
    if column is None:
        return None
    values = file.read(columns=[column], use_threads=False).column(0).to_pylist()
    names = [str(value) for value in values]
    if len(set(names)) < len(names):
        seen: dict[str, int] = {}
        for row, name in enumerate(names):
            if name in seen:
                raise InputError(
                    f"{path}: rows {seen[name]} and {row} have one {column}, {name}; "
                    "give every picture a name of its own"
                )
            seen[name] = row
    return names


def _unreadable(path: str, error: Exception) -> InputError:
    return InputError(
        f"{path}: cannot be read as Parquet ({first_line(error)}); copy it again, or do not name it"
    )
