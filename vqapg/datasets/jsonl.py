"""JSONL: anybody's own pairs, one JSON object a line.

    {"image": "images/1.jpg", "question": "what is it?", "answer": "a cat", "split": "train"}

``split`` is train, valid or test; image paths are relative to the file, or absolute. An image
belongs to one split only: an image seen in training would make the test figures worthless. A link
to an image and a copy of it are the same image.

A line may also have ``"wrong_answers": ["a dog", "a cow"]``, which people wrote to its question.
"""

import json
import os
from collections.abc import Container, Mapping
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from vqapg.data.repeated_images import SplitImage, image_in_two_splits
from vqapg.datasets.reader import SPLITS, Reader, Record, SourceData
from vqapg.errors import InputError
from vqapg.files import check_readable_file
from vqapg.strict_json import parse_json, read_lines

EXAMPLE = '{"image": "a.jpg", "question": "what is it?", "answer": "a cat", "split": "train"}'
CURE = f"write one object a line, as UTF-8 text, such as {EXAMPLE}"


def read(source: str | Path | None = None) -> SourceData:
    """Read the JSONL file *source*.

    Raises InputError, naming file and line, for anything that is not as described above.
    """
    if source is None:
        raise InputError("--dataset jsonl reads a file: name it with --source FILE.jsonl")
    path = Path(source).resolve()
    if not path.exists():
        raise InputError(
            f"{source}: no such file; --source names a JSONL file with lines like {EXAMPLE}"
        )
    check_readable_file(path, f"--source names a JSONL file with lines like {EXAMPLE}")
    pairs_of_image: dict[str, list[Record]] = {}
    first_line: dict[str, tuple[str, int]] = {}
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
            record = _parse(line, f"{source}:{number}", path.parent, known=first_line)
            if record is None:
                continue
            split, first = first_line.setdefault(record.image, (record.split, number))
            if split != record.split:
                raise InputError(
                    f"{source}:{number}: the image {record.image} is in {record.split} here but in "
                    f"{split} at "
                    f"{source}:{first}; put all pairs of an image into one split"
                )
            pairs_of_image.setdefault(record.image, []).append(record)
    if not pairs_of_image:
        raise InputError(f"{source}: the file is empty; write one pair a line, such as {EXAMPLE}")
    _check_contents(source, path.parent, first_line)
    records = [record for pairs in pairs_of_image.values() for record in pairs]
    return SourceData(path, path.parent, records, [path])


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


def _parse(line: str, where: str, folder: Path, known: Container[str]) -> Record | None:
    """The record of *line*, None if blank; *where* is file:line, *known* the images met before."""
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

    split = item.get("split")
    if not isinstance(split, str) or split not in SPLITS:
        found = f"{split!r} is not one" if "split" in item else "it is missing"
        raise InputError(f'{where}: "split" must be one of {", ".join(SPLITS)}, and {found}')

    # ./a.jpg and b/../a.jpg are one image, not two.
    image = PurePosixPath(os.path.normpath(item["image"])).as_posix()
    if any(character in image for character in "\0\n\r"):
        raise InputError(f'{where}: "image" holds a line break or a NUL; rename the image file')
    if image not in known and not os.path.isfile(folder / image):
        raise InputError(
            f"{where}: there is no image {folder / image}; image paths are relative to the JSONL "
            "file"
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
    return f'relabel some lines (all lines of some of the images) as "split": "{split}"'


READER = Reader(read, source="the JSONL file", empty_split_cure=_empty_split_cure)
