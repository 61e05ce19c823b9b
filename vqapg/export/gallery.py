"""gallery.html: one page with everything in it, that works from the disk without a server."""

import base64
import io
import json
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from vqapg.data.input_image import InputImage
from vqapg.data.question_type import question_type
from vqapg.data.tokenizer import without_full_stop
from vqapg.errors import InputError
from vqapg.files import atomic_write
from vqapg.targets import FOREIGN, head_of

# More would make a page that a browser cannot hold; the page says how many there are.
MOST_IMAGES = 1000
THUMBNAIL = 360  # pixels of the longer side
# What an entry says of why its image has no pair.
WHY_WITHOUT = ("below_minimum", "malformed")
DATA = "/* DATA */"
GENERATOR = b'<meta name="generator" content="vqapg'


def our_page(path: Path) -> str | None:
    """Recognises a page whose generator is vqapg."""
    return None if GENERATOR in head_of(path) else FOREIGN


def write_gallery(
    path: Path,
    entries: Iterable[dict[str, Any]],
    images: Sequence[InputImage],
    *,
    grid: tuple[int, int] | None,
    about: Mapping[str, Any],
    judged: bool,
    min_consistency: float | None = None,
    boxes: Callable[[str], Any] = lambda name: None,
) -> None:
    """Write the page of *entries*, a journal's, in their order.

    Args:
        path: of the page
        entries: what a run found for each image
        images: of every entry
        grid: height and width of the regions; None where they are no grid
        about: {what: value} of the run, to be shown, such as the model and the seed
        judged: whether there was a judge; a page without pairs could not tell
        min_consistency: that no pair is below; None: there was no such minimum
        boxes: gives the boxes of an image's regions by its name: x1 y1 x2 y2 in shares of its
            picture's size, ``[R, 4]``; or None
    """
    by_name = {image.name: image for image in images}
    types: dict[str, int] = {}
    shown: list[dict[str, Any]] = []
    pairs = total = 0
    for entry in tqdm(
        entries, total=len(images), desc="gallery", unit="image", delay=2, leave=False
    ):
        total += 1
        pairs += len(entry["pairs"])
        if len(shown) < MOST_IMAGES:
            picture, size = _thumbnail(by_name[entry["image"]])
            shown.append(
                {
                    "name": entry["image"],
                    "picture": picture,
                    "size": size,
                    "pairs": _pairs(entry["pairs"], judged, types),
                }
            )
            if not entry["pairs"]:
                shown[-1] |= {why: entry[why] for why in WHY_WITHOUT}
            if (found := boxes(entry["image"])) is not None:
                shown[-1]["boxes"] = found.round(4).tolist()
    data = {
        "about": about,
        "grid": None if grid is None else list(grid),
        "judged": judged,
        "min_consistency": min_consistency,
        "types": list(types),
        "images": shown,
        "total": {"images": total, "pairs": pairs},
    }
    with atomic_write(path) as file:
        file.write(page_of(data))


def page_of(data: Mapping[str, Any]) -> str:
    """The page that shows *data*."""
    page = resources.files("vqapg.export").joinpath("gallery.html").read_text(encoding="utf-8")
    # "<" could end the script that the data stands in.
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return page.replace(DATA, text.replace("<", "\\u003c"))


def _pairs(
    pairs: Sequence[dict[str, Any]], judged: bool, types: dict[str, int]
) -> list[dict[str, Any]]:
    """As the page reads them, best first. The score is the consistency, or else the model's
    probability a token.
    """
    shown = [
        {
            "question": pair["question"],
            "answer": without_full_stop(pair["answer"]),
            "score": round((pair["consistency"] or 0) if judged else math.exp(pair["score"]), 3),
            "type": types.setdefault(question_type(pair["question"]), len(types)),
            "weights": pair["weights"],
        }
        for pair in pairs
    ]
    # --keep chooses in another order, in which they look unsorted.
    return sorted(shown, key=operator.itemgetter("score"), reverse=True)


def _thumbnail(image: InputImage) -> tuple[str, tuple[int, int] | None]:
    """A JPEG as a data URL, with its width and height; empty and None when the picture is not to
    be had any more.
    """
    try:
        picture, _ = image.open()
    except InputError:
        return "", None
    picture.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=75)
    url = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
    return url, picture.size
