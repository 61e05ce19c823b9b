"""An annotation session: which images and pairs are judged, drawn once, by seed, and kept in a
folder of its own.

- ``session.json``: images, groups and pairs, models, seed, and for an estimate of consistency its
  plan; written last: a folder without it is unfinished
- ``images/``: the drawn images as JPEG, under numbers
- ``judgements.jsonl``: what annotators judged, see judgements.py
- ``.unfinished``: our mark in a folder that is still being made

The folder needs neither the data directory nor the generated pairs. Groups are numbered in an order
drawn by the seed, so that no number tells the model or what a judge thinks of a pair.
"""

import hashlib
import json
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from PIL.Image import Image
from tqdm import tqdm

from vqapg.annotation.consistency_plan import Plan, plan_content, read_plan
from vqapg.errors import InputError
from vqapg.evaluation.human import FIELDS, Group, ShownPair
from vqapg.files import atomic_write, check_readable_file
from vqapg.folders import new_folder
from vqapg.provenance import KEY, provenance
from vqapg.strict_json import read_json
from vqapg.targets import is_free

# 2: with a plan, or null for the paper's evaluation. 1, of before, was always the paper's.
FORMAT_VERSION = 2
READ_VERSIONS = (1, 2)
LARGEST_SESSION = 64 << 20  # bytes; one of 1,000 images has about 2 MB
# Pixels of the longer side of the images that are shown.
IMAGE_SIZE = 1024


class Session(NamedTuple):
    """A finished session.

    Attributes:
        path: its folder
        seed: of everything that was drawn
        images: the data set's names
        models: what is known of each model's pairs, by name
        groups: what is shown; in a session with a plan each group is one pair
        plan: of an estimate of consistency; None for the paper's evaluation
    """

    path: Path
    seed: int
    images: list[str]
    models: dict[str, dict[str, Any]]
    groups: list[Group]
    plan: Plan | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """What annotators say of a pair."""
        return FIELDS if self.plan is None else ("consistency",)

    def image_path(self, number: int) -> Path:
        """The picture of that number, from 0."""
        return image_path(self.path, number)

    def order(self, annotator: str) -> list[Group]:
        """The groups in the order of this *annotator*, drawn by the seed.

        With a plan the order is everybody's: two who stop early have then judged the same pairs.
        """
        if self.plan is not None:
            return list(self.groups)
        digest = hashlib.sha256(f"{self.seed} {annotator}".encode()).digest()
        return random.Random(digest).sample(self.groups, len(self.groups))


class Pictured(Protocol):
    """Where the pictures of a session come from."""

    @property
    def path(self) -> Path: ...

    def picture(self, image: str) -> Image: ...


def image_path(folder: str | os.PathLike[str], number: int) -> Path:
    """The picture of that number, from 0, in the session of *folder*."""
    return Path(folder) / "images" / f"{number + 1:03}.jpg"


def write_session(
    path: str | os.PathLike[str],
    data: Pictured,
    drawn: Sequence[str],
    groups: Sequence[Group],
    *,
    seed: int,
    models: Mapping[str, dict[str, Any]],
    inputs: Mapping[str, str | os.PathLike[str]] | None = None,
    plan: Plan | None = None,
) -> Session:
    """Make a folder a session, and read it.

    Args:
        path: the folder, new or empty
        data: where the images are
        drawn: the names of the images that are shown
        groups: what is judged, in the order of their numbers
        seed: of everything that was drawn
        models: what is to be known of each model, by name
        inputs: the files that were read, by what they are
        plan: of an estimate of consistency

    Raises:
        InputError: if the folder holds something else, or an image cannot be read
    """
    path = Path(path)
    check_new(path)
    content = {
        "format": FORMAT_VERSION,
        KEY: provenance(seed=seed, inputs=inputs),
        "seed": seed,
        "data": str(data.path),
        "models": dict(models),
        "images": list(drawn),
        "plan": None if plan is None else plan_content(plan),
        "groups": [
            {**group._asdict(), "pairs": [pair._asdict() for pair in group.pairs]}
            for group in groups
        ],
    }
    with new_folder(path, keep_mark=False) as partial:
        _write(partial, data, drawn, content)
    return read_session(path)


