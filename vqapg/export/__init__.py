"""Files of pairs that other tools read: one file a format.

An entry of ``FORMATS`` is a :class:`~vqapg.export.format.Format`, see docs/extend/format.md. The
page of ``gallery.py`` is none: it shows what a run of ``vqapg sample`` knows beside the pairs.
"""

from vqapg.export.format import Format
from vqapg.registry import Registry

__all__ = ["FORMATS", "OURS", "Format"]

# Where each lies, and its line in ``vqapg list formats``.
OURS = {
    "jsonl": ("vqapg.export.json_lines:FORMAT", "JSON lines, one pair a line (.jsonl)"),
    "csv": ("vqapg.export.csv_table:FORMAT", "a table for spreadsheets (.csv)"),
    "parquet": (
        "vqapg.export.parquet_table:FORMAT",
        "a table for datasets, pandas and Spark (.parquet)",
    ),
    "vqa2": (
        "vqapg.export.vqa2_files:FORMAT",
        "the questions and annotations files of VQA v2.0 (.json)",
    ),
    "vqa2-folder": (
        "vqapg.export.vqa2_folder:FORMAT",
        "a folder that prepare --dataset vqa2 reads, with the images",
    ),
    "imagefolder": (
        "vqapg.export.image_folder:FORMAT",
        "a folder for Hugging Face datasets, with the images and a card (no ending)",
    ),
}
FORMATS: Registry[Format] = Registry("format", "vqapg.formats")
for _name, (_target, _summary) in OURS.items():
    FORMATS.register(_name, _target, _summary)
