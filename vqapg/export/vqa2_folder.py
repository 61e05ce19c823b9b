"""A folder in VQA v2.0's official layout, with the images, as its readers and ours take it.

https://visualqa.org/download.html
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from vqapg.data.input_image import InputImage
from vqapg.datasets.vqa2 import ANNOTATIONS, QUESTIONS, file_name
from vqapg.export.dataset_pictures import as_dataset_file
from vqapg.export.format import Format, Record
from vqapg.export.pair_origin import Origin
from vqapg.export.vqa2_files import Numbering, contents, write_contents
from vqapg.folders import new_folder, our_folder

# The reader draws "valid" from the official train part.
PART_OF_SPLIT = {"train": "train", "valid": "train", "test": "val"}
# Of images that are of no split, the second of every ten is of the val part.
IMAGES_A_VAL_IMAGE = 10


def write(
    targets: Sequence[Path],
    records: Iterable[Record],
    images: Sequence[InputImage],
    origin: Origin,
) -> None:
    """Write the questions and annotations of each part that has pairs, and its images.

    An image has the official name, which ends in ``.jpg``. Its content is that of the file, of
    whatever format, or PNG where few programs open that format. All open files by their content.
    """
    by_name = {image.name: image for image in images}
    numbering = Numbering(list(by_name))
    parts: dict[str, list[Record]] = {}
    place: dict[str, int] = {}
    for record in records:
        name = record["image"]
        second = place.setdefault(name, len(place)) % IMAGES_A_VAL_IMAGE == 1
        split = record.get("split", "test" if second else "train")
        parts.setdefault(PART_OF_SPLIT[split], []).append(record)
    with new_folder(targets[0], overwrite=True) as partial:
        for part, pairs in parts.items():
            files = [partial / name.format(part) for name in (QUESTIONS, ANNOTATIONS)]
            write_contents(files, contents(pairs, numbering, origin))
            (partial / f"{part}2014").mkdir()
            for name in dict.fromkeys(pair["image"] for pair in pairs):
                _, content = as_dataset_file(by_name[name].read())
                path = partial / file_name(part, numbering.of_image[name])
                path.write_bytes(content)


FORMAT = Format(suffixes=(), write=write, recognise=our_folder, is_folder=True, is_dataset=True)
