"""Files of pairs that other tools read: JSON lines, CSV, VQA v2.0's two files, a folder for Hugging Face datasets.

A record is a dict with ``image``, ``question``, ``answer`` and whatever else is known of the pair; those of an image
stand together. ``images`` are all images that records may be of, as :class:`~vqapg.data.input_image.InputImage`.
"""

import csv
import json
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TextIO

from vqapg.csv_cells import escape_cell
from vqapg.errors import InputError
from vqapg.export.dataset_pictures import as_dataset_file
from vqapg.export.vqa2_files import write_vqa2
from vqapg.files import atomic_write, writing
from vqapg.folders import new_folder, our_folder
from vqapg.targets import Recogniser, check_target, csv_of, json_lines_of, our_vqa2, real_path

FORMAT_OF_SUFFIX = {".jsonl": "jsonl", ".csv": "csv", ".json": "vqa2", "": "imagefolder"}
FORMATS = tuple(FORMAT_OF_SUFFIX.values())
COLUMNS = ("image", "question", "answer", "score")
# The keys of what vqapg export and vqapg sample write, by which their files are known again.
EXPORTED, SAMPLED = ("id", *COLUMNS), (*COLUMNS, "seed", "draw", "model")
RECORDS = [
    EXPORTED,
    (*EXPORTED, "consistency"),
    SAMPLED,
    (*COLUMNS, "consistency", "seed", "draw", "model"),
]
RECOGNISERS: dict[str, Recogniser] = {
    "jsonl": json_lines_of(RECORDS),
    "csv": csv_of([COLUMNS, *RECORDS]),
    "vqa2": our_vqa2,
    "imagefolder": our_folder,
}


class Destination(NamedTuple):
    """What is written: the output in its format, the page's path or None; whether what exists of ours is replaced."""

    output: Path
    format: str
    html: Path | None = None
    replace: bool = False

    @property
    def journal(self):
        return self.output.with_name(f"{self.output.name}.partial")


def format_of(output, given=None):
    """The format, *given* or told by the ending of *output*. Raises InputError where that tells none."""
    suffix = Path(output).suffix
    if given is None and suffix not in FORMAT_OF_SUFFIX:
        endings = ", ".join(
            f"{ending or 'no ending'}: {name}" for ending, name in FORMAT_OF_SUFFIX.items()
        )
        raise InputError(
            f"--output {output}: its ending tells no format ({endings}); give --format"
        )
    return given or FORMAT_OF_SUFFIX[suffix]


def files_of(output, format):
    """The paths that are written: two files in VQA v2.0's format, a folder or one file otherwise."""
    output = Path(output)
    if format == "vqa2":
        stem = output.name.removesuffix(".json")
        return [output.with_name(f"{stem}_{part}.json") for part in ("questions", "annotations")]
    return [output]


def write_records(output, format, records, images, *, overwrite=False):
    """Write *records*, any iterable, as *format*; every name appears when its content is whole. Returns their number.

    Raises:
        InputError: if there is something already that may not be replaced, see :mod:`vqapg.targets`
        RunError: if the disk is full
    """
    counted = _Counted(records)
    targets = [real_path(path) for path in files_of(output, format)]
    # Hours may have passed since the command looked at them.
    for target in targets:
        check_target(target, RECOGNISERS[format], overwrite=overwrite)
    write = {
        "jsonl": _write_json_lines,
        "csv": _write_csv,
        "vqa2": write_vqa2,
        "imagefolder": _write_image_folder,
    }[format]
    with writing(output):
        write(*targets, counted, images)
    return counted.number


class _Counted:
    def __init__(self, items):
        self.items, self.number = items, 0

    def __iter__(self):
        for item in self.items:
            self.number += 1
            yield item


def _write_json_lines(path, records, images):
    with atomic_write(path) as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def _write_csv(path, records, images):
    records = ({key: escape_cell(value) for key, value in record.items()} for record in records)
    first = next(records, None)
    with atomic_write(path) as file:
        writer = csv.DictWriter(_LineFeeds(file), first or COLUMNS)
        writer.writeheader()
        writer.writerows(chain([first] if first else [], records))


class _LineFeeds:
    """Ends rows by a line feed alone. To the writer they end by both, so that it quotes both."""

    def __init__(self, file: TextIO):
        self.file = file

    def write(self, row: str) -> None:
        self.file.write(row.removesuffix("\r\n") + "\n")


def _write_image_folder(folder, records, images):
    """``folder/train/metadata.jsonl``, a row a pair, and beside it the images, each once, as they are or as PNG.

    ``datasets.load_dataset(folder)`` reads it, with a column "image" of pictures and the image's name as "source":
    https://huggingface.co/docs/datasets/image_dataset#imagefolder. Files are numbered, since names may say "test",
    which datasets would take for a split.
    """
    by_name = {image.name: image for image in images}
    names = {}
    with new_folder(folder, overwrite=True) as partial:
        (partial / "train").mkdir()
        with open(partial / "train/metadata.jsonl", "w", encoding="utf-8") as file:
            for record in records:
                record = dict(record)
                source = record.pop("image")
                if source not in names:
                    suffix, content = as_dataset_file(by_name[source].read())
                    names[source] = f"{len(names) + 1:07}{suffix}"
                    (partial / "train" / names[source]).write_bytes(content)
                row = {"file_name": names[source], "source": source, **record}
                file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
