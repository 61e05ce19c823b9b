"""A stranger's features file reads no other file; one line says why it is refused."""

import os
import shutil
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from tests.support.handwritten_data import write_features, write_objects
from vqapg.data.feature_store import FeatureStore
from vqapg.data.feature_writer import write_joined
from vqapg.errors import InputError
from vqapg.tasks.vqapg import GenerationTask

SECRET = b"\x00\x3c" * 30 * 4  # would be read as ones


@pytest.fixture
def path(tmp_path):
    return write_features(tmp_path)


def replace(file, name, **options):
    del file[name]
    return file.create_dataset(name, **options)


def external(where):
    return lambda file: replace(
        file, "features", shape=(2, 6, 5), dtype="<f2", external=[(where, 0, 120)]
    )


def soft_link(name):
    def damage(file):
        file.move(name, "other")
        file[name] = h5py.SoftLink("/other")

    return damage


def external_link(name):
    def damage(file):
        del file[name]
        file[name] = h5py.ExternalLink("secret.h5", f"/{name}")

    return damage


def virtual(file):
    layout = h5py.VirtualLayout((2, 6, 5), "<f2")
    layout[:] = h5py.VirtualSource("secret.h5", "features", (2, 6, 5))
    del file["features"]
    file.create_virtual_dataset("features", layout)


def external_mean(file):
    replace(file, "train_mean", shape=(5,), dtype="<f4", external=[("secret.raw", 0, 20)])


def values(name, content, dtype=np.float32):
    return lambda file: replace(file, name, data=np.asarray(content, dtype))


def attribute(name, value):
    def damage(file):
        file.attrs[name] = value

    return damage


def group(file):
    del file["features"]
    file.create_group("features")


def unwritten(name, shape, dtype):
    """Stated to be so large, but with nothing in the file."""
    return lambda file: replace(file, name, shape=shape, dtype=dtype)


NAN, INF = float("nan"), float("inf")
DAMAGES = {
    "external, absolute": (external("/etc/hostname"), "lie in /etc/hostname"),
    "external, above": (external("../secret.raw"), r"lie in \.\./secret.raw"),
    "external, no features file": (
        external("secret.raw"),
        "joined of secret.raw, which is missing or cut",
    ),
    "external, a link": (external("link.h5"), "joined of link.h5, which is no regular file"),
    "external, a pipe": (external("pipe"), "joined of pipe, which is no regular file"),
    "external, missing": (external("none"), "joined of none, which is missing or cut"),
    "soft link": (soft_link("features"), "its features is a link to elsewhere"),
    "soft link of ids": (soft_link("ids"), "its ids is a link to elsewhere"),
    "external link": (external_link("features"), "its features is a link to elsewhere"),
    "external link of statistics": (
        external_link("train_mean"),
        "its train_mean is a link to elsewhere",
    ),
    "virtual": (virtual, "its features is virtual"),
    "external statistics": (external_mean, "its train_mean lies in another file"),
    "a group": (group, "its features is no data set"),
    "NaN mean": (values("train_mean", [0, 0, NAN, 0, 0]), "holds no finite number"),
    "infinite std": (values("train_std", [1, 1, INF, 1, 1]), "holds no finite number"),
    "zero std": (values("train_std", [1, 0, 1, 1, 1]), "a deviation that is not positive"),
    "negative std": (values("train_std", [1, -1, 1, 1, 1]), "a deviation that is not positive"),
    "short mean": (values("train_mean", [0, 0]), r"its train_mean has the shape \[2\]"),
    "double mean": (values("train_mean", [0] * 5, np.float64), "of float64"),
    "ids, numbers": (values("ids", [1, 2], np.int64), "its ids are no text"),
    "ids, too few": (
        lambda file: replace(file, "ids", data=["a.png"], dtype=h5py.string_dtype()),
        "its ids has the shape",
    ),
    "ids, twice": (
        lambda file: replace(file, "ids", data=["a.png", "a.png"], dtype=h5py.string_dtype()),
        "image a.png is in it twice",
    ),
    "ids, not UTF-8": (
        lambda file: replace(file, "ids", data=[b"a\xff", b"b"], dtype=h5py.string_dtype()),
        "not a whole features file",
    ),
    "skipped, numbers": (values("skipped", [0, 0], np.int64), "its skipped has the shape"),
    "absurd ids": (unwritten("ids", (10**12,), h5py.string_dtype()), "its ids has the shape"),
    "absurd features": (unwritten("features", (10**12, 6, 5), "<f2"), "the shape"),
    "absurd channels": (unwritten("features", (2, 6, 10**10), "<f2"), "the shape"),
    "no features": (unwritten("features", (0, 6, 5), "<f2"), "the shape"),
    "unwritten features": (unwritten("features", (2, 6, 5), "<f2"), "was never written"),
    "chunked statistics": (
        lambda file: replace(
            file, "train_mean", data=np.zeros(5, "<f4"), chunks=(5,), compression="gzip"
        ),
        "its train_mean is not contiguous, or is compressed",
    ),
    "big-endian": (
        lambda file: replace(file, "features", data=np.zeros((2, 6, 5), ">f2")),
        "not contiguous float16",
    ),
    "format, an array": (
        attribute("format", np.ones(3, int)),
        "its attribute format is more than one value",
    ),
    "format, text": (attribute("format", "1"), "its attribute format is no whole number"),
    "image size, a fraction": (
        attribute("image_size", 0.5),
        "its attribute image_size is no whole number",
    ),
    "backbone, a number": (attribute("backbone", 3), "its attribute backbone is no text"),
    "grid, negative": (attribute("grid_width", -3), "its ids or its grid do not fit"),
}


