"""The data directory: what ``vqapg prepare`` writes and everything else reads.

- ``dict.txt``: fairseq's dictionary, the separator, then every token of the train split
- ``{train,valid,test}.{image,question,answer}``: tokenised text, one pair a line; pairs of an image
  stand together
- ``{train,valid,test}.wrong_answers``: only where the data set has them; a JSON list a line, the
  wrong answers that people wrote to the question in that line, tokenised as answers are
- ``features.h5``: written later, by ``vqapg extract-features``
- ``glove.300d.txt``: where ``vqapg glove`` was run, GloVe's vectors of the dictionary's words
- images and a description of them: only of a data set that is made here, such as scenes
- ``manifest.json``: source, options, counts (Table 2), checksums, provenance; written last

A directory without manifest.json is unfinished. Nothing here needs fairseq or torch.
"""

import functools
import hashlib
import itertools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vqapg.data.manifest import (
    FORMAT_VERSION,
    read_manifest,
    tokenizer_version,
)
from vqapg.datasets.reader import SPLITS
from vqapg.errors import InputError
from vqapg.files import LARGEST_TEXT, check_readable_file, sha256
from vqapg.strict_json import parse_json

__all__ = [
    "FIELDS",
    "FORMAT_VERSION",
    "SPLITS",
    "TEXT_FILES",
    "WRONG_ANSWERS",
    "DataDirectory",
    "Pair",
    "images_digest",
    "read_manifest",
    "tokenizer_version",
]

FIELDS: tuple[str, ...] = ("image", "question", "answer")
TEXT_FILES = tuple(f"{split}.{field}" for split in SPLITS for field in FIELDS)
WRONG_ANSWERS = tuple(f"{split}.wrong_answers" for split in SPLITS)


class Pair(NamedTuple):
    """One question-answer pair; question and answer are tokens joined by single spaces."""

    image: str
    question: str
    answer: str


