"""Features made elsewhere, in every form, and what is wrong with those that are refused."""

import socket
import zipfile

import h5py
import numpy as np
import pytest

from tests.support.handwritten_data import write_data
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_import import import_features
from vqapg.data.feature_store import FeatureStore
from vqapg.errors import InputError

# train.png and valid.png are there in any data directory that is written by hand.
COUNTS = {"train.png": 3, "valid.png": 2, "a/x.png": 4, "a/y.png": 1}
SIZE = np.array([200, 100])


@pytest.fixture
def data(tmp_path):
    pairs = [(image, "is there a circle ?", "yes") for image in ("a/x.png", "a/y.png")]
    return DataDirectory(write_data(tmp_path / "DATA", pairs))


def features_of(image):
    rng = np.random.default_rng(COUNTS[image])
    return rng.normal(size=(COUNTS[image], 5)).astype(np.float32)


def boxes_of(image):
    """In pixels."""
    return np.array([[20 * k, 10, 20 * k + 40, 60] for k in range(COUNTS[image])], np.float32)


def in_folder(path):
    for image in COUNTS:
        file = (path / image).with_suffix(".npz")
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, features=features_of(image), boxes=boxes_of(image), image_size=SIZE)
    return path


def padded():
    """The arrays of one file; what is behind an image's own regions may be anything."""
    features = np.full((4, 6, 5), np.nan, np.float32)
    boxes = np.full((4, 6, 4), np.nan, np.float32)
    for row, image in enumerate(COUNTS):
        features[row, : COUNTS[image]] = features_of(image)
        boxes[row, : COUNTS[image]] = boxes_of(image)
    return {
        "features": features,
        "boxes": boxes,
        "num_boxes": np.array(list(COUNTS.values())),
        "image_size": np.tile(SIZE, (4, 1)),
        "ids": np.array(list(COUNTS)),
    }


def in_npz(path):
    np.savez(path.with_suffix(".npz"), **padded())
    return path.with_suffix(".npz")


def in_hdf5(path):
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        for name, array in padded().items():
            text = name == "ids"
            file.create_dataset(
                name,
                data=list(COUNTS) if text else array,
                dtype=h5py.string_dtype() if text else None,
                compression="gzip",
            )
    return path.with_suffix(".h5")


def in_hdf5_groups(path):
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        for image in COUNTS:
            file[f"{image}/features"] = features_of(image)
            file[f"{image}/boxes"] = boxes_of(image)
            file[f"{image}/image_size"] = SIZE
    return path.with_suffix(".h5")


@pytest.mark.parametrize("form", [in_folder, in_npz, in_hdf5, in_hdf5_groups])
def test_every_form_gives_the_same_features(tmp_path, data, form):
    store = import_features(data, form(tmp_path / "own"), name="objects").store
    assert store.shape == (4, 4, 5) and store.grid is None and store.has_boxes
    assert store.source["backbone"] == "imported:objects"
    assert store.images_digest == data.images_digest()
    for image, count in COUNTS.items():
        row = store.rows[image]
        assert store.region_counts[row] == count
        read = store.read([row])
        np.testing.assert_array_equal(read[0], features_of(image).astype(np.float16))
        np.testing.assert_allclose(
            store.boxes(image), boxes_of(image) / [200, 100, 200, 100], atol=1e-6
        )
    # Of the one training image, padding left out
    own = features_of("train.png").astype(np.float16).astype(np.float64)
    np.testing.assert_allclose(store.mean, own.mean(axis=0), atol=1e-6)
    assert not list(data.path.glob(".features*"))


def test_a_flat_npy_with_ids_is_a_grid_of_equal_regions(tmp_path, data):
    array = np.random.default_rng(0).normal(size=(4, 6, 5)).astype(np.float16)
    np.save(tmp_path / "own.npy", array)
    # Without endings, in another order, and one that is not in DATA
    np.save(tmp_path / "own.npy", np.concatenate([array, array[:1]]))
    (tmp_path / "ids.txt").write_text("y\nx\nvalid\ntrain\nother\n")
    found = import_features(
        data, tmp_path / "own.npy", ids=tmp_path / "ids.txt", name="cnn", grid=(2, 3)
    )
    assert found.left_over == 1
    store = found.store
    assert store.grid == (2, 3) and store.region_counts is None and not store.has_boxes
    assert store.boxes("a/x.png") is None
    np.testing.assert_array_equal(store.read([store.rows["a/x.png"]])[0], array[1])


