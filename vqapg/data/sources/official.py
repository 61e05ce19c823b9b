"""What the readers of published data sets share: their files, and images drawn from them."""

import json
import random
from pathlib import Path

from tqdm import tqdm

from vqapg.errors import InputError
from vqapg.files import LARGEST_TEXT, check_readable_file


def source_folder(source, dataset, expected):
    """The folder *source*, with every one of *expected*, {path inside it: where it is had}.

    Raises InputError naming the first that is missing.
    """
    if source is None:
        raise InputError(f"--dataset {dataset} reads a folder: name it with --source FOLDER, holding {', '.join(expected)}")
    root = Path(source).resolve()
    if not root.is_dir():
        raise InputError(f"{source}: no such folder; --source names the one with {', '.join(expected)} in it")
    for name, origin in expected.items():
        if not (root / name).exists():
            raise InputError(f"{root / name}: missing; {origin}")
    return root


def load_json(path, object_hook, cure):
    """The JSON file *path*, each object of it as *object_hook* makes it, so that what is not needed takes no memory.

    Raises InputError when it is not whole JSON, or an object lacks what the hook wants of it.
    """
    check_readable_file(path, cure, LARGEST_TEXT)
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file, object_hook=object_hook)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: broken or cut JSON (line {error.lineno}, column {error.colno}: {error.msg}); {cure}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); {cure}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not of the official form ({type(error).__name__}: {error}); {cure}") from error


def draw_images(pairs_of_image, min_pairs, max_images, seed):
    """{image: pairs} with only images of at least *min_pairs*, and of these *max_images* drawn by *seed* (0: all); in
    the order of the images' ids."""
    images = sorted(image for image, pairs in pairs_of_image.items() if len(pairs) >= min_pairs)
    if 0 < max_images < len(images):
        images = sorted(random.Random(seed).sample(images, max_images))
    return {image: pairs_of_image[image] for image in images}


def require_images(root, names, cure):
    """Raises InputError unless every image file of *names* is under *root*."""
    for name in tqdm(names, desc="looking for images", unit="image", delay=2, leave=False, disable=None):
        if not (root / name).is_file():
            raise InputError(f"{root / name}: this image is missing; {cure}")