def _write(path: Path, data: Pictured, drawn: Sequence[str], content: dict[str, Any]) -> None:
    """Write the files of a session into the empty folder *path*."""
    (path / "images").mkdir()
    for number, image in enumerate(tqdm(drawn, desc="images", delay=2, leave=False, disable=None)):
        picture = data.picture(image)
        picture.thumbnail((IMAGE_SIZE, IMAGE_SIZE))
        with atomic_write(image_path(path, number), "wb") as file:
            picture.save(file, "JPEG", quality=95, subsampling=0)
    with atomic_write(path / "session.json") as file:
        json.dump(content, file, indent=1, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def check_new(path: Path) -> None:
    """Raises InputError unless a session can be made in the folder *path*: there is none, or an
    empty one.
    """
    if (path / "session.json").exists():
        raise InputError(
            f"{path}: holds a session already; go on with vqapg annotate serve {path}, or give "
            "another folder"
        )
    if not is_free(path):
        raise InputError(f"{path}: holds something else; give a new folder")


def read_session(path: Path | str) -> Session:
    """The session in the folder *path*.

    Raises:
        InputError: when there is none, or it is broken. It names the line, or the group.
    """
    path, remedy = Path(path), "make a new session"
    file = path / "session.json"
    if not os.path.lexists(file):
        raise InputError(
            f"{path}: no annotation session (there is no session.json in it); make one: "
            f"vqapg annotate start {path} --for consistency --pairs FILE, with --data or --images"
        )
    content = read_json(check_readable_file(file, remedy, LARGEST_SESSION), remedy)
    try:
        # True is equal to 1.
        if type(content["format"]) is not int or content["format"] not in READ_VERSIONS:
            found = repr(content["format"])[:20]
            raise InputError(
                f"{file}: of format {found}, this vqapg reads 1 to {FORMAT_VERSION}; {remedy}"
            )
        return _checked(path, content)
    except KeyError as error:
        raise InputError(f"{file}: broken (there is no {error}); {remedy}") from error
    except (ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file}: broken ({reason[:200]}); {remedy}") from error


def _checked(path: Path, content: dict[str, Any]) -> Session:
    """The Session that *content* spells.

    Raises:
        ValueError, KeyError, TypeError: when it is none, saying where.
    """
    seed, images, models, groups = (content[key] for key in ("seed", "images", "models", "groups"))
    if type(seed) is not int:
        raise ValueError("seed is no whole number")
    if not isinstance(images, list) or not images or not all(map(_is_text, images)):
        raise ValueError("images is no list of names")
    if not isinstance(models, dict) or not isinstance(groups, list) or not groups:
        raise ValueError("models is no object, or groups no list")
    read = []
    for number, group in enumerate(groups):
        try:
            pairs = tuple(ShownPair(**pair) for pair in group["pairs"])
            read.append(Group(group["id"], group["model"], group["image"], pairs))
        except (KeyError, TypeError) as error:
            raise ValueError(f"groups[{number}] is not of its form: {error}") from error
        texts = (group["id"], group["model"], *(text for pair in pairs for text in pair))
        if not pairs or not all(map(_is_text, texts)) or group["model"] not in models:
            raise ValueError(
                f"groups[{number}] has no pairs, a text that is none, or no known model"
            )
        if type(group["image"]) is not int or not 0 <= group["image"] < len(images):
            raise ValueError(f"groups[{number}] has no image among the {len(images)}")
    ids = [pair.id for group in read for pair in group.pairs]
    if len(set(ids)) < len(ids):
        raise ValueError("two pairs have one id")
    spelled = content["plan"] if content["format"] > 1 else None
    plan = None if spelled is None else read_plan(spelled, ids)
    return Session(path, seed, images, models, read, plan)


def _is_text(value: object) -> bool:
    return isinstance(value, str)
