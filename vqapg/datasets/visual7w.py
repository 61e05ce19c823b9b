"""Visual7W, the telling questions, by its official splits (section 5.1).

Each question has three wrong answers that people wrote (``multiple_choices``). They are kept.
http://ai.stanford.edu/~yukez/visual7w/
"""

from pathlib import Path
from typing import Any, NamedTuple

from vqapg.datasets.official import (
    IMAGE_OPTIONS,
    draw_images,
    load_json,
    require_images,
    seed_option,
    source_folder,
)
from vqapg.datasets.reader import Option, Reader, Record, SourceData
from vqapg.errors import InputError

FILE = "dataset_v7w_telling.json"
PAGE = "get it at http://ai.stanford.edu/~yukez/visual7w/ and unzip it there"
EXPECTED = {FILE: PAGE, "images": PAGE}
CURE = f"delete it and {PAGE}"
SPLITS = {"train": "train", "val": "valid", "test": "test"}


class _Question(NamedTuple):
    question: str
    answer: str
    wrong_answers: tuple[str, ...]


class _Image(NamedTuple):
    name: str
    split: str
    questions: list[_Question]


def read(
    source: str | Path | None = None,
    *,
    seed: int,
    min_pairs_per_image: int,
    max_images: int,
    max_test_images: int,
    max_valid_images: int = 0,
) -> SourceData:
    """Read the folder *source*: ``dataset_v7w_telling.json`` and ``images/``.

    Args:
        min_pairs_per_image: images with fewer are left out
        max_images, max_test_images, max_valid_images: how many images of the train, the test and
            the val split to draw; 0: all

    Raises InputError naming the file and, where there is one, the image or the question.
    """
    root = source_folder(source, "visual7w", EXPECTED)
    path = root / FILE
    content = load_json(path, _slim, CURE)
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        raise InputError(f"{path}: has no list of images; {CURE}")
    splits: dict[str, dict[str, list[_Question]]] = {split: {} for split in SPLITS}
    of_image: dict[str, str] = {}
    for item in content["images"]:
        if not isinstance(item, _Image):
            raise InputError(f"{path}: an item of its images is not of the official form; {CURE}")
        name, split, questions = item
        if split not in SPLITS:
            raise InputError(
                f"{path}: image {name} is in split {split!r}, none of {', '.join(SPLITS)}; {CURE}"
            )
        if of_image.setdefault(name, split) != split:
            raise InputError(f"{path}: image {name} is in {of_image[name]} and in {split}; {CURE}")
        if questions:
            splits[split].setdefault(name, []).extend(questions)
    records = []
    most_of = {"train": max_images, "val": max_valid_images, "test": max_test_images}
    for split, most in most_of.items():
        images = draw_images(splits[split], min_pairs_per_image, most, seed)
        require_images(root, images, PAGE)
        records += [
            Record(name, question, answer, SPLITS[split], wrong_answers)
            for name, questions in images.items()
            for question, answer, wrong_answers in questions
        ]
    return SourceData(root, root, records, [path])


def _slim(item: dict[str, Any]) -> object:
    """An object of the file as what is needed of it, an image or a question. The rest takes no
    memory.
    """
    if "qa_pairs" in item:
        name, questions = item["filename"], item["qa_pairs"]
        if not isinstance(name, str) or not all(isinstance(one, _Question) for one in questions):
            raise TypeError(f"image {name!r} has no file name, or pairs that are none")
        if any(character in name for character in "\0\n\r"):
            raise ValueError(f"the file name {name!r} holds a line break or a NUL")
        return _Image(f"images/{name}", str(item["split"]), questions)
    if "question" in item:
        # A file without them is good for all but what the wrong answers are for.
        wrong = item.get("multiple_choices", [])
        if not isinstance(item["question"], str) or not isinstance(item["answer"], str):
            raise TypeError(f"question {item.get('qa_id')} or its answer is no text")
        if not isinstance(wrong, list) or not all(isinstance(one, str) for one in wrong):
            raise TypeError(f"a wrong answer to question {item.get('qa_id')} is no text")
        return _Question(item["question"], item["answer"], tuple(wrong))
    return item


READER = Reader(
    read,
    source=f"a folder with {FILE} and images/",
    options=(
        seed_option("the images of --max-images, --max-valid-images and --max-test-images"),
        *IMAGE_OPTIONS,
        Option("max_valid_images", int, 0, "draw N of the images of the val split; 0 keeps all", 0),
    ),
    # Table 2 gives thousands with one decimal.
    paper_table2={
        "train": {"images": 14_400, "pairs": 69_800},
        "valid": {"images": 5_700, "pairs": 28_000},
        "test": {"images": 8_600, "pairs": 42_000},
    },
    images="They are photographs of COCO, under the terms of their authors on Flickr: "
    "https://cocodataset.org/#termsofuse.",
)
