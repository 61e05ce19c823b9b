import multiprocessing
import pickle

import h5py
import numpy as np
import pytest

from vqapg.data.feature_store import FeatureStore
from vqapg.data.feature_writer import FeatureWriter
from vqapg.errors import InputError

SOURCE = {"backbone": "tiny", "weights": "none", "weights_sha256": "ab" * 32, "image_size": 8}
IDS = ["a.jpg", "b b.jpg", "ü.jpg", "/abs/d.jpg", "e.jpg"]


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float16)


@pytest.fixture
def path(tmp_path, features):
    path = tmp_path / "features.h5"
    writer = FeatureWriter.create(path, IDS, (2, 3), 7, SOURCE, "digest")
    writer.write(0, features[:2])
    writer.write(2, features[2:])
    writer.finish((np.arange(7, dtype=np.float32), np.ones(7, np.float32)))
    return path


def test_offers_what_was_written(path, features):
    store = FeatureStore(str(path))
    assert store.ids == IDS
    assert store.rows == {image_id: row for row, image_id in enumerate(IDS)}
    assert (store.shape, store.grid, store.images_digest) == ((5, 6, 7), (2, 3), "digest")
    assert store.source == SOURCE
    assert {type(value) for value in store.source.values()} == {str, int}
    assert store.mean.dtype == store.std.dtype == np.float32
    np.testing.assert_array_equal(store.mean, np.arange(7))


def test_the_memory_map_reads_the_bytes_that_hdf5_reads(path, features):
    with h5py.File(path) as file:
        assert file["features"].chunks is None and file["features"].compression is None
        expected = file["features"][:]
    assert expected.tobytes() == features.tobytes()
    store = FeatureStore(path)
    for rows in ([0, 1, 2, 3, 4], [4, 0, 4], np.array([3]), []):
        read = store.read(rows)
        assert read.dtype == np.float16 and read.shape == (len(rows), 6, 7)
        assert read.tobytes() == expected[np.asarray(rows, int)].tobytes()


def test_what_is_read_can_be_changed_without_harm(path, features):
    store = FeatureStore(path)
    store.read([1])[:] = 0
    np.testing.assert_array_equal(store.read([1])[0], features[1])


def _read_in_child(store, rows, queue):
    queue.put(store.read(rows))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_readers_in_other_processes(path, features, method):
    store = FeatureStore(path)
    store.read([0])  # opened here before the child is
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    children = [
        context.Process(target=_read_in_child, args=(store, [row, 4], queue)) for row in range(2)
    ]
    for child in children:
        child.start()
    read = sorted((queue.get(timeout=60) for _ in children), key=lambda block: block.tobytes())
    for child in children:
        child.join()
    expected = sorted((features[[row, 4]] for row in range(2)), key=lambda block: block.tobytes())
    for found, wanted in zip(read, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_pickle_carries_no_features(path):
    store = FeatureStore(path)
    store.read([0])
    copy = pickle.loads(pickle.dumps(store))
    assert copy._maps is None
    np.testing.assert_array_equal(copy.read([2]), store.read([2]))


def test_require_names_the_first_missing_image(path):
    store = FeatureStore(path)
    store.require(IDS)
    with pytest.raises(
        InputError, match=r"features\.h5: 2 images have no features, the first is x\.jpg"
    ):
        store.require(["a.jpg", "x.jpg", "y.jpg"])


def test_what_is_no_features_file(tmp_path, path):
    with pytest.raises(InputError, match="no such features; .*vqapg extract-features"):
        FeatureStore(tmp_path / "none.h5")
    with pytest.raises(InputError, match="no such features"):
        FeatureStore(tmp_path)
    whole = path.read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:-1]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a whole features file .*--overwrite") as raised:
            FeatureStore(path)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "damage", ["format", "ids", "train_mean", "compressed", "float32", "grid", "attribute"]
)
def test_another_format_is_refused(path, damage, features):
    with h5py.File(path, "r+") as file:
        if damage == "format":
            file.attrs["format"] = 99
        elif damage == "attribute":
            del file.attrs["backbone"]
        elif damage == "grid":
            file.attrs["grid_width"] = 5
        elif damage in ("ids", "train_mean"):
            del file[damage]
        else:
            del file["features"]
            kind = {"compression": "gzip"} if damage == "compressed" else {"dtype": "float32"}
            file.create_dataset("features", data=features, **kind)
    with pytest.raises(InputError, match="vqapg extract-features .* --overwrite"):
        FeatureStore(path)
