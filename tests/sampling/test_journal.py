import errno
import io
import json
import os

import pytest

from vqapg.data.input_image import InputImage, image_number
from vqapg.errors import InputError, RunError
from vqapg.sampling.journal import Journal, holds_finished

IDENTITY = {
    "journal": "vqapg sample 1",
    "seed": 1,
    "keep": None,
    "checkpoint": "joint:a1",
    "sampling": False,
}


@pytest.fixture
def images(tmp_path):
    """a, b, c: files of what they are called."""
    for name in "abc":
        (tmp_path / name).write_text(name)
    return [InputImage(name, str(tmp_path / name)) for name in "abc"]


def entry(name):
    return {"image": name, "number": image_number(name.encode()), "text": "é\n"}


@pytest.fixture
def path(tmp_path, images):
    """A journal with a and b."""
    journal = Journal(tmp_path / "pairs.jsonl.partial", IDENTITY, images)
    journal.add(entry("a"))
    journal.add(entry("b"))
    journal.close()
    return journal.path


def names(items):
    return [item["image"] if isinstance(item, dict) else item.name for item in items]


def entries(path, images, identity=IDENTITY, **options):
    journal = Journal(path, identity, images, **options)
    found = names(journal.entries())
    assert journal.done == len(found)
    journal.close()
    return found


def test_what_was_added_is_there_again_and_more_can_be_added(path, images):
    journal = Journal(path, IDENTITY, images)
    assert list(journal.entries()) == [entry("a"), entry("b")] and names(journal.left()) == ["c"]
    journal.add(entry("c"))
    # Readable while it is open: what is added is in the file at once.
    assert (
        names(journal.entries()) == ["a", "b", "c"] and journal.done == 3 and journal.left() == []
    )
    journal.close()


@pytest.mark.parametrize("rest", ['{"image": "c"', '{"image": "c"}', "\x00\x00\x00\n", '{"ima\n'])
def test_a_line_that_was_cut_is_dropped(path, images, rest):
    path.write_bytes(path.read_bytes() + rest.encode())
    journal = Journal(path, IDENTITY, images)
    assert journal.done == 2
    journal.add(entry("c"))
    journal.close()
    assert entries(path, images) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"jour',
        '{"journal": "vqapg sample 1", "se',
        '{"journal": "vqapg sample 1", "seed": 2}\n',
        '{"journal": "vqapg sample 0"}\n{"im',
    ],
)
def test_where_nothing_is_finished_anything_can_begin(path, images, text):
    path.write_text(text)
    assert not holds_finished(path)
    journal = Journal(path, IDENTITY, images)
    assert names(journal.left()) == ["a", "b", "c"]
    journal.add(entry("a"))
    journal.close()
    assert json.loads(path.read_text().splitlines()[0])["seed"] == 1 and holds_finished(path)


def test_where_nothing_is_finished_nothing_is_left(path, images):
    assert entries(path, images, overwrite=True) == []
    assert not path.exists() and not holds_finished(path)


def test_another_runs_entries_are_refused_with_what_differs(path, images):
    for change, message in (
        (
            {"seed": 2},
            r"something else \(--seed 1, not 2\); run that one again to finish it, give another "
            r"--output",
        ),
        ({"seed": 0, "keep": 3}, r"\(--seed 1, not 0, without --keep\)"),
        (
            {"checkpoint": "joint:a2", "sampling": True},
            r"\(another --checkpoint, without --sampling\)",
        ),
        ({"checkpoint": None}, r"\(with --checkpoint\)"),
        ({"journal": "vqapg sample 2"}, r"\(of another version of vqapg\)"),
    ):
        with pytest.raises(InputError, match=message):
            Journal(path, IDENTITY | change, images)
    assert entries(path, images) == ["a", "b"]
    for text in ("[1]\n[2]\n", "my notes", '{"format": 2}\n'):
        path.write_text(text)
        for overwrite in (False, True):
            with pytest.raises(
                InputError, match="partial: was not written by vqapg.*; move it away"
            ):
                Journal(path, IDENTITY, images, overwrite=overwrite)
        assert path.read_text() == text


