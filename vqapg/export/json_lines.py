"""JSON lines: one object a pair, a line each."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from vqapg.data.input_image import InputImage
from vqapg.export.format import Format, Record
from vqapg.export.pair_origin import Origin
from vqapg.export.records import RECORDS
from vqapg.files import atomic_write
from vqapg.targets import json_lines_of


def write(
    targets: Sequence[Path],
    records: Iterable[Record],
    images: Sequence[InputImage],
    origin: Origin,
) -> None:
    """Write the one file."""
    with atomic_write(targets[0]) as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


FORMAT = Format(suffixes=(".jsonl",), write=write, recognise=json_lines_of(RECORDS))
