"""The log of a fairseq command, read while it grows."""

import pytest

from vqapg.study.program_log import LAST_LINES, last_said, read_from

OLD = "fairseq-train: error: old\n"


@pytest.fixture
def log(tmp_path):
    """log(TEXT) -> a log with TEXT behind what an earlier command wrote."""

    def write(text):
        path = tmp_path / "train.log"
        path.write_text(OLD + text)
        return path

    return write


@pytest.mark.parametrize("program", ["fairseq-train", "fairseq-generate"])
def test_the_end_is_the_error_of_the_program_where_there_is_one(log, program):
    path = log(f"reading\n{program}: error: a.pt: is cut short\nmore\n")
    assert last_said(path, len(OLD), program) == [f"{program}: error: a.pt: is cut short"]


def test_the_end_is_the_last_lines_where_there_is_no_error(log):
    path = log("".join(f"{number}\n\n" for number in range(30)))
    shown = last_said(path, len(OLD), "fairseq-train")
    assert shown == [str(number) for number in range(30)][-LAST_LINES:]
    assert last_said(log("new\n"), len(OLD), "fairseq-train") == ["new"]


def test_no_more_than_asked_for_is_read(log):
    path = log("0123456789")
    assert read_from(path, len(OLD)) == b"0123456789"
    assert read_from(path, len(OLD), most=3) == b"789"
    assert read_from(path, len(OLD), most=99) == b"0123456789"


def test_log_that_was_taken_away_says_nothing(tmp_path):
    assert read_from(tmp_path / "none", 0) == b""
    assert last_said(tmp_path / "none", 0, "fairseq-train") == []