class DataDirectory:
    """A finished data directory, open for reading.

    Raises:
        InputError: if *path* is none, a file of it is missing or was cut, or a split is empty
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        manifest = read_manifest(self.path)
        if manifest is None:
            where = "" if self.path.is_absolute() or self.path.exists() else f" under {Path.cwd()}"
            raise InputError(
                f"{path}: not a finished data directory (no manifest.json in it{where}); make it "
                f"with: vqapg prepare --dataset NAME --dest {path}"
            )
        self.manifest: dict[str, Any] = manifest
        for key in ("dataset", "image_root"):
            if key not in manifest:
                raise InputError(
                    f"{self.path}/manifest.json: has no {key}; "
                    "make it anew with vqapg prepare --overwrite"
                )
        if not self.dictionary_path.is_file():
            raise InputError(f"{self.dictionary_path}: missing; {self._cure}")
        for split in SPLITS:
            fields = FIELDS
            if self._has_wrong_answers(split):
                fields = (*FIELDS, "wrong_answers")
            lines = {field: self._count_lines(f"{split}.{field}") for field in fields}
            if len(set(lines.values())) > 1:
                counts = ", ".join(f"{split}.{field} has {count}" for field, count in lines.items())
                raise InputError(f"{self.path}: numbers of lines differ: {counts}; {self._cure}")
            if lines["image"] == 0:
                raise InputError(
                    f"{self.path / f'{split}.image'}: the {split} split is empty; {self._cure}"
                )

    @property
    def _cure(self) -> str:
        return (
            f"make it anew: vqapg prepare --dataset {self.manifest['dataset']} --dest "
            f"{self.path} --overwrite"
        )

    @property
    def image_root(self) -> Path:
        root = Path(self.manifest["image_root"])
        # Images that were made here lie in the data directory, and move with it.
        return root if root.is_absolute() else self.path.resolve() / root

    @property
    def dictionary_path(self) -> Path:
        return self.path / "dict.txt"

    @property
    def features_path(self) -> Path:
        return self.path / "features.h5"

    def pairs(self, split: str) -> list[Pair]:
        """The pairs of *split*, in the order of the lines of its files.

        Raises:
            InputError: if there is no such split
        """
        if split not in SPLITS:
            raise InputError(
                f"{self.path}: has no split {split!r}; its splits are {', '.join(SPLITS)}"
            )
        columns = [self._read_lines(f"{split}.{field}") for field in FIELDS]
        for field, column in zip(FIELDS, columns, strict=True):
            if not all(column):
                line = next(number for number, text in enumerate(column, start=1) if not text)
                raise InputError(
                    f"{self.path / f'{split}.{field}'}:{line}: the line is empty; {self._cure}"
                )
        return list(map(Pair, *columns))

    def image_ids(self, split: str | None = None) -> list[str]:
        """The distinct images of *split* (of all splits, train first), in order of first
        appearance.
        """
        splits = SPLITS if split is None else (split,)
        return list(
            dict.fromkeys(
                itertools.chain.from_iterable(self._read_lines(f"{s}.image") for s in splits)
            )
        )

    def image_path(self, image_id: str) -> Path:
        # An absolute image_id replaces the root.
        return self.image_root / image_id

    def wrong_answers(self, split: str) -> dict[Pair, tuple[str, ...]]:
        """By pair the wrong answers that people wrote to its question, as space-joined tokens.

        It is empty where the data set has none. Two equal pairs of an image share theirs.

        Raises:
            InputError: if there is no such split, or the file is not what ``prepare`` wrote
        """
        pairs = self.pairs(split)
        if not self._has_wrong_answers(split):
            return {}
        name, found = f"{split}.wrong_answers", dict[Pair, tuple[str, ...]]()
        for number, (pair, line) in enumerate(zip(pairs, self._read_lines(name), strict=True), 1):
            where = f"{self.path / name}:{number}"
            answers = parse_json(line, where, self._cure)
            if not isinstance(answers, list) or not all(
                isinstance(answer, str) and answer.strip() for answer in answers
            ):
                raise InputError(f"{where}: is not a list of texts; {self._cure}")
            if answers:
                found[pair] = tuple(dict.fromkeys((*found.get(pair, ()), *answers)))
        return found

    def further_file(self, name: str) -> Path:
        """The file *name* that the data set's reader wrote, as it wrote it.

        Raises:
            InputError: if it is missing or was changed
        """
        path, expected = self.path / name, self.manifest.get("sha256", {}).get(name)
        if expected is None:
            raise InputError(f"{self.path}/manifest.json: names no {name}; {self._cure}")
        check_readable_file(path, self._cure, LARGEST_TEXT)
        if sha256(path) != expected:
            raise InputError(f"{path}: was changed since it was made; {self._cure}")
        return path

    @functools.cached_property
    def words(self) -> frozenset[str]:
        """The tokens of the dictionary; every other word is unknown to the models."""
        lines = self._read_lines(self.dictionary_path.name)
        return frozenset(line.rpartition(" ")[0] for line in lines)

    def images_digest(self) -> str:
        """See images_digest, below."""
        root = self.manifest["image_root"]
        return images_digest(root, {split: self.image_ids(split) for split in SPLITS})

    def _has_wrong_answers(self, split: str) -> bool:
        name = f"{split}.wrong_answers"
        # One that was lost is named, and not taken for a data set without them.
        return name in self.manifest.get("sha256", ()) or (self.path / name).exists()

    def _count_lines(self, name: str) -> int:
        count, last = 0, b"\n"
        try:
            self._check(name)
            with open(self.path / name, "rb") as file:
                while block := file.read(1 << 20):
                    count += block.count(b"\n")
                    last = block
        except FileNotFoundError as error:
            raise InputError(f"{self.path / name}: missing; {self._cure}") from error
        return count + (not last.endswith(b"\n"))

    def _check(self, name: str) -> None:
        if (self.path / name).exists():
            check_readable_file(self.path / name, self._cure, LARGEST_TEXT)

    def _read_lines(self, name: str) -> list[str]:
        self._check(name)
        try:
            text = (self.path / name).read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{self.path / name}: not valid UTF-8; {self._cure}") from error
        # Not splitlines(), which also breaks at characters that an image's name may hold.
        return text.removesuffix("\n").split("\n")


def images_digest(
    image_root: str | os.PathLike[str], image_ids: Mapping[str, Iterable[str]]
) -> str:
    """Identifies the images of a data directory, {split: ids}, and which of them are for training.

    Features with another digest are of other images, or were standardised by others.
    """
    digest = hashlib.sha256(str(image_root).encode())
    for split in SPLITS:
        digest.update("\n".join(["", split, *image_ids[split]]).encode())
    return digest.hexdigest()
