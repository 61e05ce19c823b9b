"""One image in two splits under another name: its test figures would be worthless."""

import json
import os

import pytest

from tests.support.tiny_checkpoints import draw_picture
from vqapg.cli.main import main
from vqapg.data import repeated_images
from vqapg.data.repeated_images import SplitImage, image_in_two_splits
from vqapg.datasets import reader
from vqapg.errors import InputError


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        draw_picture(tmp_path / f"{number}.png", number)
    return tmp_path


def write(folder, *images):
    """A JSONL file of one pair an image: (image, split)."""
    lines = [
        {"image": image, "question": "what?", "answer": "a cat", "split": split}
        for image, split in images
    ]
    (folder / "qa.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "qa.jsonl"


@pytest.mark.parametrize("how", ["copy", "link", "hard link", "folder link", "absolute"])
def test_the_same_image_in_train_and_test_is_refused(folder, capsys, how):
    other = "other.png"
    if how == "copy":
        (folder / other).write_bytes((folder / "0.png").read_bytes())
    elif how == "link":
        os.symlink("0.png", folder / other)
    elif how == "hard link":
        os.link(folder / "0.png", folder / other)
    elif how == "folder link":
        os.symlink(".", folder / "sub")
        other = "sub/0.png"
    else:
        other = str(folder / "0.png")
    path = write(folder, ("0.png", "train"), ("1.png", "valid"), (other, "test"))
    assert (
        main(
            ["prepare", "--dataset", "jsonl", "--source", str(path), "--dest", str(folder / "data")]
        )
        == 2
    )
    err = capsys.readouterr().err
    (line,) = [line for line in err.splitlines() if line.startswith("vqapg prepare: error: ")]
    assert line == (
        f"vqapg prepare: error: {path}:3: the image {folder / other} is in test here but holds "
        f"the same bytes as {folder / '0.png'}, in train at {path}:1; "
        f"put all pairs of an image into one split"
    )
    assert not (folder / "data").exists()


def test_copies_within_a_split_are_allowed(folder):
    (folder / "other.png").write_bytes((folder / "0.png").read_bytes())
    records = (
        reader("jsonl")
        .read(write(folder, ("0.png", "train"), ("other.png", "train"), ("1.png", "test")))
        .records
    )
    assert [record.image for record in records] == ["0.png", "other.png", "1.png"]


def images(folder, contents):
    """An image of each (content, split)."""
    for number, (content, _) in enumerate(contents):
        (folder / f"{number}.raw").write_bytes(content)
    return [
        SplitImage(folder / f"{number}.raw", split, f"qa.jsonl:{number}")
        for number, (_, split) in enumerate(contents)
    ]


def test_files_of_one_size_that_differ_late_are_told_apart(folder):
    start = bytes(repeated_images.HEAD_BYTES)
    contents = [
        (start + b"a", "train"),
        (start + b"b", "test"),
        (start + b"c", "valid"),
        (start + b"b", "train"),
    ]
    first, second = image_in_two_splits(images(folder, contents))
    assert (first.where, second.where) == ("qa.jsonl:1", "qa.jsonl:3")
    assert image_in_two_splits(images(folder, contents[:3])) is None


def test_files_are_read_only_where_sizes_and_beginnings_agree(folder, monkeypatch):
    read = []
    for name in ("_head", "_digest"):
        original = getattr(repeated_images, name)
        monkeypatch.setattr(
            repeated_images,
            name,
            lambda path, name=name, original=original: (
                read.append((name, path.name)) or original(path)
            ),
        )
    contents = [
        (b"a", "train"),
        (b"bb", "test"),
        (b"cc", "train"),
        (b"dd", "train"),
        (b"eee", "test"),
        (b"fff", "test"),
    ]
    assert image_in_two_splits(images(folder, contents)) is None
    assert read == [("_head", "1.raw"), ("_head", "2.raw"), ("_head", "3.raw")]


def test_a_file_that_vanishes_meanwhile_is_no_repeat(folder):
    given = images(folder, [(b"aa", "train"), (b"aa", "test")])
    given[0].path.unlink()
    assert image_in_two_splits(given) is None


def test_the_first_of_several_repeats_is_named(folder):
    contents = [(b"xx", "test"), (b"yy", "train"), (b"yy", "test"), (b"xx", "train")]
    with pytest.raises(
        InputError,
        match=r"qa\.jsonl:4: .*3\.raw is in train here .*0\.raw, in test at .*qa\.jsonl:1;",
    ):
        images(folder, contents)
        reader("jsonl").read(
            write(folder, *((f"{n}.raw", split) for n, (_, split) in enumerate(contents)))
        )
