"""A CSV table: a row a pair, under a row of the columns' names."""

import csv
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import IO

from vqapg.csv_cells import escape_cell
from vqapg.data.input_image import InputImage
from vqapg.export.format import Format, Record
from vqapg.export.pair_origin import Origin
from vqapg.export.records import COLUMNS, RECORDS
from vqapg.files import atomic_write
from vqapg.targets import csv_of


def write(
    targets: Sequence[Path],
    records: Iterable[Record],
    images: Sequence[InputImage],
    origin: Origin,
) -> None:
    """Write the one file. Without a record it has the columns that every record has."""
    rows = ({key: escape_cell(value) for key, value in record.items()} for record in records)
    first = next(rows, None)
    with atomic_write(targets[0]) as file:
        writer = csv.DictWriter(_LineFeeds(file), list(first or COLUMNS))
        writer.writeheader()
        writer.writerows(chain([first] if first else [], rows))


class _LineFeeds:
    """Ends rows by a line feed alone. To the writer they end by both, so that it quotes both."""

    def __init__(self, file: IO[str]):
        self.file = file

    def write(self, row: str) -> None:
        self.file.write(row.removesuffix("\r\n") + "\n")


FORMAT = Format(suffixes=(".csv",), write=write, recognise=csv_of([COLUMNS, *RECORDS]))
