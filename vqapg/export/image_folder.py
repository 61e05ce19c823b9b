"""A folder that Hugging Face ``datasets`` loads: the images, and a row a pair in metadata.jsonl.

https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from vqapg.data.input_image import InputImage
from vqapg.export.data_set_card import NAME, Split, card, edited_card
from vqapg.export.dataset_pictures import as_dataset_file
from vqapg.export.format import Format, Record
from vqapg.export.pair_origin import Origin
from vqapg.folders import new_folder, our_folder

# The split of pairs that are of none, as datasets calls it.
ONLY_SPLIT = "train"


def our_image_folder(path: Path) -> str | None:
    """Recognises a folder of ours whose card nobody edited."""
    return our_folder(path) or edited_card(path)


class _SplitWriter(contextlib.AbstractContextManager["_SplitWriter"]):
    """Writes the folder of a split.

    Attributes:
        names: the file of each image, by the image's name
        pairs: how many were written
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.pairs = folder, 0
        self.names: dict[str, str] = {}
        folder.mkdir()
        self._file = open(folder / "metadata.jsonl", "w", encoding="utf-8")  # noqa: SIM115

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, record: Record, by_name: Mapping[str, InputImage]) -> list[str]:
        """Write a row, and its image if it is new; returns the columns beside the image."""
        row = dict(record)
        source = row.pop("image")
        if source not in self.names:
            suffix, content = as_dataset_file(by_name[source].read())
            self.names[source] = f"{len(self.names) + 1:07}{suffix}"
            (self.folder / self.names[source]).write_bytes(content)
        row = {"source": source, **row}
        line = {"file_name": self.names[source], **row}
        self._file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
        self.pairs += 1
        return list(row)


def write(
    targets: Sequence[Path],
    records: Iterable[Record],
    images: Sequence[InputImage],
    origin: Origin,
) -> None:
    """Write README.md, ``SPLIT/metadata.jsonl`` and beside it each image once, as it is or as PNG.

    ``datasets.load_dataset(folder)`` gives a column "image" of pictures, and the image's name as
    "source". Files are numbered, since names may say "test", which datasets would take for a split.
    """
    by_name = {image.name: image for image in images}
    splits: dict[str, _SplitWriter] = {}
    columns: dict[str, None] = {}
    with new_folder(targets[0], our_image_folder, overwrite=True) as partial:
        with contextlib.ExitStack() as stack:
            for record in records:
                row = dict(record)
                name = row.pop("split", ONLY_SPLIT)
                if name not in splits:
                    splits[name] = stack.enter_context(_SplitWriter(partial / name))
                columns |= dict.fromkeys(splits[name].add(row, by_name))
        counts = {name: Split(len(split.names), split.pairs) for name, split in splits.items()}
        content = card(targets[0].name, counts, ["image", *columns], origin)
        (partial / NAME).write_bytes(content)


FORMAT = Format(
    suffixes=("",), write=write, recognise=our_image_folder, is_folder=True, is_dataset=True
)
