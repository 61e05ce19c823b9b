"""A folder that Hugging Face ``datasets`` loads: the images, and a row a pair in metadata.jsonl.

https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from vqapg.data.input_image import InputImage
from vqapg.export.dataset_pictures import as_dataset_file
from vqapg.export.format import Format, Record
from vqapg.folders import new_folder, our_folder


def write(targets: Sequence[Path], records: Iterable[Record], images: Sequence[InputImage]) -> None:
    """Write ``folder/train/metadata.jsonl`` and beside it each image once, as it is or as PNG.

    ``datasets.load_dataset(folder)`` gives a column "image" of pictures, and the image's name as
    "source". Files are numbered, since names may say "test", which datasets would take for a split.
    """
    by_name = {image.name: image for image in images}
    names: dict[str, str] = {}
    with new_folder(targets[0], overwrite=True) as partial:
        train = partial / "train"
        train.mkdir()
        with open(train / "metadata.jsonl", "w", encoding="utf-8") as file:
            for record in records:
                row = dict(record)
                source = row.pop("image")
                if source not in names:
                    suffix, content = as_dataset_file(by_name[source].read())
                    names[source] = f"{len(names) + 1:07}{suffix}"
                    (train / names[source]).write_bytes(content)
                row = {"file_name": names[source], "source": source, **row}
                file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


FORMAT = Format(suffixes=("",), write=write, recognise=our_folder, is_folder=True)
