"""What is printed: one line, nothing that a terminal obeys, no traceback when nobody reads it."""

import os
import sys

import pytest

from vqapg.cli import main
from vqapg.errors import InputError, RunError, printable
from vqapg.tasks import one_line_errors

# A photograph's name that makes a second line, turns a terminal red, and writes from right to left.
NAME = "a\nb\x1b[31m\u202e.jpg"
SHOWN = "a\\nb\\x1b[31m\\u202e.jpg"


def test_names_are_shown_without_what_a_terminal_obeys():
    assert printable(NAME) == SHOWN
    assert printable("\udcff\t\x7f\x9b\r") == "\\udcff\\t\\x7f\\x9b\\r"
    assert printable("Café “中文” \\n") == "Café “中文” \\n"


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError(NAME), 2, f"vqapg user-dir: error: {SHOWN}\n"),
        (RunError(NAME), 1, f"vqapg user-dir: failed: {SHOWN}\n"),
        (KeyboardInterrupt(NAME), 130, f"vqapg user-dir: interrupted; {SHOWN}\n"),
        (IsADirectoryError(21, "Is a directory", NAME), 2, f"error: {SHOWN}: Is a directory\n"),
    ],
)
def test_error_about_a_hostile_name_is_one_line(monkeypatch, capsys, error, status, line):
    assert run(monkeypatch, error) == status
    said = capsys.readouterr().err
    assert said.endswith(line) and said.count("\n") == 1


def test_fairseq_error_about_a_hostile_name_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fairseq-generate"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    one_line_errors.report_errors()
    with pytest.raises(SystemExit):
        sys.excepthook(InputError, InputError(NAME), None)
    assert capsys.readouterr().err == f"fairseq-generate: error: {SHOWN}\n"


def run(monkeypatch, error=None, text=""):
    """The status of a command that prints *text* and ends with *error*."""

    def command(args):
        print(text)
        if error is not None:
            raise error

    monkeypatch.setattr("vqapg.cli.user_dir.run", command)
    return main.main(["user-dir"])


def test_name_that_the_encoding_lacks_is_printed_escaped(monkeypatch, capsys):
    assert run(monkeypatch, text="\udcff.jpg") == 0
    assert capsys.readouterr().out == "\\udcff.jpg\n"


# Short text fails when it is flushed at the end, long text while the command prints.
@pytest.mark.parametrize(
    ("device", "text"),
    [("/dev/full", "text"), ("pipe without a reader", "text"), ("a pipe", "text" * 10_000)],
)
def test_output_that_nobody_takes_is_one_line(monkeypatch, capsys, device, text):
    if device == "/dev/full":
        stream = open(device, "w")
    else:
        reader, writer = os.pipe()
        os.close(reader)
        stream = os.fdopen(writer, "w")
    monkeypatch.setattr(sys, "stdout", stream)
    assert run(monkeypatch, text=text) == 1
    stream.close()  # would raise where what was printed is still waiting
    said = capsys.readouterr().err
    assert "failed: what it prints cannot be written" in said and said.count("\n") == 1
