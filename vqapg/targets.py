"""The one rule for everything that a command writes: nothing is deleted or replaced that vqapg did
not make.

A target that exists is refused unless ``--overwrite`` is given. ``--overwrite`` replaces only what
carries our mark, which is looked for in the content: the block "provenance" in a JSON file, the
exact keys of our records in JSON lines and CSV, the generator of a page, our attributes in a
features file, the first line of word vectors, the list of its files in a folder. An empty file or
folder counts as nothing. Of a link, what it leads to is looked at.

A recogniser is a function of a path. It returns None for what is ours, else a few words that say
what is not.
"""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from vqapg.errors import ExistsError, InputError
from vqapg.files import atomic_write
from vqapg.provenance import KEY, is_provenance, provenance
from vqapg.strict_json import decode, parse_json

Recogniser = Callable[[Path], str | None]

FOREIGN = "was not written by vqapg"
CURE = "move or delete it yourself, or give another name"
# No JSON file of ours is larger; a larger one is not read to find that out.
LARGEST_JSON = 1 << 30
HEAD = 65536  # bytes
HDF5 = b"\x89HDF\r\n\x1a\n"
FEATURES_ATTRIBUTES = (b"images_digest", b"weights_sha256")
# The first word of the first line, where a word2vec file has a count.
VECTORS_MARK = b"vqapg-word-vectors"


def check_target(
    path: Path, recognise: Recogniser, *, overwrite: bool, option: str | None = None
) -> None:
    """Raises InputError unless the file or folder *path* may be written; ExistsError where
    ``--overwrite`` would do.

    Args:
        path: what is to be written
        recognise: tells what is ours of that format
        overwrite: whether ``--overwrite`` was given
        option: the option that names *path*, for the message
    """
    named = f"{option} {path}" if option else str(path)
    if is_free(path):
        return
    if foreign := recognise(path):
        raise InputError(f"{named}: {foreign}, and only what vqapg wrote is replaced; {CURE}")
    if not overwrite:
        raise ExistsError(
            f"{named}: is there already; give another name, or --overwrite to replace it"
        )


def real_path(path: Path) -> Path:
    """Where the link *path* leads, so that what is written goes there and the link stays; *path*
    where it is none.

    Raises:
        InputError: if it is a link to itself
    """
    if not path.is_symlink():
        return path
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path}: is a link to itself; give another name") from error


def is_free(path: Path) -> bool:
    """Whether nothing would be lost: there is no such file or folder, or an empty one."""
    if path.is_dir():
        return not any(path.iterdir())
    return not path.exists() or (path.is_file() and path.stat().st_size == 0)


def write_json(
    path: Path, content: dict[str, Any], *, overwrite: bool = False, indent: int | None = 2
) -> None:
    """Write the JSON file *path* by the rule above; whole, or not at all.

    Args:
        path: of the file
        content: has its :func:`~vqapg.provenance.provenance` under ``"provenance"``; otherwise one
            without seed and inputs is added, for it is our mark
        overwrite: whether ``--overwrite`` was given
        indent: of the lines; None: all in one

    Raises:
        InputError: if *path* exists and may not be replaced, or cannot be written to
        RunError: if the disk is full
    """
    # Hours may have passed since the command looked at it.
    check_target(path, our_json, overwrite=overwrite)
    content = content if KEY in content else content | {KEY: provenance()}
    with atomic_write(path) as file:
        json.dump(content, file, indent=indent, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def write_json_lines(
    path: Path, records: Iterable[dict[str, Any]], recognise: Recogniser, *, overwrite: bool = False
) -> None:
    """Write the JSON lines *path* by the rule above; whole, or not at all.

    Args:
        path: of the file
        records: one a line
        recognise: tells what is ours of that format
        overwrite: whether ``--overwrite`` was given

    Raises:
        InputError: if *path* exists and may not be replaced, or cannot be written to
        RunError: if the disk is full
    """
    check_target(path, recognise, overwrite=overwrite)
    with atomic_write(path) as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def our_json(path: Path) -> str | None:
    """An object that says which version of vqapg wrote it."""
    content = _json(path)
    if not isinstance(content, dict):
        return FOREIGN
    # Before version 0.2 there were no blocks of provenance, but these two keys.
    versions = content.get("versions")
    earlier = "vqapg_version" in content or (isinstance(versions, dict) and "vqapg" in versions)
    return None if earlier or is_provenance(content.get(KEY)) else FOREIGN


def our_features(path: Path) -> str | None:
    """A features file, whole or cut: HDF5 with our attributes, which stand at its beginning."""
    head = head_of(path)
    return (
        None
        if head.startswith(HDF5) and all(name in head for name in FEATURES_ATTRIBUTES)
        else FOREIGN
    )


def our_vectors(path: Path) -> str | None:
    """A file of word vectors that begins with our mark."""
    return None if head_of(path).startswith(VECTORS_MARK + b" ") else FOREIGN


def json_lines_of(records: Iterable[tuple[str, ...]]) -> Recogniser:
    """Recognises JSON lines whose first object has exactly the keys of one of *records*, in that
    order.
    """
    known = set(records)

    def our_json_lines(path: Path) -> str | None:
        first = _parsed(_first_line(path))
        return None if isinstance(first, dict) and tuple(first) in known else FOREIGN

    return our_json_lines


def json_lines_ending_in(keys: tuple[str, ...]) -> Recogniser:
    """Recognises JSON lines whose first object ends in these *keys*, whatever stands before."""

    def our_json_lines(path: Path) -> str | None:
        first = _parsed(_first_line(path))
        return None if isinstance(first, dict) and tuple(first)[-len(keys) :] == keys else FOREIGN

    return our_json_lines


def csv_of(headers: Iterable[tuple[str, ...]]) -> Recogniser:
    """Recognises CSV whose first line is one of *headers*."""
    known = {",".join(header).encode() for header in headers}

    def our_csv(path: Path) -> str | None:
        return None if _first_line(path).removeprefix(b"\xef\xbb\xbf").strip() in known else FOREIGN

    return our_csv


def head_of(path: Path) -> bytes:
    """How a file begins, for a recogniser; nothing where it cannot be read."""
    try:
        if not path.is_file():
            return b""
        with open(path, "rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def _first_line(path: Path) -> bytes:
    # A record may be long; a foreign file without line ends is not read as a whole.
    try:
        if not path.is_file():
            return b""
        with open(path, "rb") as file:
            return file.readline(16 * HEAD)
    except OSError:
        return b""


def _json(path: Path) -> object:
    try:
        if not path.is_file() or os.path.getsize(path) > LARGEST_JSON:
            return None
        return _parsed(path.read_bytes())
    except OSError:
        return None


def _parsed(content: bytes) -> object:
    """What strict JSON says; None where it is none."""
    try:
        return parse_json(decode(content, "", ""), "", "")
    except InputError:
        return None
