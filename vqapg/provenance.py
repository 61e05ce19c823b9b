"""Where a result comes from: one block, in one form, in every JSON file that vqapg writes.

Every file has it under the key ``"provenance"``. vqapg knows its own JSON files by that key, see
:mod:`vqapg.targets`.
"""

import functools
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vqapg.files import sha256
from vqapg.version import __version__

KEY = "provenance"
# What the name of a backbone begins with where features were made by somebody else's network.
IMPORTED = "imported:"
# The packages that a figure can depend on, by the names that pip knows.
PACKAGES = (
    "ve-fairseq",
    "torch",
    "torchvision",
    "numpy",
    "nltk",
    "h5py",
    "pillow",
    "pycocoevalcap",
    "transformers",
)


def provenance(
    *,
    seed: int | None = None,
    preset: str | None = None,
    inputs: Mapping[str, str | os.PathLike[str]] | None = None,
) -> dict[str, Any]:
    """What is needed to make a result again.

    Args:
        seed: of everything that was drawn; None where nothing was
        preset: the preset that the settings came from
        inputs: the files that were read, by what they are. A data directory stands for its
            ``manifest.json``, which has the checksums of the other files.

    Returns:
        ``{"vqapg", "commit", "command", "seed", "preset", "python", "packages", "inputs"}``. The
        commit is None where vqapg does not run from its git repository. It ends in ``-dirty`` where
        files differ from it. A package that is not installed has the version None.
    """
    return {
        "vqapg": __version__,
        "commit": commit(),
        "command": _readable(shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])),
        "seed": seed,
        "preset": preset,
        "python": platform.python_version(),
        "packages": package_versions(),
        "inputs": {name: _input(Path(path)) for name, path in (inputs or {}).items()},
    }


def is_provenance(block: object) -> bool:
    """Whether *block* is what :func:`provenance` gives, of whatever version of vqapg."""
    return isinstance(block, dict) and isinstance(block.get("vqapg"), str)


@functools.cache
def commit() -> str | None:
    """The git commit that the running code is of; None outside its repository, or without git."""
    root = Path(__file__).resolve().parent.parent
    # An installed copy may lie in a folder of somebody else's repository.
    if not (root / ".git").exists():
        return None
    describe = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        found = subprocess.run(
            [*describe, "--exclude=*"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None


@functools.cache
def _package_versions() -> tuple[tuple[str, str | None], ...]:
    return tuple((name, _version(name)) for name in PACKAGES)


def package_versions() -> dict[str, str | None]:
    """The versions of :data:`PACKAGES` by name."""
    return dict(_package_versions())


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _input(path: Path) -> dict[str, str]:
    content = path / "manifest.json" if path.is_dir() else path
    return {"path": _readable(str(path)), "sha256": sha256(content)}


def _readable(text: str) -> str:
    # A file name may hold bytes that are no UTF-8, which no JSON file can hold.
    return os.fsencode(text).decode("utf-8", "backslashreplace")
