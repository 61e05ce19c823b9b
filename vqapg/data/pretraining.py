"""A data directory whose train split is generated pairs, to pre-train on (section 6.6)."""

import json
import os
import shutil
from pathlib import Path

import vqapg
from vqapg.data.directory import FIELDS, FORMAT_VERSION, SPLITS, TEXT_FILES, read_manifest
from vqapg.data.feature_store import FeatureStore
from vqapg.errors import InputError
from vqapg.files import atomic_write, sha256


def write_pretraining_directory(data, pairs_file, pairs, path):
    """Write the data directory *path*: *pairs* for training, everything else as in *data*.

    The dictionary is that of *data*, since what is pre-trained goes on with its pairs; the features are linked, not
    copied.

    Args:
        data: :class:`~vqapg.data.directory.DataDirectory` with features
        pairs_file: where *pairs* were read from, noted in the manifest
        pairs: generated for images of its train split: anything with ``image``, ``question`` and ``answer``, tokens
            joined by spaces
        path: a folder that is not there yet, or was made of the same

    Raises:
        InputError: if there are no pairs, *data* has no features, or *path* holds something else
    """
    path = Path(path)
    if not pairs:
        raise InputError(f"{pairs_file}: all its hypotheses are malformed; train the model for longer")
    store = FeatureStore(data.features_path)
    generated = {
        "pairs_file": str(pairs_file),
        "pairs_sha256": sha256(pairs_file),
        "data": str(data.path.resolve()),
        "data_manifest_sha256": sha256(data.path / "manifest.json"),
    }
    standing = read_manifest(path)
    if standing is not None:
        if standing.get("generated") == generated:
            return standing
        raise InputError(f"{path}: is another data directory; remove it, or give another --dest")

    path.mkdir(parents=True, exist_ok=True)
    for field in FIELDS:
        with atomic_write(path / f"train.{field}") as file:
            file.writelines(f"{getattr(pair, field)}\n" for pair in pairs)
    for name in ("dict.txt", *(name for name in TEXT_FILES if not name.startswith("train."))):
        with atomic_write(path / name, "wb") as file, open(data.path / name, "rb") as original:
            shutil.copyfileobj(original, file)
    # The file itself, and the shards it may have been joined of, which lie beside it.
    for file in {store.path, *(segment[0] for segment in store.segments)}:
        link = path / file.name
        link.unlink(missing_ok=True)
        os.symlink(file.resolve(), link)
    counts = {"train": {"images": len({pair.image for pair in pairs}), "pairs": len(pairs)}}
    manifest = data.manifest | {
        "format": FORMAT_VERSION,
        "generated": generated,
        "counts": counts | {split: data.manifest["counts"][split] for split in SPLITS if split != "train"},
        "sha256": {name: sha256(path / name) for name in ("dict.txt", *TEXT_FILES)},
        "versions": data.manifest["versions"] | {"vqapg": vqapg.__version__},
    }
    with atomic_write(path / "manifest.json") as file:
        json.dump(manifest, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")
    return manifest
