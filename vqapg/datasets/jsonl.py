"""JSONL: anybody's own pairs, one JSON object a line.

    {"image": "images/1.jpg", "question": "what is it?", "answer": "a cat", "split": "train"}

``split`` is train, valid or test; image paths are relative to the file, or absolute. An image
belongs to one split only: an image seen in training would make the test figures worthless. A link
to an image and a copy of it are the same image.

``--split`` gives a split to the images of lines that say none, such as those that ``vqapg sample``
writes.

A line may also have ``"wrong_answers": ["a dog", "a cow"]``, which people wrote to its question.
"""

import json
import os
from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from vqapg.data.repeated_images import SplitImage, image_in_two_splits
from vqapg.datasets.official import seed_option
from vqapg.datasets.reader import SPLITS, Option, Reader, Record, SourceData
from vqapg.datasets.split_fractions import draw_splits, fractions_of
from vqapg.errors import InputError
from vqapg.files import check_readable_file
from vqapg.strict_json import parse_json, read_lines

EXAMPLE = '{"image": "a.jpg", "question": "what is it?", "answer": "a cat", "split": "train"}'
CURE = f"write one object a line, as UTF-8 text, such as {EXAMPLE}"


def read(
    source: str | Path | None = None, split: str = "", seed: int = 1, image_root: str = ""
) -> SourceData:
    """Read the JSONL file *source*.

    Args:
        source: the file
        split: of images whose lines say none: a split's name, or three fractions with commas
        seed: draws the images of the fractions
        image_root: the folder that image paths are relative to; empty: that of the file

    Raises:
        InputError: naming file and line, for anything that is not as described above
    """
    if source is None:
        raise InputError("--dataset jsonl reads a file: name it with --source FILE.jsonl")
    path = Path(source).resolve()
    if not path.exists():
        raise InputError(
            f"{source}: no such file; --source names a JSONL file with lines like {EXAMPLE}"
        )
    check_readable_file(path, f"--source names a JSONL file with lines like {EXAMPLE}")
    fractions = fractions_of(split) if split else None
    folder = Path(image_root).resolve() if image_root else path.parent
    pairs_of_image: dict[str, list[Record]] = {}
    first_line: dict[str, tuple[str, int]] = {}
    undrawn: dict[str, int] = {}  # images of lines without a split, and the first such line
    with tqdm(
        total=path.stat().st_size,
        desc="reading",
        unit="B",
        unit_scale=True,
        leave=False,
        disable=None,
    ) as bar:
        for number, line in read_lines(source, CURE):
            bar.update(len(line.encode()) + 1)
            where = f"{source}:{number}"
            record = _parse(line, where, folder, known=pairs_of_image, drawn=fractions is not None)
            if record is None:
                continue
            pairs_of_image.setdefault(record.image, []).append(record)
            if not record.split:
                undrawn.setdefault(record.image, number)
                continue
            before, first = first_line.setdefault(record.image, (record.split, number))
            if before != record.split:
                raise InputError(
                    f"{where}: the image {record.image} is in {record.split} here but in {before} "
                    f"at {source}:{first}; put all pairs of an image into one split"
                )
    if not pairs_of_image:
        raise InputError(f"{source}: the file is empty; write one pair a line, such as {EXAMPLE}")
    if fractions is not None:
        left = [image for image in undrawn if image not in first_line]
        for image, drawn in draw_splits(left, folder, fractions, seed).items():
            first_line[image] = drawn, undrawn[image]
    _check_contents(source, folder, first_line)
    records = [
        record if record.split else replace(record, split=first_line[record.image][0])
        for pairs in pairs_of_image.values()
        for record in pairs
    ]
    return SourceData(path, folder, records, [path])


def _check_contents(
    source: str | Path, folder: Path, first_line: Mapping[str, tuple[str, int]]
) -> None:
    """Raises InputError when one image is in two splits by another path, a link or a copy."""
    images = (
        SplitImage(folder / image, split, f"{source}:{line}")
        for image, (split, line) in first_line.items()
    )
    if found := image_in_two_splits(images):
        first, second = found
        raise InputError(
            f"{second.where}: the image {second.path} is in {second.split} here but holds the same "
            f"bytes as {first.path}, in {first.split} at {first.where}; put all pairs of an image "
            "into one split"
        )


def _parse(
    line: str, where: str, folder: Path, known: Container[str], drawn: bool
) -> Record | None:
    """The record of *line*, None if blank.

    *where* is file:line, *known* the images met before. *drawn* allows a line to have no split.
    """
    # Late: nltk takes a second, and the help of vqapg prepare asks every reader for its options.
    from vqapg.data.tokenizer import tokenize

    if not line.strip():
        return None
    item = parse_json(line, where, CURE)
    if not isinstance(item, dict):
        raise InputError(f"{where}: not a JSON object but {_kind(item)}; {CURE}")

    for key in ("image", "question", "answer"):
        if key not in item:
            raise InputError(f'{where}: "{key}" is missing; a line looks like {EXAMPLE}')
        if not isinstance(item[key], str):
            raise InputError(
                f'{where}: "{key}" must be a string, not {_kind(item[key])}; put it into quotes: '
                '"..."'
            )
        if not item[key].strip():
            raise InputError(f'{where}: "{key}" is empty; fill it in or delete the line')
    for key in ("question", "answer"):
        if not tokenize(item[key]):
            raise InputError(f'{where}: "{key}" has no token in it; fill it in or delete the line')

    split = item.get("split", "" if drawn else None)
    if not isinstance(split, str) or split not in (SPLITS if "split" in item else (*SPLITS, "")):
        found = (
            f"{split!r} is not one"
            if "split" in item
            else "it is missing; write it, or give --split 0.8,0.1,0.1"
        )
        raise InputError(f'{where}: "split" must be one of {", ".join(SPLITS)}, and {found}')

    # ./a.jpg and b/../a.jpg are one image, not two.
    image = PurePosixPath(os.path.normpath(item["image"])).as_posix()
    if any(character in image for character in "\0\n\r"):
        raise InputError(f'{where}: "image" holds a line break or a NUL; rename the image file')
    if image not in known and not os.path.isfile(folder / image):
        raise InputError(
            f"{where}: there is no image {folder / image}; image paths are relative to the JSONL "
            "file, or to --image-root, and an image in a .tar or a .parquet must be unpacked"
        )
    wrong = _wrong_answers(item.get("wrong_answers", []), where)
    return Record(image, item["question"], item["answer"], split, wrong)


def _wrong_answers(value: object, where: str) -> tuple[str, ...]:
    """The wrong answers of a line, which is at *where*."""
    if isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value):
        return tuple(value)
    raise InputError(
        f'{where}: "wrong_answers" must be a list of texts that are not empty; write them as '
        '["a dog", "a cow"], or leave the key out'
    )


def _kind(value: object) -> str:
    """How a writer of JSON would call *value*."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    kinds: dict[type, str] = {dict: "an object", list: "a list", str: "a string"}
    return kinds.get(type(value), f"the number {value}")


def _empty_split_cure(split: str) -> str:
    return (
        f'relabel some lines (all lines of some of the images) as "split": "{split}", or take the '
        "splits out and give --split 0.8,0.1,0.1"
    )


READER = Reader(
    read,
    source="the JSONL file",
    options=(
        Option(
            "split",
            str,
            "",
            "of images whose lines say none: train, valid, test, or fractions such as 0.8,0.1,0.1",
        ),
        seed_option("the images of --split's fractions"),
        Option("image_root", str, "", "the folder of relative image paths, if not the file's"),
    ),
    empty_split_cure=_empty_split_cure,
)
