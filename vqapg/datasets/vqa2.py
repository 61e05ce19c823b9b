"""VQA v2.0 as distributed (https://visualqa.org/download.html), by the paper's protocol (section
5.1).

The answer of a question is its ``multiple_choice_answer``, the one most annotators gave. The
official test answers are not public, so the official val part is ``test``; ``valid`` are pairs
drawn at random from the official train part, of images that training sees too. The paper's counts
(Table 2) are about 12% of the images, by a rule that it does not state: ``min_pairs_per_image`` and
``max_images`` are there to come near.
"""

import random
from pathlib import Path
from typing import Any

from vqapg.datasets.official import (
    IMAGE_OPTIONS,
    draw_images,
    load_json,
    require_images,
    seed_option,
    source_folder,
    whole_number,
)
from vqapg.datasets.reader import Option, Reader, Record, SourceData
from vqapg.errors import InputError

PAGE = "get it at https://visualqa.org/download.html and unzip it there"
QUESTIONS = "v2_OpenEnded_mscoco_{}2014_questions.json"
ANNOTATIONS = "v2_mscoco_{}2014_annotations.json"
EXPECTED = {
    name.format(part): PAGE
    for part in ("train", "val")
    for name in (QUESTIONS, ANNOTATIONS, "{}2014")
}
CURE = f"delete it and {PAGE}"


def read(
    source: str | Path | None = None,
    *,
    seed: int,
    valid_pairs: int,
    min_pairs_per_image: int,
    max_images: int,
    max_test_images: int,
) -> SourceData:
    """Read the folder *source*: the four JSON files, and the COCO image folders train2014 and
    val2014.

    Args:
        valid_pairs: how many pairs of the train part become ``valid`` (the paper: 10,000)
        min_pairs_per_image: images with fewer are left out
        max_images, max_test_images: of the train and of the val part, how many images to draw; 0:
            all

    Raises InputError naming the file and, where there is one, the question.
    """
    root = source_folder(source, "vqa2", EXPECTED)
    parts = {}
    for part, most in (("train", max_images), ("val", max_test_images)):
        parts[part] = draw_images(_pairs_of_image(root, part), min_pairs_per_image, most, seed)
        require_images(root, (file_name(part, image) for image in parts[part]), PAGE)
    train = [
        (image, place) for image, pairs in parts["train"].items() for place in range(len(pairs))
    ]
    if valid_pairs >= len(train):
        raise InputError(
            f"--valid-pairs {valid_pairs}: there are only {len(train)} pairs to draw from; give a "
            "smaller number"
        )
    valid = set(random.Random(seed).sample(train, valid_pairs))
    records = [
        Record(file_name(part, image), question, answer, _split(part, (image, place) in valid))
        for part, images in parts.items()
        for image, pairs in images.items()
        for place, (question, answer) in enumerate(pairs)
    ]
    files = [root / name for name in EXPECTED if name.endswith(".json")]
    return SourceData(root, root, records, files)


def _split(part: str, is_valid: bool) -> str:
    return "test" if part == "val" else "valid" if is_valid else "train"


def file_name(part: str, image: int) -> str:
    """The path of an image, by its number, in the folder of the data set."""
    return f"{part}2014/COCO_{part}2014_{image:012d}.jpg"


def _pairs_of_image(root: Path, part: str) -> dict[int, list[tuple[str, str]]]:
    """{image id: [(question, answer), ...]} of one official part, in the order of its questions."""
    path = root / ANNOTATIONS.format(part)
    answers = {}
    for number, answer in _items(load_json(path, _slim_annotation, CURE), "annotations", path):
        if number in answers:
            raise InputError(f"{path}: the answer to question {number} is there twice; {CURE}")
        answers[number] = answer
    path = root / QUESTIONS.format(part)
    pairs: dict[int, list[tuple[str, str]]] = {}
    seen = set()
    for number, (image, question) in _items(
        load_json(path, _slim_question, CURE), "questions", path
    ):
        if number in seen:
            raise InputError(f"{path}: question {number} is there twice; {CURE}")
        seen.add(number)
        if number not in answers:
            raise InputError(
                f"{root / ANNOTATIONS.format(part)}: has no answer to question {number}; {CURE}"
            )
        pairs.setdefault(image, []).append((question, answers[number]))
    return pairs


def _items(content: object, key: str, path: Path) -> list[tuple[Any, ...]]:
    if not isinstance(content, dict) or not isinstance(content.get(key), list):
        raise InputError(f"{path}: has no list of {key}; {CURE}")
    items: list[tuple[Any, ...]] = content[key]
    if not all(isinstance(item, tuple) for item in items):
        raise InputError(f"{path}: an item of its {key} is not of the official form; {CURE}")
    return items


def _slim_annotation(item: dict[str, Any]) -> object:
    """(question id, answer) of an annotation; nothing of the ten answers behind it."""
    if "answer_id" in item:
        return None
    if "question_id" in item:
        return whole_number(item["question_id"]), _text(item["multiple_choice_answer"])
    return item


def _slim_question(item: dict[str, Any]) -> object:
    """(question id, (image id, question))."""
    if "question_id" in item:
        image = whole_number(item["image_id"])
        return whole_number(item["question_id"]), (image, _text(item["question"]))
    return item


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


READER = Reader(
    read,
    source="a folder with the four official JSON files, train2014/ and val2014/",
    options=(
        seed_option("the validation pairs, and the images of --max-images and --max-test-images"),
        Option(
            "valid_pairs",
            int,
            10_000,
            "pairs drawn from train for validation; the paper has 10,000",
            minimum=0,
        ),
        *IMAGE_OPTIONS,
    ),
    # Table 2 gives thousands with one decimal.
    paper_table2={
        "train": {"images": 10_000, "pairs": 70_600},
        "valid": {"images": 6_100, "pairs": 10_000},
        "test": {"images": 4_800, "pairs": 36_900},
    },
    images="They are photographs of COCO, under the terms of their authors on Flickr: "
    "https://cocodataset.org/#termsofuse.",
)