def test_a_read_is_as_wide_as_its_widest_image(tmp_path, data):
    store = import_features(data, in_folder(tmp_path / "own")).store
    rows = [store.rows[image] for image in ("valid.png", "a/y.png")]
    assert store.read(rows).shape == (2, 2, 5)
    assert store.read([]).shape == (0, 0, 5)


def change(**arrays):
    """Replaces arrays of the file of a/x.png in the folder."""

    def made(folder):
        file = folder / "a/x.npz"
        with np.load(file) as stored:
            content = dict(stored) | arrays
        np.savez(file, **{name: value for name, value in content.items() if value is not None})

    return made


def bad(value):
    features = features_of("a/x.png")
    features[2, 1] = value
    return features


def truncate(folder):
    file = folder / "a/x.npz"
    file.write_bytes(file.read_bytes()[:200])


BOXES = boxes_of("a/x.png")
DAMAGES = {
    "missing": (
        lambda folder: (folder / "a/x.npz").unlink(),
        r"own: 1 of 4 images are not in it, the first is a/x.png; add them",
    ),
    "NaN": (change(features=bad(np.nan)), "a/x.npz: region 2 has NaN or infinity"),
    "inf": (change(features=bad(np.inf)), "a/x.npz: region 2 has NaN or infinity"),
    "width": (change(features=np.ones((4, 6), "f4")), "a/x.npz: 6 channels, but 5 in .*train.npz"),
    "none": (change(features=np.ones((0, 5), "f4")), "a/x.npz: there is no region in it"),
    "integers": (change(features=np.ones((4, 5), int)), "a/x.npz: features are int64; save them"),
    "flat": (change(features=np.ones(20, "f4")), r"a/x.npz: features are \[20\], not \[R, C\]"),
    "pickle": (
        change(features=np.array([{"a": 1}, None], object)),
        "a/x.npz: holds Python objects, which are never unpickled",
    ),
    "pickled boxes": (
        change(boxes=np.array([None, {}], object)),
        "a/x.npz: holds Python objects, which are never unpickled",
    ),
    "no features": (change(features=None), "a/x.npz: has no array features"),
    "cut": (truncate, "a/x.npz: cannot be read"),
    "few boxes": (change(boxes=BOXES[:2]), r"a/x.npz: boxes are float32 of the shape \[2, 4\]"),
    "no boxes": (change(boxes=None), "a/x.npz: has no boxes, but the first image has"),
    "outside": (change(boxes=BOXES * 4), "a/x.npz: boxes lie outside of the picture; mend"),
    "pixels": (change(image_size=None), "outside of the picture; give image_size"),
    "turned": (change(boxes=BOXES[:, [2, 1, 0, 3]]), "a/x.npz: a box ends before it begins"),
    "size": (change(image_size=np.zeros(2)), r"a/x.npz: image_size is not \[width, height\]"),
    "empty": (
        lambda folder: [file.unlink() for file in folder.rglob("*.npz")],
        "own: no .npy or .npz file in it",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_taken_is_told_in_a_line(tmp_path, data, damage):
    harm, line = DAMAGES[damage]
    harm(in_folder(tmp_path / "own"))
    with pytest.raises(InputError, match=line) as raised:
        import_features(data, tmp_path / "own")
    assert "\n" not in str(raised.value) and "; " in str(raised.value)
    assert not list(data.path.glob("*features*"))


def without(name):
    return lambda arrays: arrays.pop(name)


def put(name, value):
    return lambda arrays: arrays.update({name: value})


ARRAY_DAMAGES = {
    "no features": (without("features"), "has no array features; it has boxes"),
    "no ids": (without("ids"), "has no array ids; give --ids"),
    "few ids": (put("ids", np.array(["train"])), "4 rows and 1 ids"),
    "twice": (put("ids", np.array(["a", "b", "c", "a"])), "the image a is in it twice"),
    "flat": (put("features", np.zeros((4, 5), "f4")), r"features are \[4, 5\], not \[N, R, C\]"),
    "boxes": (put("boxes", np.zeros((4, 6), "f4")), r"boxes has the shape \[4, 6\], not"),
    "counts": (put("num_boxes", np.array([9, 1, 1, 1])), "num_boxes are no numbers up to 6"),
    "none": (put("num_boxes", np.array([0, 1, 1, 1])), "train.png: there is no region in it"),
    "negative": (put("num_boxes", np.array([1, 1, -1, 1])), "x.png: there is no region in it"),
    "pickle": (put("features", np.array([None] * 4)), "are never unpickled; save plain arrays"),
}


@pytest.mark.parametrize("damage", ARRAY_DAMAGES)
def test_arrays_of_all_images_that_do_not_fit_are_told(tmp_path, data, damage):
    harm, line = ARRAY_DAMAGES[damage]
    arrays = padded()
    harm(arrays)
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(InputError, match=f"own.npz: .*{line}|own.npz: {line}") as raised:
        import_features(data, tmp_path / "own.npz")
    assert "\n" not in str(raised.value)
    assert not list(data.path.glob("*features*"))


def link_out(file):
    del file["a/x.png"]
    file["a/x.png"] = h5py.ExternalLink("secret.h5", "/features")


def link_features(file):
    for name in list(file):
        del file[name]
    file["features"] = h5py.ExternalLink("secret.h5", "/features")


def virtual(file):
    layout = h5py.VirtualLayout((4, 5), "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "features", (4, 5))
    del file["a/x.png/features"]
    file.create_virtual_dataset("a/x.png/features", layout)


@pytest.mark.parametrize("harm", [link_out, link_features, virtual])
def test_an_hdf5_file_leads_to_no_other_file(tmp_path, data, harm):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["features"] = np.ones((4, 5), "f4")
    path = in_hdf5_groups(tmp_path / "own")
    with h5py.File(path, "r+") as file:
        harm(file)
    with pytest.raises(InputError, match="is a link|lies in another file"):
        import_features(data, path)


def test_two_images_of_one_name_are_refused(tmp_path):
    pairs = [(image, "is there a circle ?", "yes") for image in ("a/x.png", "b/x.png")]
    data = DataDirectory(write_data(tmp_path / "DATA", pairs))
    (tmp_path / "own").mkdir()
    for name in ("x", "train", "valid"):
        np.save(tmp_path / f"own/{name}.npy", np.ones((2, 5), "f4"))
    with pytest.raises(InputError, match="called x could be of a/x.png or of b/x.png"):
        import_features(data, tmp_path / "own")


def test_features_are_replaced_only_with_overwrite(tmp_path, data):
    own = in_folder(tmp_path / "own")
    first = import_features(data, own).store.path.read_bytes()
    with pytest.raises(InputError, match="features.h5: is there already; .*--overwrite"):
        import_features(data, own)
    assert import_features(data, own, overwrite=True).store.path.read_bytes() == first


def test_a_failure_keeps_the_features_that_were_there(tmp_path, data):
    own = in_folder(tmp_path / "own")
    before = import_features(data, own).store.path.read_bytes()
    change(features=bad(np.nan))(own)
    with pytest.raises(InputError):
        import_features(data, own, overwrite=True)
    assert data.features_path.read_bytes() == before
    assert not list(data.path.glob(".features*"))


def test_what_a_killed_import_left_is_cleared_away(tmp_path, data):
    left = data.path / f".features.h5.vqapg-{socket.gethostname()}-999999999"
    left.write_bytes(b"half")
    import_features(data, in_folder(tmp_path / "own"))
    assert not left.exists()
    FeatureStore(data.features_path)


@pytest.mark.parametrize(
    "given, line",
    [
        ("none.npz", "cannot be read"),
        ("text.txt", r"is no folder and no \.npy"),
        ("own.npy", "does not name its images; give --ids"),
        ("false.npz", "cannot be read .*save it again|is no .npz"),
        ("false.h5", "cannot be read"),
    ],
)
def test_files_that_hold_no_features_are_told(tmp_path, data, given, line):
    (tmp_path / "text.txt").write_text("1 2 3")
    np.save(tmp_path / "own.npy", np.ones((4, 2, 5), "f4"))
    (tmp_path / "false.npz").write_bytes((tmp_path / "own.npy").read_bytes())
    with zipfile.ZipFile(tmp_path / "false.h5", "w") as file:
        file.writestr("a", "b")
    with pytest.raises(InputError, match=line) as raised:
        import_features(data, tmp_path / given)
    assert str(raised.value).startswith(str(tmp_path / given))


def test_the_cure_for_imported_features_is_to_import_again(tmp_path, data):
    store = import_features(data, in_folder(tmp_path / "own")).store
    with pytest.raises(InputError, match="no features, the first is z.png; run: vqapg import-feat"):
        store.require(["z.png"])
