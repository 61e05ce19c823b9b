"""The features of a data directory in several files, one a machine, and joining them."""

from pathlib import Path

from vqapg.backbones.backbone import Backbone
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_statistics import channel_statistics, training_rows
from vqapg.data.feature_store import FeatureStore
from vqapg.data.feature_writer import write_joined, write_statistics
from vqapg.errors import InputError
from vqapg.files import whole_file, writing
from vqapg.locks import Lock
from vqapg.targets import check_target, our_features


def shard_path(data: DataDirectory, number: int, count: int) -> Path:
    """The file of the *number*-th of *count* shards."""
    return data.features_path.with_name(f"features.{number}-of-{count}.h5")


def join_shards(
    data: DataDirectory, backbone: Backbone, digest: str, count: int
) -> FeatureStore | None:
    """The features of all shards as one store; None while one is missing or another run joins them.

    Raises:
        InputError: when a shard is of something else, or features.h5 is not ours
    """
    paths = [shard_path(data, number, count) for number in range(1, count + 1)]
    if not all(path.exists() for path in paths):
        return None
    shards = [existing_features(path, backbone, digest) for path in paths]
    check_target(data.features_path, our_features, overwrite=True)
    try:
        lock = Lock(data.features_path)
    except InputError:
        return None  # all shards were there for it too
    with lock, writing(data.features_path), whole_file(data.features_path) as partial:
        write_joined(partial, shards)
        store = FeatureStore(partial)
        write_statistics(partial, *channel_statistics(store.read, training_rows(data, store.rows)))
        lock.check()
    return FeatureStore(data.features_path)


def existing_features(path: Path, backbone: Backbone, digest: str) -> FeatureStore:
    """The features in the file *path*.

    Raises:
        InputError: when they are not by *backbone*, or not of the images of *digest*
    """
    store = FeatureStore(path)
    wanted = backbone.source
    if store.source != wanted:
        differing = ", ".join(
            f"{name} {_shorten(store.source[name])} instead of {_shorten(value)}"
            for name, value in wanted.items()
            if store.source[name] != value
        )
        raise InputError(f"{path}: there already, with {differing}; give --overwrite to replace it")
    if store.images_digest != digest:
        raise InputError(f"{path}: there already, of other images; give --overwrite to replace it")
    return store


def _shorten(value):
    """A checksum's beginning tells two of them apart."""
    return value[:8] if isinstance(value, str) and len(value) == 64 else value
