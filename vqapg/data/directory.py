"""The data directory: what ``vqapg prepare`` writes and everything else reads.

- ``dict.txt``: fairseq's dictionary, the separator, then every token of the train split
- ``{train,valid,test}.{image,question,answer}``: tokenised text, one pair a line; pairs of an image
  stand together
- ``features.h5``: written later, by ``vqapg extract-features``
- ``glove.300d.txt``: where ``vqapg glove`` was run, GloVe's vectors of the dictionary's words
- ``manifest.json``: source, options, counts (Table 2), checksums, provenance; written last

A directory without manifest.json is unfinished. Nothing here needs fairseq or torch.
"""

import collections
import functools
import hashlib
import itertools
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from vqapg.data.tokenizer import TOKENIZER_VERSION, is_written_without_spaces, tokenize
from vqapg.datasets.reader import SPLITS, Counts, SourceData, Value, complete_source
from vqapg.errors import InputError
from vqapg.files import LARGEST_TEXT, atomic_write, check_readable_file, sha256
from vqapg.folders import MARK, files_in, new_folder
from vqapg.provenance import KEY, provenance
from vqapg.strict_json import read_json
from vqapg.targets import FOREIGN, our_features, our_json, our_vectors
from vqapg.tokens import SEPARATOR

FORMAT_VERSION = 1
FIELDS = ("image", "question", "answer")
# What the entries of a manifest are.
MANIFEST_FORM = {
    "dataset": str,
    "source": str,
    "image_root": str,
    "source_sha256": dict,
    "options": dict,
    "counts": dict,
    "paper_table_2": dict,
    "distinct_tokens": int,
    "sha256": dict,
    "tokenizer": int,
    "versions": dict,
    KEY: dict,
}
# What extract-features writes, and what killed runs leave.
FEATURES_FILE = re.compile(r"features(\.\d+-of-\d+)?\.h5|\.features(\.\d+-of-\d+)?\.h5\.partial")
VECTORS_FILE = re.compile(r"glove\.\d+d\.txt")
NOTES = re.compile(r"\.features(\.\d+-of-\d+)?\.h5\.(journal|lock)|\..+\.vqapg-.+-\d+")
LARGEST_MANIFEST = 16 << 20  # bytes
TEXT_FILES = tuple(f"{split}.{field}" for split in SPLITS for field in FIELDS)


class Pair(NamedTuple):
    """One question-answer pair; question and answer are tokens joined by single spaces."""

    image: str
    question: str
    answer: str


class DataDirectory:
    """A finished data directory, open for reading.

    Raises InputError when *path* is none, when a file of it is missing or was cut, or when a split
    is empty.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.manifest = read_manifest(self.path)
        if self.manifest is None:
            where = "" if self.path.is_absolute() or self.path.exists() else f" under {Path.cwd()}"
            raise InputError(
                f"{path}: not a finished data directory (no manifest.json in it{where}); make it "
                f"with: vqapg prepare --dataset NAME --dest {path}"
            )
        for key in ("dataset", "image_root"):
            if key not in self.manifest:
                raise InputError(
                    f"{self.path}/manifest.json: has no {key}; "
                    "make it anew with vqapg prepare --overwrite"
                )
        if not self.dictionary_path.is_file():
            raise InputError(f"{self.dictionary_path}: missing; {self._cure}")
        for split in SPLITS:
            lines = {field: self._count_lines(f"{split}.{field}") for field in FIELDS}
            if len(set(lines.values())) > 1:
                counts = ", ".join(f"{split}.{field} has {count}" for field, count in lines.items())
                raise InputError(f"{self.path}: numbers of lines differ: {counts}; {self._cure}")
            if lines["image"] == 0:
                raise InputError(
                    f"{self.path / f'{split}.image'}: the {split} split is empty; {self._cure}"
                )

    @property
    def _cure(self):
        return (
            f"make it anew: vqapg prepare --dataset {self.manifest['dataset']} --dest "
            f"{self.path} --overwrite"
        )

    @property
    def image_root(self) -> Path:
        return Path(self.manifest["image_root"])

    @property
    def dictionary_path(self):
        return self.path / "dict.txt"

    @property
    def features_path(self):
        return self.path / "features.h5"

    def pairs(self, split: str) -> list[Pair]:
        """The pairs of *split*, in the order of the lines of its files. Raises InputError on an
        unknown split.
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

    def images_digest(self):
        """See images_digest, below."""
        return images_digest(self.image_root, {split: self.image_ids(split) for split in SPLITS})

    def _count_lines(self, name):
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

    def _check(self, name):
        if (self.path / name).exists():
            check_readable_file(self.path / name, self._cure, LARGEST_TEXT)

    def _read_lines(self, name):
        self._check(name)
        try:
            text = (self.path / name).read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{self.path / name}: not valid UTF-8; {self._cure}") from error
        # Not splitlines(), which also breaks at characters that an image's name may hold.
        return text.removesuffix("\n").split("\n")


