"""Pages of several parts of a run as one page."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vqapg.errors import InputError
from vqapg.export.gallery import MOST_IMAGES, our_page, page_of
from vqapg.files import atomic_write

ELEMENT = re.compile(r'<script[^>]* id="data"[^>]*>(.*?)</script>', re.DOTALL)
# A page of MOST_IMAGES thumbnails has some 20 MB.
LARGEST = 1 << 30
SAME = ("grid", "judged", "min_consistency", "about")


def join_galleries(
    pages: Sequence[Path], output: Path, total: dict[str, int] | None = None
) -> dict[str, int]:
    """Write one page of all *pages*, in their order, with at most MOST_IMAGES images.

    Args:
        pages: of parts of one run
        output: the page to write; ask :func:`vqapg.targets.check_target` first
        total: how many images and pairs there are; None: the sum of what the pages say

    Returns:
        how many images and pairs there are

    Raises:
        InputError: if one is no page of ours, or they are of different runs
    """
    first: dict[str, Any] | None = None
    summed = {"images": 0, "pairs": 0}
    types: dict[str, int] = {}
    shown: list[dict[str, Any]] = []
    for path in pages:
        data = read_gallery(path)
        first = first or data
        for key in SAME:
            if data[key] != first[key]:
                raise InputError(
                    f"{path}: was made by another run than {pages[0]} (its {key} differs); "
                    "join the pages of one run"
                )
        for name in summed:
            summed[name] += data["total"][name]
        number = [types.setdefault(name, len(types)) for name in data["types"]]
        for image in data["images"][: MOST_IMAGES - len(shown)]:
            pairs = [{**pair, "type": number[pair["type"]]} for pair in image["pairs"]]
            shown.append({**image, "pairs": pairs})
    if first is None:
        raise InputError("there is no page to join; name some")
    total = total or summed
    with atomic_write(output) as file:
        file.write(page_of({**first, "types": list(types), "images": shown, "total": total}))
    return total


def read_gallery(path: Path) -> dict[str, Any]:
    """What the page *path* shows.

    Raises:
        InputError: if it is no page of ours
    """
    if our_page(path) is not None or path.stat().st_size > LARGEST:
        raise InputError(f"{path}: is no page that vqapg sample --html wrote; leave it out")
    found = ELEMENT.search(path.read_text(encoding="utf-8"))
    try:
        data = dict(json.loads(found[1])) if found else {}
        if not {*SAME, "types", "images", "total"} <= set(data):
            raise ValueError
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: is damaged, or of another version of vqapg; make it anew") from (
            error
        )
    return data
