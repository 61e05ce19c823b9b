"""Files of pairs of several parts of a run as one file."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vqapg.errors import InputError
from vqapg.export.json_lines import FORMAT as JSON_LINES
from vqapg.export.outputs import write_records
from vqapg.export.parquet_table import our_parquet, pyarrow

# The forms that hold nothing of the pictures themselves.
FORMATS = ("jsonl", "parquet", "csv")


def join_pairs(parts: Sequence[Path], output: Path, format: str, *, overwrite: bool = False) -> int:
    """Write the pairs of all *parts*, in their order, and return how many there are.

    Args:
        parts: JSON lines or Parquet files that vqapg wrote, or folders of them, as --ray writes
        output: the file
        format: one of FORMATS
        overwrite: replace what exists, if vqapg wrote it

    Raises:
        InputError: if a part is none, has other columns than the first one, or the output may not
            be replaced
        RunError: if the disk is full
    """
    if format not in FORMATS:
        raise InputError(
            f"--output {output}: pairs are joined as {', '.join(FORMATS)}; give such an ending"
        )
    files = [file for part in parts for file in _files_of(part)]
    return write_records(output, format, _records(files), [], overwrite=overwrite)


def _files_of(part: Path) -> list[Path]:
    if not part.is_dir():
        return [part]
    if not (part / "_vqapg/counts.json").is_file():
        raise InputError(f"{part}: is no finished folder of vqapg sample --ray; finish it first")
    return sorted(part.glob("part-*"))


def _records(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    columns: list[str] | None = None
    for path in files:
        for record in read_pairs(path):
            columns = columns or list(record)
            if list(record) != columns:
                raise InputError(
                    f"{path}: has other columns ({', '.join(record)}) than {files[0]} "
                    f"({', '.join(columns)}); join what was made with the same options"
                )
            yield record


def read_pairs(path: Path) -> Iterator[dict[str, Any]]:
    """The pairs in a file of JSON lines or a Parquet file that vqapg wrote.

    Raises:
        InputError: if it is none
    """
    if path.suffix == ".parquet" and our_parquet(path) is None:
        with pyarrow().parquet.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    elif path.suffix != ".parquet" and path.is_file() and path.stat().st_size == 0:
        return  # no pair was kept
    elif path.suffix != ".parquet" and JSON_LINES.recognise(path) is None:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise InputError(
                        f"{path}:{number}: was cut; run what wrote it again"
                    ) from error
    else:
        raise InputError(
            f"{path}: holds no pairs that vqapg wrote as JSON lines or Parquet; leave it out"
        )
