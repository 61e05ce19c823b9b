"""``manifest.json`` of a data directory: source, options, counts, checksums, provenance."""

import os
from pathlib import Path
from typing import Any

from vqapg.datasets.reader import SPLITS
from vqapg.errors import InputError
from vqapg.files import check_readable_file
from vqapg.provenance import KEY
from vqapg.strict_json import read_json

FORMAT_VERSION = 1
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
LARGEST_MANIFEST = 16 << 20  # bytes


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The manifest of the data directory *path*; None where no finished directory stands.

    Raises:
        InputError: if there is a manifest that cannot be read or is of another format
    """
    manifest_path = Path(path) / "manifest.json"
    cure = "give another directory, or move this one away and make it anew with vqapg prepare"
    try:
        if manifest_path.exists():
            check_readable_file(manifest_path, cure, LARGEST_MANIFEST)
        manifest: dict[str, Any] = read_json(manifest_path, cure)
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


def _are_counts(counts: object) -> bool:
    """Whether *counts* is {split: {"images": n, "pairs": n}}; None is good too."""
    return counts is None or (
        isinstance(counts, dict)
        and all(isinstance(counts.get(split), dict) for split in SPLITS)
        and all(
            type(counts[split].get(what)) is int for split in SPLITS for what in ("images", "pairs")
        )
    )


def tokenizer_version(manifest: dict[str, Any]) -> int:
    """Which version of the tokenizer made the texts of a data directory."""
    # Before version 0.2 it stood among the versions of packages.
    version: int = manifest.get("tokenizer", manifest.get("versions", {}).get("tokenizer", 1))
    return version
