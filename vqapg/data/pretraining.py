"""A data directory whose train split is generated pairs, to pre-train on (section 6.6)."""

import json
import os
import shutil
from pathlib import Path

from vqapg.data.directory import (
    FIELDS,
    FORMAT_VERSION,
    SPLITS,
    TEXT_FILES,
    our_directory,
    read_manifest,
)
from vqapg.data.feature_store import FeatureStore
from vqapg.errors import InputError
from vqapg.files import atomic_write, sha256
from vqapg.folders import new_folder
from vqapg.provenance import KEY, provenance
from vqapg.targets import real_path


def write_pretraining_directory(data, pairs_file, pairs, path, *, overwrite=False):
    """Write the data directory *path*: *pairs* for training, everything else as in *data*.

    The dictionary is that of *data*, since what is pre-trained goes on with its pairs; the features
    are linked, not copied.

    Args:
        data: :class:`~vqapg.data.directory.DataDirectory` with features
        pairs_file: where *pairs* were read from, noted in the manifest
        pairs: generated for images of its train split: anything with ``image``, ``question`` and
            ``answer``, tokens joined by spaces
        path: a folder that is not there yet, or was made of the same
        overwrite: replace a data directory that vqapg made

    Raises:
        InputError: if there are no pairs, *data* has no features, or *path* holds something else
    """
    path = real_path(Path(path))
    if path.exists() and path.samefile(data.path):
        raise InputError(f"{path}: is the data directory that is read; give another --dest")
    if not pairs:
        raise InputError(
            f"{pairs_file}: all its hypotheses are malformed; train the model for longer"
        )
    store = FeatureStore(data.features_path)
    generated = {
        "pairs_file": str(pairs_file),
        "pairs_sha256": sha256(pairs_file),
        "data": str(data.path.resolve()),
        "data_manifest_sha256": sha256(data.path / "manifest.json"),
    }
    if not overwrite:
        standing = read_manifest(path)
        if standing is not None and standing.get("generated") == generated:
            return standing
    with new_folder(path, our_directory, overwrite=overwrite, keep_mark=False) as folder:
        return _write_files(folder, data, store, pairs, generated)


def _write_files(path, data, store, pairs, generated):
    for field in FIELDS:
        with atomic_write(path / f"train.{field}") as file:
            file.writelines(f"{getattr(pair, field)}\n" for pair in pairs)
    for name in ("dict.txt", *(name for name in TEXT_FILES if not name.startswith("train."))):
        with atomic_write(path / name, "wb") as file, open(data.path / name, "rb") as original:
            shutil.copyfileobj(original, file)
    # Shards that it may have been joined of are found beside the file that the link leads to.
    os.symlink(store.path.resolve(), path / store.path.name)
    counts = {"train": {"images": len({pair.image for pair in pairs}), "pairs": len(pairs)}}
    manifest = data.manifest | {
        "format": FORMAT_VERSION,
        "generated": generated,
        "counts": counts
        | {split: data.manifest["counts"][split] for split in SPLITS if split != "train"},
        "sha256": {name: sha256(path / name) for name in ("dict.txt", *TEXT_FILES)},
        KEY: provenance(inputs={"pairs": generated["pairs_file"], "data": data.path}),
    }
    with atomic_write(path / "manifest.json") as file:
        json.dump(manifest, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")
    return manifest
