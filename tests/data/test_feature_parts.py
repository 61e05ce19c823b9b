"""A part of the features is whole or absent, and nothing foreign is removed."""

import os

import numpy as np
import pytest

from vqapg.data.feature_encoding import Encoded
from vqapg.data.feature_parts import FeatureParts, Part
from vqapg.errors import InputError
from vqapg.files import working_name

SOURCE = {"backbone": "tiny", "weights": "none", "weights_sha256": "0" * 64, "image_size": 8}
PART = Part(4, ["a", "b", "c"], [])


@pytest.fixture
def parts(tmp_path):
    parts = FeatureParts(tmp_path / "features.h5", SOURCE, "digest")
    parts.begin()
    return parts


def pieces():
    """Two images, the second of which cannot be read, and one more."""
    yield Encoded(np.array([[[1, 2]], [[0, 0]]], "<f2"), {1: "b: broken"})
    yield Encoded(np.array([[[5, 6]]], "<f2"), {})


def test_part_that_was_written_is_read_as_it_was(parts):
    assert not parts.done(PART, skip_bad_images=True)
    parts.write(PART, pieces(), (1, 1), 2)
    assert parts.done(PART, skip_bad_images=True)
    features, errors = parts.read(PART)
    assert features.tolist() == [[[1, 2]], [[0, 0]], [[5, 6]]]
    assert errors == {1: "b: broken"}
    assert sorted(path.name for path in parts.folder.iterdir()) == [
        "000000004-000000007.h5",
        "000000004-000000007.json",
    ]
    parts.remove(PART)
    assert not parts.done(PART, skip_bad_images=True) and not list(parts.folder.iterdir())


def test_part_without_an_image_is_done_only_if_skipping(parts):
    parts.write(PART, pieces(), (1, 1), 2)
    assert parts.done(PART, skip_bad_images=True)
    assert not parts.done(PART, skip_bad_images=False)
    whole = Part(7, ["d"], [])
    parts.write(whole, [Encoded(np.array([[[1, 2]]], "<f2"), {})], (1, 1), 2)
    assert parts.done(whole, skip_bad_images=False)


def test_part_that_is_cut_short_is_absent(parts):
    def cut():
        yield next(pieces())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parts.write(PART, cut(), (1, 1), 2)
    assert not parts.done(PART, skip_bad_images=True) and not list(parts.folder.iterdir())


def test_features_without_what_came_of_them_are_not_done(parts):
    parts.write(PART, pieces(), (1, 1), 2)
    (parts.folder / "000000004-000000007.json").unlink()
    assert not parts.done(PART, skip_bad_images=True)


def test_part_that_was_changed_is_named_with_a_cure(parts):
    parts.write(PART, pieces(), (1, 1), 2)
    with pytest.raises(InputError, match="was changed after .* delete .* run the same command"):
        parts.read(PART._replace(ids=["a", "b", "d"]))
    path = parts.folder / f"{PART.name}.h5"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InputError, match=f"{PART.name}.h5: was changed after it was written"):
        parts.read(PART)


@pytest.mark.parametrize("change", [{"image_size": 16}, {"weights_sha256": "1" * 64}])
def test_part_of_another_network_is_not_done(parts, change):
    parts.write(PART, pieces(), (1, 1), 2)
    target = parts.folder.with_name("features.h5")
    assert not FeatureParts(target, {**SOURCE, **change}, "digest").done(PART, skip_bad_images=True)
    assert not FeatureParts(target, SOURCE, "of other images").done(PART, skip_bad_images=True)
    assert FeatureParts(target, SOURCE, "digest").done(PART, skip_bad_images=True)


def test_what_killed_workers_left_is_removed_at_the_end(parts):
    parts.write(PART, pieces(), (1, 1), 2)
    for name in (f"{PART.name}.h5", f"{PART.name}.json"):
        begun = working_name(parts.folder / name)
        begun.with_name(begun.name.replace(str(os.getpid()), "1")).write_text("half")
    assert len(list(parts.folder.iterdir())) == 4
    parts.end()
    assert not parts.folder.exists()


def test_foreign_file_in_the_folder_stays(parts):
    parts.write(PART, pieces(), (1, 1), 2)
    (parts.folder / "mine.txt").write_text("mine")
    parts.end()
    assert [path.name for path in parts.folder.iterdir()] == ["mine.txt"]
    (parts.folder / "mine.txt").unlink()
    parts.end()
    assert not parts.folder.exists()


def test_folder_that_is_a_link_is_refused_and_stays(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/000000000-000000002.h5").write_text("mine")
    (tmp_path / ".features.h5.parts").symlink_to("elsewhere")
    parts = FeatureParts(tmp_path / "features.h5", SOURCE, "digest")
    with pytest.raises(InputError, match=r"features.h5.parts: is no folder of vqapg"):
        parts.begin()
    parts.end()
    assert (tmp_path / "elsewhere/000000000-000000002.h5").read_text() == "mine"
