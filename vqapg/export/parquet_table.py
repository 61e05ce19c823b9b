"""Apache Parquet: a row a pair, in plain columns, as ``datasets``, pandas and Spark read it.

https://parquet.apache.org/docs/file-format/
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from vqapg.data.input_image import InputImage
from vqapg.errors import InputError
from vqapg.export.format import Format, Record
from vqapg.export.pair_origin import Origin
from vqapg.export.records import COLUMNS
from vqapg.files import atomic_write
from vqapg.provenance import provenance
from vqapg.targets import FOREIGN

# The key of our provenance in the file's metadata, by which vqapg knows the file again.
MARK = b"vqapg_provenance"
ROWS_AT_ONCE = 10_000
# Columns whose type does not depend on the first rows. Another column has the type of its values.
TYPES = {
    **dict.fromkeys(("id", "image", "question", "answer", "chosen_by", "model"), "string"),
    **dict.fromkeys(("score", "consistency"), "float64"),
    **dict.fromkeys(("seed", "draw"), "int64"),
}


def pyarrow() -> Any:
    """The package, with its Parquet module.

    Raises:
        InputError: if it is not installed
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("Parquet needs pyarrow; pip install 'vqapg[parquet]'") from error
    return pyarrow


def write(
    targets: Sequence[Path],
    records: Iterable[Record],
    images: Sequence[InputImage],
    origin: Origin,
) -> None:
    """Write the one file. Without a record it has the columns that every record has."""
    pyarrow()
    with atomic_write(targets[0], "wb") as file:
        write_table(file, records)


def write_table(file: Any, records: Iterable[Record], columns: Sequence[str] = COLUMNS) -> None:
    """Write *records* to the open binary *file*, some thousand rows at a time.

    Args:
        file: is not closed
        records: one a row
        columns: of a table without a row; all of TYPES

    Raises:
        InputError: if pyarrow is not installed
    """
    arrow = pyarrow()
    blocks = _blocks(records)
    first = next(blocks, [])
    names = list(first[0]) if first else list(columns)
    inferred = arrow.Table.from_pylist(first).schema if first else arrow.schema([])
    fields = [
        arrow.field(
            name,
            getattr(arrow, TYPES[name])() if name in TYPES else inferred.field(name).type,
        )
        for name in names
    ]
    mark = {MARK: json.dumps(provenance(), ensure_ascii=False).encode()}
    schema = arrow.schema(fields, metadata=mark)
    with arrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for block in chain([first], blocks):
            writer.write_table(arrow.Table.from_pylist(block, schema=schema))


def _blocks(records: Iterable[Record]) -> Iterator[list[dict[str, Any]]]:
    rows = iter(records)
    while block := [dict(record) for record in islice(rows, ROWS_AT_ONCE)]:
        yield block


def our_parquet(path: Path) -> str | None:
    """Recognises a Parquet file with our provenance.

    Raises:
        InputError: if pyarrow is not installed
    """
    if not path.is_file():
        return FOREIGN
    arrow = pyarrow()
    try:
        metadata = arrow.parquet.read_metadata(path).metadata or {}
    except (OSError, arrow.ArrowException):
        return FOREIGN
    return None if MARK in metadata else FOREIGN


FORMAT = Format(suffixes=(".parquet",), write=write, recognise=our_parquet)