def images_digest(image_root, image_ids):
    """Identifies the images of a data directory, {split: ids}, and which of them are for training.

    Features with another digest are of other images, or were standardised by others.
    """
    digest = hashlib.sha256(str(image_root).encode())
    for split in SPLITS:
        digest.update("\n".join(["", split, *image_ids[split]]).encode())
    return digest.hexdigest()


def read_manifest(path):
    """The manifest of the data directory *path*; None where no finished directory stands.

    Raises InputError when there is a manifest that cannot be read or is of another format.
    """
    manifest_path = Path(path) / "manifest.json"
    cure = "give another directory, or move this one away and make it anew with vqapg prepare"
    try:
        if manifest_path.exists():
            check_readable_file(manifest_path, cure, LARGEST_MANIFEST)
        manifest = read_json(manifest_path, cure)
        version = manifest["format"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{manifest_path}: not the manifest of a data directory; {cure}"
        ) from error
    if version != FORMAT_VERSION:
        raise InputError(
            f"{manifest_path}: format {version}, but this vqapg reads format {FORMAT_VERSION}; "
            f"{cure}"
        )
    wrong = [
        key
        for key, form in MANIFEST_FORM.items()
        if not isinstance(manifest.get(key, form()), form)
    ]
    wrong += [key for key in ("counts", "paper_table_2") if not _are_counts(manifest.get(key))]
    if wrong:
        raise InputError(f"{manifest_path}: its {wrong[0]} is not of the expected form; {cure}")
    return manifest


def _are_counts(counts):
    """Whether *counts* is {split: {"images": n, "pairs": n}}; None is good too."""
    return counts is None or (
        isinstance(counts, dict)
        and all(isinstance(counts.get(split), dict) for split in SPLITS)
        and all(
            type(counts[split].get(what)) is int for split in SPLITS for what in ("images", "pairs")
        )
    )


def tokenizer_version(manifest: dict) -> int:
    """Which version of the tokenizer made the texts of a data directory."""
    # Before version 0.2 it stood among the versions of packages.
    return manifest.get("tokenizer", manifest.get("versions", {}).get("tokenizer", 1))


def our_directory(path: Path) -> str | None:
    """Recognises a data directory with our manifest that holds nothing but what vqapg writes."""
    if not path.is_dir() or our_json(path / "manifest.json"):
        return FOREIGN
    for name in files_in(path):
        if FEATURES_FILE.fullmatch(name):
            foreign = our_features(path / name)
        elif VECTORS_FILE.fullmatch(name):
            foreign = our_vectors(path / name)
        else:
            foreign = name not in (
                "dict.txt",
                "manifest.json",
                MARK,
                *TEXT_FILES,
            ) and not NOTES.fullmatch(name)
        if foreign:
            return f"holds {name}, which vqapg did not write"
    return None


