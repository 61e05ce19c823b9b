import json

import pytest

from vqapg.errors import InputError
from vqapg.sampling.journal import Journal

IDENTITY = {"format": 1, "seed": 1, "pair": (1, 2)}


@pytest.fixture
def path(tmp_path):
    journal = Journal(tmp_path / "pairs.jsonl.partial", IDENTITY)
    journal.add({"image": "a"})
    journal.add({"image": "é\n"})
    journal.close()
    return journal.path


def entries(path, identity=IDENTITY, **options):
    journal = Journal(path, identity, **options)
    found = list(journal.entries())
    assert journal.done == len(found)
    journal.close()
    return [entry["image"] for entry in found]


def test_what_was_added_is_there_again_and_more_can_be_added(path):
    assert entries(path) == ["a", "é\n"]
    journal = Journal(path, IDENTITY)
    journal.add({"image": "c"})
    # Readable while it is open: what is added is in the file at once.
    assert [entry["image"] for entry in journal.entries()] == ["a", "é\n", "c"] and journal.done == 3
    journal.close()


@pytest.mark.parametrize("rest", ['{"image": "c"', '{"image": "c"}', "\x00\x00\x00\n", '{"ima\n'])
def test_a_line_that_was_cut_is_dropped(path, rest):
    path.write_bytes(path.read_bytes() + rest.encode())
    journal = Journal(path, IDENTITY)
    assert journal.done == 2
    journal.add({"image": "d"})
    journal.close()
    assert entries(path) == ["a", "é\n", "d"]


@pytest.mark.parametrize("text", ["", '{"format": 1, "se'])
def test_killed_before_the_first_line_was_whole(path, text):
    path.write_text(text)
    assert entries(path) == []
    assert json.loads(path.read_text())["seed"] == 1


def test_another_runs_entries_are_refused_with_what_differs(path):
    for identity, message in (
        (IDENTITY | {"seed": 2}, r"\(seed 1, not 2\); run that one again to finish it, or begin anew: --overwrite"),
        ({"format": 1, "pair": [1, 2]}, r"\(seed 1, not None\)"),
    ):
        with pytest.raises(InputError, match=message):
            Journal(path, identity)
    assert entries(path) == ["a", "é\n"]
    path.write_text("[1]\n")
    with pytest.raises(InputError, match="another format"):
        Journal(path, IDENTITY)


def test_overwrite_begins_anew(path):
    assert entries(path, IDENTITY | {"seed": 2}, overwrite=True) == []


def test_a_folder_that_cannot_be_written_to(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        Journal(tmp_path / "none" / "x.partial", IDENTITY)
