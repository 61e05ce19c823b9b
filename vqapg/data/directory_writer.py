"""Writing a data directory, whole or not at all. :mod:`vqapg.data.directory` says what is in it."""

import collections
import contextlib
import functools
import itertools
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vqapg.data.directory import FIELDS, TEXT_FILES, WRONG_ANSWERS
from vqapg.data.manifest import FORMAT_VERSION
from vqapg.data.tokenizer import TOKENIZER_VERSION, is_written_without_spaces, tokenize
from vqapg.datasets.reader import SPLITS, Counts, Record, SourceData, Value, complete_source
from vqapg.errors import InputError
from vqapg.files import atomic_write, sha256
from vqapg.folders import MARK, files_in, new_folder
from vqapg.provenance import KEY, provenance
from vqapg.targets import FOREIGN, our_features, our_json, our_vectors
from vqapg.tokens import SEPARATOR

# What extract-features writes, and what killed runs leave.
FEATURES_FILE = re.compile(r"features(\.\d+-of-\d+)?\.h5|\.features(\.\d+-of-\d+)?\.h5\.partial")
VECTORS_FILE = re.compile(r"glove\.\d+d\.txt")
# What check-evaluator says of a judge that has no checkpoint to stand beside.
VERDICT_FILE = re.compile(r"judge-[0-9a-f]{12}\.verdict\.json")
NOTES = re.compile(r"\.features(\.\d+-of-\d+)?\.h5\.(journal|lock)|\..+\.vqapg-.+-\d+")
# {(split, field): [line, ...]}
Columns = dict[tuple[str, str], list[str]]


def our_directory(path: Path) -> str | None:
    """Recognises a data directory with our manifest that holds nothing but what vqapg writes."""
    if not path.is_dir() or our_json(path / "manifest.json"):
        return FOREIGN
    known = {*TEXT_FILES, *WRONG_ANSWERS, "dict.txt", "manifest.json", MARK, *_made_here(path)}
    for name in files_in(path):
        if FEATURES_FILE.fullmatch(name):
            foreign = our_features(path / name)
        elif VECTORS_FILE.fullmatch(name):
            foreign = our_vectors(path / name)
        elif VERDICT_FILE.fullmatch(name):
            foreign = our_json(path / name)
        elif name in known:
            foreign = None
        else:
            foreign = None if NOTES.fullmatch(name) else FOREIGN
        if foreign:
            return f"holds {name}, which vqapg did not write"
    return None


def _made_here(path: Path) -> frozenset[str]:
    """The files that a reader wrote into the data directory *path*: its images, and others."""
    manifest = json.loads((path / "manifest.json").read_bytes())
    root, names = manifest.get("image_root"), manifest.get("sha256")
    found = {str(name) for name in names} if isinstance(names, dict) else set()
    if isinstance(root, str) and not Path(root).is_absolute():
        for split in SPLITS:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                lines = (path / f"{split}.image").read_text(encoding="utf-8").splitlines()
                found |= {f"{root}/{line}" for line in lines}
    return frozenset(found)


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
) -> dict[str, Any]:
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


def _write_files(
    path: Path,
    source_data: SourceData,
    columns: Columns,
    counts: collections.Counter[str],
    dataset: str,
    options: Mapping[str, Value],
    paper_table2: Counts | None,
) -> dict[str, Any]:
    for (split, field), lines in columns.items():
        with atomic_write(path / f"{split}.{field}") as file:
            file.writelines(f"{line}\n" for line in lines)
    train_pairs = len(columns["train", "image"])
    with atomic_write(path / "dict.txt") as file:
        file.write(f"{SEPARATOR} {train_pairs}\n")
        for token, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            file.write(f"{token} {count}\n")

    further = source_data.write(path) if source_data.write is not None else []

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
        "sha256": {
            name: sha256(path / name)
            for name in (
                "dict.txt",
                *(f"{split}.{field}" for split, field in columns),
                *further,
            )
        },
        "tokenizer": TOKENIZER_VERSION,
        KEY: provenance(),
    }
    with atomic_write(path / "manifest.json") as file:
        json.dump(manifest, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")
    return manifest


def _tokenise(source_data: SourceData) -> tuple[Columns, collections.Counter[str]]:
    """The lines of every file, and the counts of the train tokens.

    Words that stand in wrong answers alone are not counted: the dictionary is that of the pairs.
    """
    fields = FIELDS
    if any(record.wrong_answers for record in source_data.records):
        fields = (*FIELDS, "wrong_answers")
    columns: Columns = {key: [] for key in itertools.product(SPLITS, fields)}
    counts: collections.Counter[str] = collections.Counter()
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
        if "wrong_answers" in fields:
            wrong = _wrong_answers(record, tokens_of)
            line = json.dumps(wrong, ensure_ascii=False, allow_nan=False)
            columns[record.split, "wrong_answers"].append(line)
    if unspaced:
        print(
            f"warning: {source_data.source}: {unspaced:,} of {len(source_data.records):,} pairs "
            "are in a script without spaces between words. The tokenizer is for English and makes "
            "one token of such a sentence; put spaces between its words",
            file=sys.stderr,
        )
    return columns, counts


def _wrong_answers(record: Record, tokens_of: Callable[[str], list[str]]) -> list[str]:
    """The wrong answers of *record* in tokens.

    Left out is what is none once it is tokenised: an empty one, a repeat, and the right answer.
    """
    texts = (" ".join(tokens_of(answer)) for answer in record.wrong_answers)
    right = " ".join(tokens_of(record.answer))
    return [text for text in dict.fromkeys(texts) if text and text != right]