def write_directory(
    path: str | Path,
    source_data: SourceData,
    *,
    dataset: str,
    options: Mapping[str, Value],
    paper_table2: Counts | None = None,
    empty_split_cure: Callable[[str], str] = complete_source,
    overwrite: bool = False,
    keep: Callable[[Path], None] = lambda folder: None,
) -> dict:
    """Tokenise the records of *source_data* and write them as the data directory *path*.

    The directory appears when it is whole.

    Args:
        dataset: the data set's name, for the manifest
        options: what it was read with, for the manifest
        paper_table2: the paper's counts, for the manifest
        empty_split_cure: what a user can do when that split has no pair
        overwrite: replace a data directory that vqapg made
        keep: is called with the folder that will take its place, and may put into it what is kept

    Returns:
        the manifest

    Raises:
        InputError: if a question or an answer has no token, a split has no pair, or *path* may not
            be replaced, see :mod:`vqapg.targets`
    """
    path = Path(path)
    columns, counts = _tokenise(source_data)
    for split in SPLITS:
        if not columns[split, "image"]:
            raise InputError(
                f"{source_data.source}: the {split} split is empty; {empty_split_cure(split)}"
            )

    with new_folder(path, our_directory, overwrite=overwrite, keep_mark=False) as folder:
        manifest = _write_files(
            folder, source_data, columns, counts, dataset, options, paper_table2
        )
        keep(folder)
    return manifest


def _write_files(path, source_data, columns, counts, dataset, options, paper_table2):
    for split, field in itertools.product(SPLITS, FIELDS):
        with atomic_write(path / f"{split}.{field}") as file:
            file.writelines(f"{text}\n" for text in columns[split, field])
    train_pairs = len(columns["train", "image"])
    with atomic_write(path / "dict.txt") as file:
        file.write(f"{SEPARATOR} {train_pairs}\n")
        for token, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            file.write(f"{token} {count}\n")

    manifest = {
        "format": FORMAT_VERSION,
        "dataset": dataset,
        "source": str(source_data.source),
        "source_sha256": {str(file): sha256(file) for file in source_data.files},
        "image_root": str(source_data.image_root),
        "options": options,
        "counts": {
            split: {
                "images": len(set(columns[split, "image"])),
                "pairs": len(columns[split, "image"]),
            }
            for split in SPLITS
        },
        **({} if paper_table2 is None else {"paper_table_2": paper_table2}),
        "distinct_tokens": len(counts),
        "sha256": {name: sha256(path / name) for name in ("dict.txt", *TEXT_FILES)},
        "tokenizer": TOKENIZER_VERSION,
        KEY: provenance(),
    }
    with atomic_write(path / "manifest.json") as file:
        json.dump(manifest, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")
    return manifest


def _tokenise(source_data):
    """The lines of every file, {(split, field): [line, ...]}, and the counts of
    the train tokens.
    """
    columns = {key: [] for key in itertools.product(SPLITS, FIELDS)}
    counts = collections.Counter()
    unspaced = 0
    # Most answers, and many questions, are asked of many images.
    tokens_of = functools.lru_cache(maxsize=100_000)(tokenize)
    for record in tqdm(
        source_data.records, desc="tokenising", unit="pair", delay=2, leave=False, disable=None
    ):
        columns[record.split, "image"].append(record.image)
        unspaced += is_written_without_spaces(record.question + record.answer)
        for field, text in (("question", record.question), ("answer", record.answer)):
            tokens = tokens_of(text)
            if not tokens:
                raise InputError(
                    f"{source_data.source}: the {field} of a pair of {record.image} has no token "
                    f"in it ({text!r}); "
                    f"correct or delete that pair"
                )
            columns[record.split, field].append(" ".join(tokens))
            if record.split == "train":
                counts.update(tokens)
    if unspaced:
        print(
            f"warning: {source_data.source}: {unspaced:,} of {len(source_data.records):,} pairs "
            "are in a script without spaces between words. The tokenizer is for English and makes "
            "one token of such a sentence; put spaces between its words",
            file=sys.stderr,
        )
    return columns, counts