def test_images_may_be_added_taken_away_and_in_another_order(path, images):
    _, b, c = images
    journal = Journal(path, IDENTITY, [c, b])
    assert journal.done == 1 and names(journal.left()) == ["c"]
    journal.add(entry("c"))
    assert names(journal.entries()) == ["c", "b"]
    journal.close()
    assert entries(path, images) == ["a", "b", "c"]


def test_images_of_which_none_is_the_same_lose_no_work(path, images):
    with pytest.raises(InputError, match=r"something else \(other images\)"):
        Journal(path, IDENTITY, images[2:])
    assert entries(path, images) == ["a", "b"]


def test_a_changed_image_is_done_again(path, images):
    open(images[0].path, "w").write("changed")
    os.unlink(images[1].path)
    journal = Journal(path, IDENTITY, images)
    assert names(journal.left()) == ["a", "b", "c"]
    journal.add(entry("a") | {"number": images[0].number(), "text": "new"})
    assert [found["text"] for found in journal.entries()] == ["new"]
    journal.close()
    assert entries(path, images)[:1] == ["a"]


def test_overwrite_begins_anew(path, images):
    journal = Journal(path, IDENTITY | {"seed": 2}, images, overwrite=True)
    assert journal.done == 0
    journal.add(entry("c"))
    journal.close()
    assert entries(path, images, IDENTITY | {"seed": 2}) == ["c"]


def test_two_runs_at_once(path, images):
    journal = Journal(path, IDENTITY, images)
    for options in ({}, {"overwrite": True}):
        with pytest.raises(
            InputError, match=rf"process {os.getpid()} on .* is at work on it; wait for it"
        ):
            Journal(path, IDENTITY, images, **options)
    journal.add(entry("c"))
    inherited = os.dup(journal._lock._descriptor)  # as a worker's
    journal.close()
    assert entries(path, images) == ["a", "b", "c"]
    os.close(inherited)


def test_a_folder_that_cannot_be_written_to(tmp_path, images):
    with pytest.raises(InputError, match="cannot be written"):
        Journal(tmp_path / "none" / "x.partial", IDENTITY, images)


class SmallDisk(io.FileIO):
    """A file on a disk with room for so many bytes of it."""

    room = 0

    def write(self, data):
        size = min(len(data), self.room - os.fstat(self.fileno()).st_size)
        if size <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(bytes(data)[:size])


@pytest.fixture
def small_disk(monkeypatch):
    """small_disk(room): journals write to a SmallDisk from now on; None: to the true disk."""

    def opened(path, mode):
        return (
            io.BufferedRandom(SmallDisk(path, mode.replace("b", "")))
            if "a" in mode
            else open(path, mode)
        )

    def set_room(room):
        SmallDisk.room = 1 << 40 if room is None else room
        monkeypatch.setattr("vqapg.sampling.journal.open", opened, raising=False)

    return set_room


def test_a_disk_that_gets_full_keeps_what_was_finished(path, images, small_disk):
    small_disk(path.stat().st_size + 10)
    journal = Journal(path, IDENTITY, images)
    with pytest.raises(
        RunError, match="partial: cannot be written .No space left on device.; make room"
    ):
        journal.add(entry("c"))
    assert names(journal.entries()) == ["a", "b"]
    journal.close()
    small_disk(None)
    assert entries(path, images) == ["a", "b"]


@pytest.mark.parametrize("room", [0, 10])
def test_a_disk_that_is_full_from_the_start_leaves_nothing(tmp_path, images, small_disk, room):
    small_disk(room)
    with pytest.raises(
        RunError, match="partial: cannot be written .No space left on device.; make room"
    ):
        Journal(tmp_path / "pairs.jsonl.partial", IDENTITY, images)
    assert not (tmp_path / "pairs.jsonl.partial").exists()
