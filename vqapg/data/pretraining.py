"""A data directory whose train split is generated pairs, to pre-train on (section 6.6).

The paper pre-trains on five generated pairs for each training pair: five passes with seeds of their
own. Or the train split is the gold pairs several times over, for the control of Table 8: as many
updates as in pre-training, without a generated pair.
"""

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Protocol, TypeVar

from vqapg.data.directory import (
    FIELDS,
    FORMAT_VERSION,
    TEXT_FILES,
    DataDirectory,
    Pair,
    read_manifest,
)
from vqapg.data.directory_writer import our_directory
from vqapg.data.feature_store import FeatureStore
from vqapg.datasets.reader import SPLITS
from vqapg.errors import InputError
from vqapg.files import LARGEST_TEXT, atomic_write, check_readable_file, sha256
from vqapg.folders import new_folder
from vqapg.provenance import KEY, provenance
from vqapg.targets import real_path


class TextPair(Protocol):
    """A pair of texts, tokens joined by spaces, such as a well-formed GeneratedPair."""

    @property
    def image(self) -> str: ...

    @property
    def question(self) -> str | None: ...

    @property
    def answer(self) -> str | None: ...


P = TypeVar("P", bound=TextPair)


def check_passes(files: Sequence[str], gold: int | None) -> dict[str, Any]:
    """What the train split is made of, for the manifest: generated files, or gold pairs.

    Args:
        files: one a pass of generation
        gold: how often each gold training pair is there; None where *files* are given

    Returns:
        ``{"files": [{"path", "sha256"}, ...], "gold_copies": gold}``

    Raises:
        InputError: unless exactly one of both is given, and each of the files is another pass
    """
    if bool(files) == (gold is not None):
        said = "both are given" if files else "neither is given"
        raise InputError(f"GENERATED and --gold: {said}; give generated files, or --gold N")
    if gold is not None and gold < 1:
        raise InputError(f"--gold {gold}: must be 1 or more; give how often each gold pair comes")
    passes: dict[str, str] = {}
    for name in files:
        path = check_readable_file(name, "give a generate-train.txt", LARGEST_TEXT)
        digest = sha256(path)
        if digest in passes:
            same = "is given twice" if passes[digest] == name else f"is equal to {passes[digest]}"
            raise InputError(f"{name}: {same}; give passes with seeds of their own")
        passes[digest] = name
    return {
        "files": [{"path": name, "sha256": digest} for digest, name in passes.items()],
        "gold_copies": gold,
    }


def replace_malformed(pairs: Sequence[P]) -> list[P]:
    """*pairs*, each malformed one replaced by a well-formed one of its image, in turn.

    Models that make more malformed pairs than others would have fewer updates, and less than the
    control. An image without a well-formed pair gets those of all images, in turn.

    Returns:
        as many well-formed pairs; none where all are malformed
    """
    formed = [pair for pair in pairs if pair.question is not None]
    if not formed:
        return []
    by_image: dict[str, list[P]] = defaultdict(list)
    for pair in formed:
        by_image[pair.image].append(pair)
    of_any, of_image = cycle(formed), {image: cycle(its) for image, its in by_image.items()}
    return [
        next(of_image.get(pair.image, of_any)) if pair.question is None else pair for pair in pairs
    ]


def gold_copies(data: DataDirectory, count: int) -> list[Pair]:
    """The training pairs of *data*, *count* times over."""
    return data.pairs("train") * count


def write_pretraining_directory(
    data: DataDirectory,
    passes: dict[str, Any],
    pairs: Sequence[TextPair],
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write the data directory *path*: *pairs* for training, everything else as in *data*.

    The dictionary is that of *data*, since what is pre-trained goes on with its pairs; the features
    are linked, not copied.

    Args:
        data: has features
        passes: what *pairs* were made of, as :func:`check_passes` gives it
        pairs: for images of its train split
        path: a folder that is not there yet, or was made of the same
        overwrite: replace a data directory that vqapg made

    Returns:
        the manifest

    Raises:
        InputError: if there are no pairs, *data* has no features, or *path* holds something else
    """
    path = real_path(Path(path))
    if path.exists() and path.samefile(data.path):
        raise InputError(f"{path}: is the data directory that is read; give another --dest")
    if not pairs:
        names = ", ".join(file["path"] for file in passes["files"])
        raise InputError(f"{names}: all hypotheses are malformed; train the model for longer")
    store = FeatureStore(data.features_path)
    generated = passes | {
        "data": str(data.path.resolve()),
        "data_manifest_sha256": sha256(data.path / "manifest.json"),
    }
    if not overwrite:
        standing: dict[str, Any] | None = read_manifest(path)
        if standing is not None and standing.get("generated") == generated:
            return standing
    with new_folder(path, our_directory, overwrite=overwrite, keep_mark=False) as folder:
        return _write_files(folder, data, store, pairs, generated)


def _write_files(
    path: Path,
    data: DataDirectory,
    store: FeatureStore,
    pairs: Sequence[TextPair],
    generated: dict[str, Any],
) -> dict[str, Any]:
    for field in FIELDS:
        with atomic_write(path / f"train.{field}") as file:
            file.writelines(f"{getattr(pair, field)}\n" for pair in pairs)
    for name in ("dict.txt", *(name for name in TEXT_FILES if not name.startswith("train."))):
        with atomic_write(path / name, "wb") as file, open(data.path / name, "rb") as original:
            shutil.copyfileobj(original, file)
    # Shards that it may have been joined of are found beside the file that the link leads to.
    os.symlink(store.path.resolve(), path / store.path.name)
    counts = {"train": {"images": len({pair.image for pair in pairs}), "pairs": len(pairs)}}
    inputs = {
        f"pairs {number}": file["path"] for number, file in enumerate(generated["files"], start=1)
    }
    manifest: dict[str, Any] = data.manifest | {
        "format": FORMAT_VERSION,
        "generated": generated,
        "counts": counts
        | {split: data.manifest["counts"][split] for split in SPLITS if split != "train"},
        "sha256": {name: sha256(path / name) for name in ("dict.txt", *TEXT_FILES)},
        KEY: provenance(inputs=inputs | {"data": data.path}),
    }
    with atomic_write(path / "manifest.json") as file:
        json.dump(manifest, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")
    return manifest
