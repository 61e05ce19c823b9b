"""What the readers of published data sets share: their files, and images drawn from them."""

import random
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from vqapg.datasets.reader import Option
from vqapg.errors import InputError
from vqapg.files import LARGEST_TEXT, check_readable_file
from vqapg.strict_json import MAX_ID, is_id, read_json

# As many as 64 bits surely hold.
DIGITS = re.compile("[0-9]{1,18}")

# What a data set names its images by: a number, or a file name. And one pair of an image.
Image = TypeVar("Image", int, str)
Pair = TypeVar("Pair")


# Of the images that are read; 0: all
IMAGE_OPTIONS = (
    Option(
        "min_pairs_per_image", int, 0, "leave out images with fewer pairs; 0 keeps all", minimum=0
    ),
    Option("max_images", int, 0, "draw N of the images for training; 0 keeps all", minimum=0),
    Option(
        "max_test_images", int, 0, "draw N of the images of the test split; 0 keeps all", minimum=0
    ),
)


def seed_option(drawn: str) -> Option:
    """The option ``--seed`` of a reader that draws *drawn*."""
    return Option("seed", int, 1, f"draws {drawn} at random", minimum=0)


def source_folder(source: str | Path | None, dataset: str, expected: Mapping[str, str]) -> Path:
    """The folder *source*, with every one of *expected*, {path inside it: where it is had}.

    Raises InputError naming the first that is missing.
    """
    if source is None:
        raise InputError(
            f"--dataset {dataset} reads a folder: name it with --source FOLDER, holding "
            f"{', '.join(expected)}"
        )
    root = Path(source).resolve()
    if not root.is_dir():
        raise InputError(
            f"{source}: no such folder; --source names the one with {', '.join(expected)} in it"
        )
    for name, origin in expected.items():
        if not (root / name).exists():
            raise InputError(f"{root / name}: missing; {origin}")
    return root


def load_json(path: Path, object_hook: Callable[[dict[str, Any]], Any], cure: str) -> Any:
    """The JSON file *path*, each object of it as *object_hook* makes it, so that what is not needed
    takes no memory.

    Raises:
        InputError: if the file is not strict JSON, or an object lacks what the hook wants of it
    """
    check_readable_file(path, cure, LARGEST_TEXT)
    try:
        return read_json(path, cure, object_hook)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{path}: missing; {cure}") from error


def whole_number(value: object) -> int:
    """*value*, an id, which may be written as a string of digits.

    Raises:
        TypeError: if it is not a whole number from 0 up, of 64 bits at most
    """
    number = int(value) if isinstance(value, str) and DIGITS.fullmatch(value) else value
    if not isinstance(number, int) or not is_id(number):
        raise TypeError(f"the id {repr(value)[:40]} is not a whole number from 0 to {MAX_ID}")
    return number


def draw_images(
    pairs_of_image: Mapping[Image, list[Pair]], min_pairs: int, max_images: int, seed: int
) -> dict[Image, list[Pair]]:
    """{image: pairs} with only images of at least *min_pairs*, and of these *max_images* drawn by
    *seed* (0: all); in the order of the images' ids.
    """
    images = sorted(image for image, pairs in pairs_of_image.items() if len(pairs) >= min_pairs)
    if 0 < max_images < len(images):
        images = sorted(random.Random(seed).sample(images, max_images))
    return {image: pairs_of_image[image] for image in images}


def require_images(root: Path, names: Iterable[str], cure: str) -> None:
    """Raises InputError unless every image file of *names* is under *root*."""
    for name in tqdm(
        names, desc="looking for images", unit="image", delay=2, leave=False, disable=None
    ):
        if not (root / name).is_file():
            raise InputError(f"{root / name}: this image is missing; {cure}")
