"""``scenes.json`` of a data directory: what each drawing shows, so that the truth is known.

{"generator": "scenes-1", "seed": 1, "pixels_sha256": "...", "scenes": {image: {"ground": {...},
"things": [{"color": "red", "shape": "circle", "x": 40, "y": 88, "radius": 9}, ...]}}}

``pixels_sha256`` is of all pictures' pixels in the order of the scenes. It does not depend on the
encoder of picture files.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from vqapg.datasets.scene_layout import COLORS, SHAPES, Scene, Thing
from vqapg.datasets.scene_pictures import picture_of
from vqapg.errors import InputError
from vqapg.strict_json import read_json

NAME = "scenes.json"
# Rises when the same seed gives other scenes, pixels or pairs.
GENERATOR = "scenes-1"


def write_scenes(folder: Path, scenes: Mapping[str, Scene], seed: int) -> list[str]:
    """Draw the pictures of *scenes* below *folder*, and write what they show.

    Args:
        folder: a data directory
        scenes: by image, whose files lie in the folder GENERATOR
        seed: that they were drawn with

    Returns:
        the names of the other files
    """
    pixels = hashlib.sha256()
    for image, scene in tqdm(
        scenes.items(), desc="drawing", unit="image", delay=2, leave=False, disable=None
    ):
        picture, path = picture_of(scene), folder / GENERATOR / image
        pixels.update(picture.tobytes())
        path.parent.mkdir(parents=True, exist_ok=True)
        # Little compression: the files are small, and most of the time would go into it.
        Image.fromarray(picture).save(path, "PNG", compress_level=1)
    content = {
        "generator": GENERATOR,
        "seed": seed,
        "pixels_sha256": pixels.hexdigest(),
        "scenes": {
            image: {
                "ground": scene.ground._asdict(),
                "things": [thing._asdict() for thing in scene.things],
            }
            for image, scene in scenes.items()
        },
    }
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    (folder / NAME).write_text(text + "\n", encoding="utf-8")
    return [NAME]


def read_things(path: Path, cure: str) -> dict[str, tuple[Thing, ...]]:
    """What each image shows, by the file *path*.

    Args:
        path: of the file
        cure: how the user mends it; ends every message

    Raises:
        InputError: if it is no such file
    """
    stored = read_json(path, cure)
    try:
        return {
            image: tuple(_thing(**thing) for thing in scene["things"])
            for image, scene in stored["scenes"].items()
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{path}: does not describe scenes ({error}); {cure}") from error


def _thing(**said: Any) -> Thing:
    thing = Thing(**said)
    if thing.color not in COLORS or thing.shape not in SHAPES:
        raise ValueError(f"there is no {str(thing.color)[:20]} {str(thing.shape)[:20]}")
    if not all(type(number) is int for number in thing[2:]):
        raise ValueError("a place or a size is no whole number")
    return thing