@pytest.mark.parametrize("damage, message", DAMAGES.values(), ids=DAMAGES.keys())
def test_what_no_features_file_has_is_refused_by_name(tmp_path, path, damage, message):
    (tmp_path / "secret.raw").write_bytes(SECRET)
    write_features(tmp_path, "secret.h5")
    (tmp_path / "link.h5").symlink_to("secret.h5")
    os.mkfifo(tmp_path / "pipe")
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(InputError, match=message) as raised:
        FeatureStore(path)
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)
    assert "vqapg extract-features" in str(raised.value)


REGION_DAMAGES = {
    "none": (values("regions", [0, 3], "<i4"), "its regions are not between 1 and 6"),
    "too many": (values("regions", [2, 7], "<i4"), "its regions are not between 1 and 6"),
    "negative": (values("regions", [-1, 3], "<i4"), "its regions are not between 1 and 6"),
    "of one": (values("regions", [3], "<i4"), "its regions has the shape"),
    "fractions": (values("regions", [3, 3], "<f4"), "its regions has the shape"),
    "missing": (lambda file: file.__delitem__("regions"), "its regions is a link to elsewhere"),
    "external": (external("secret.h5"), "its features lie in other files"),
    "linked boxes": (external_link("boxes"), "its boxes is a link to elsewhere"),
    "few boxes": (values("boxes", np.zeros((2, 5, 4)), "<f4"), "its boxes has the shape"),
    "absurd boxes": (unwritten("boxes", (2, 6, 4), "<f4"), "its boxes is not contiguous"),
    "half a grid": (attribute("grid_width", 6), "its ids or its grid do not fit"),
    "format": (attribute("format", 1), "its ids or its grid do not fit"),
}


@pytest.mark.parametrize("damage, message", REGION_DAMAGES.values(), ids=REGION_DAMAGES.keys())
def test_damaged_regions_and_boxes_are_refused_by_name(tmp_path, damage, message):
    write_features(tmp_path, "secret.h5")
    path = write_objects(tmp_path)
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(InputError, match=message) as raised:
        FeatureStore(path)
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


def test_boxes_that_are_no_shares_are_held_within_the_picture(tmp_path):
    path = write_objects(tmp_path)
    with h5py.File(path, "r+") as file:
        file["boxes"][0] = [NAN, -3, INF, 0.5]
    assert FeatureStore(path).boxes("a.png").tolist() == [[0, 0, 1, 0.5]] * 3


def test_a_file_that_is_cut_is_refused(path):
    content = path.read_bytes()
    for size in (0, 7, 100, 2000, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(InputError, match="not a whole features file"):
            FeatureStore(path)


def test_features_that_are_no_numbers_are_refused_when_read(tmp_path):
    for name, value in (("nan.h5", NAN), ("inf.h5", -INF)):
        store = FeatureStore(write_features(tmp_path, name, value=value))
        with pytest.raises(
            InputError, match=f"{name}: the features of b.png are not all finite numbers"
        ):
            store.read([1, 0])
    path = write_features(tmp_path)
    with h5py.File(path, "r+") as file:
        file["features"][1, 5, 4] = NAN
    store = FeatureStore(path)
    for _ in range(2):
        assert np.isfinite(store.read([0, 0])).all() and store.read([]).shape == (0, 6, 5)
        with pytest.raises(InputError, match="the features of b.png"):
            store.read([0, 1])


@pytest.fixture
def joined(tmp_path):
    shards = [
        FeatureStore(write_features(tmp_path, f"features.{number}-of-2.h5", [name], value=number))
        for number, name in ((1, "a.png"), (2, "b.png"))
    ]
    write_joined(tmp_path / "features.h5", shards)
    return tmp_path / "features.h5"


def test_shards_beside_the_file_are_read_also_through_a_link(tmp_path, joined):
    assert FeatureStore(joined).read([1, 0])[:, 0, 0].tolist() == [2, 1]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/features.h5").symlink_to(joined)
    assert FeatureStore(tmp_path / "elsewhere/features.h5").read([0])[0, 0, 0] == 1


def test_a_shard_made_anew_of_something_else_is_noticed(tmp_path, joined):
    shard = tmp_path / "features.2-of-2.h5"
    for change, message in (
        (lambda file: file.attrs.update(image_size=9), "made anew of something else"),
        (lambda file: file.attrs.update(images_digest="other"), "made anew of something else"),
        (external("features.1-of-2.h5"), "its features lie in other files"),
    ):
        write_features(tmp_path, shard.name, ["b.png"])
        with h5py.File(shard, "r+") as file:
            change(file)
        with pytest.raises(InputError, match=f"joined of {shard.name}, .*{message}"):
            FeatureStore(joined)
    write_features(tmp_path, shard.name, ["b.png", "c.png"])
    with pytest.raises(InputError, match=f"its parts are not the features of {shard.name}"):
        FeatureStore(joined)
    shutil.move(shard, tmp_path / "moved")
    shard.symlink_to("moved")
    with pytest.raises(InputError, match="which is no regular file"):
        FeatureStore(joined)


def test_features_that_skip_a_whole_split_are_refused():
    """fairseq would divide by the number of batches, which is 0."""
    task = GenerationTask.__new__(GenerationTask)
    task.datasets = {}
    task.features = SimpleNamespace(path="d/features.h5")
    task.directory = SimpleNamespace(path="d", pairs=lambda split: [split])
    task.make_dataset = lambda pairs, training: [] if pairs == ["valid"] else pairs
    task.load_dataset("train")
    with pytest.raises(InputError, match="features.h5: leaves out every image of the valid split"):
        task.load_dataset("valid")
    assert list(task.datasets) == ["train"]
