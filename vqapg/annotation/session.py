"""An annotation session: which images and pairs are judged, drawn once, by seed, and kept in a
folder of its own.

- ``session.json``: images, groups and pairs, models, seed; written last: a folder without it is
  unfinished
- ``images/``: the drawn images as JPEG, under numbers
- ``judgements.jsonl``: what annotators judged, see judgements.py
- ``.unfinished``: our mark in a folder that is still being made

The folder needs neither the data directory nor the generated pairs. Groups are numbered in an order
drawn by the seed, so that no number tells the model.
"""

import hashlib
import json
import os
import random
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from vqapg.data.pictures import open_rgb
from vqapg.errors import InputError
from vqapg.evaluation.human import Group, ShownPair
from vqapg.files import atomic_write, check_readable_file
from vqapg.folders import new_folder
from vqapg.provenance import KEY, provenance
from vqapg.strict_json import read_json
from vqapg.targets import is_free

FORMAT_VERSION = 1
LARGEST_SESSION = 64 << 20  # bytes; one of 1,000 images has about 2 MB
# Pixels of the longer side of the images that are shown.
IMAGE_SIZE = 1024


class Session(NamedTuple):
    """A finished session. ``images`` are the data set's names, ``models`` what is known of their
    pairs, by name.
    """

    path: Path
    seed: int
    images: list[str]
    models: dict[str, dict]
    groups: list[Group]

    def image_path(self, number):
        return image_path(self.path, number)

    def order(self, annotator):
        """The groups in the order of this *annotator*, drawn by the seed."""
        digest = hashlib.sha256(f"{self.seed} {annotator}".encode()).digest()
        return random.Random(digest).sample(self.groups, len(self.groups))


def image_path(folder, number):
    return Path(folder) / "images" / f"{number + 1:03}.jpg"


def write_session(path, data, drawn, groups, *, seed, models, inputs=None):
    """Make the folder *path* a session of the *drawn* images of *data*, a DataDirectory, and return
    it.

    *models* is what is to be known of each model, by name; *inputs* names the files that were read.

    Raises InputError when the folder holds something else, or an image cannot be read.
    """
    path = Path(path)
    check_new(path)
    with new_folder(path, keep_mark=False) as partial:
        _write(partial, data, drawn, groups, seed, models, inputs)
    return read_session(path)


def _write(path, data, drawn, groups, seed, models, inputs):
    """Write the files of a session into the empty folder *path*."""
    (path / "images").mkdir()
    for number, image in enumerate(tqdm(drawn, desc="images", delay=2, leave=False, disable=None)):
        picture = open_rgb(data.image_path(image))
        picture.thumbnail((IMAGE_SIZE, IMAGE_SIZE))
        with atomic_write(image_path(path, number), "wb") as file:
            picture.save(file, "JPEG", quality=95, subsampling=0)
    content = {
        "format": FORMAT_VERSION,
        KEY: provenance(seed=seed, inputs=inputs),
        "seed": seed,
        "data": str(data.path),
        "models": models,
        "images": drawn,
        "groups": [
            {**group._asdict(), "pairs": [pair._asdict() for pair in group.pairs]}
            for group in groups
        ],
    }
    with atomic_write(path / "session.json") as file:
        json.dump(content, file, indent=1, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def check_new(path):
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
            f"vqapg annotate start {path} --data DATA --pairs NAME=FILE"
        )
    content = read_json(check_readable_file(file, remedy, LARGEST_SESSION), remedy)
    try:
        if content["format"] != FORMAT_VERSION:
            found = repr(content["format"])[:20]
            raise InputError(
                f"{file}: of format {found}, this vqapg reads {FORMAT_VERSION}; {remedy}"
            )
        return _checked(path, content)
    except KeyError as error:
        raise InputError(f"{file}: broken (there is no {error}); {remedy}") from error
    except (ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file}: broken ({reason[:200]}); {remedy}") from error


def _checked(path, content):
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
    return Session(path, seed, images, models, read)


def _is_text(value):
    return isinstance(value, str)


FUNCTION_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "it",
        "its",
        "there",
        "here",
        "he",
        "she",
        "his",
        "her",
        "him",
        "they",
        "their",
        "them",
        "i",
        "you",
        "your",
        "we",
        "our",
        "what",
        "which",
        "who",
        "whom",
        "whose",
        "where",
        "when",
        "why",
        "how",
        "many",
        "much",
        "kind",
        "type",
        "sort",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "am",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "can",
        "could",
        "will",
        "would",
        "should",
        "may",
        "might",
        "must",
        "not",
        "no",
        "yes",
        "and",
        "or",
        "but",
        "if",
        "in",
        "on",
        "at",
        "of",
        "to",
        "for",
        "from",
        "with",
        "without",
        "by",
        "as",
        "into",
        "over",
        "under",
        "near",
        "next",
        "top",
        "behind",
        "front",
        "out",
        "up",
        "down",
        "off",
        "than",
        "too",
        "very",
        "any",
        "some",
        "more",
        "most",
        "other",
        "image",
        "side",
        "left",
        "right",
        "close",
        "picture",
        "photo",
        "contain",
        "contains",
        "present",
        "visible",
        "shown",
        "color",
        "colour",
    ]
)


def suggested_objects(question, answer):
    """Words of the pair that may name its object: those that are no function words, the question's
    first.
    """
    words = [
        word.strip(" .,;:!?\"'()").removesuffix("'s")
        for word in f"{question} {answer}".lower().split()
    ]
    return list(dict.fromkeys(word for word in words if word and word not in FUNCTION_WORDS))
