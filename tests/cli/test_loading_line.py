"""What stands on the screen before PyTorch is loaded."""

import os
import subprocess
import sys
import textwrap

import pytest
from PIL import Image

from tests.support.fairseq_commands import REPOSITORY
from tests.support.train_script import environment_of
from vqapg.cli.loading_line import SLOW
from vqapg.cli.main import COMMANDS

# Stands in for a slow library: a line on the screen, and the end.
STAND_IN = "import os, sys\nprint('SLOW', __name__, file=sys.stderr, flush=True)\nos._exit(7)\n"


@pytest.fixture
def slow_libraries(tmp_path, monkeypatch):
    """A current folder with what commands read; a stand-in is found for each slow library."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "libraries").mkdir()
    for name in SLOW:
        (tmp_path / "libraries" / f"{name}.py").write_text(STAND_IN)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (60, 40)).save(tmp_path / "photos/a.png")
    (tmp_path / "evaluator.pt").write_text("")
    (tmp_path / "pairs.jsonl").write_text("")
    path = os.pathsep.join([str(tmp_path / "libraries"), str(REPOSITORY)])
    return environment_of(tmp_path) | {"PYTHONPATH": path}


def started(words, environment):
    """The finished command."""
    command = [sys.executable, "-m", "vqapg.cli.main", *words.split()]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(
    "words",
    [
        "sample photos --checkpoint evaluator.pt --output new.jsonl",
        "evaluate DATA --pairs pairs.jsonl --output metrics.json",
        "score DATA --pairs pairs.jsonl --evaluator evaluator.pt --output scores.jsonl",
        "extract-features DATA",
        "check-evaluator DATA --evaluator evaluator.pt --output report.json",
        "annotate serve session",
    ],
)
def test_a_line_stands_there_before_slow_libraries(slow_libraries, words):
    done = started(words, slow_libraries)
    line, first, *more = done.stderr.splitlines()
    assert line == f"vqapg {words.split()[0]}: loading libraries"
    assert done.returncode == 7 and first.startswith("SLOW ") and more == []
    assert done.stdout == ""


def test_help_loads_no_slow_library(slow_libraries):
    ask = """
        import contextlib
        from vqapg.cli.main import COMMANDS, main
        for command in COMMANDS:
            with contextlib.suppress(SystemExit):
                main([command, "--help"])
    """
    code = [sys.executable, "-c", textwrap.dedent(ask)]
    done = subprocess.run(code, capture_output=True, text=True, env=slow_libraries)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\nexample:\n") == len(COMMANDS)


def test_bad_input_is_told_of_without_loading(slow_libraries):
    done = started("sample --output new.jsonl", slow_libraries)
    assert done.returncode == 2
    assert done.stderr == ("vqapg sample: error: IMAGES or --features DATA: give one of the two\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("generate.sh model.pt DATA out", "Getting ready to generate pairs of DATA with model.pt"),
        ("preprocess.sh scenes DATA", "Getting ready to prepare scenes in DATA at preset paper"),
    ],
)
def test_a_script_says_what_begins_before_python(slow_libraries, tmp_path, words, line):
    (tmp_path / "vqapg").write_text("#!/bin/sh\necho PYTHON >&2\nexit 7\n")
    (tmp_path / "vqapg").chmod(0o755)
    script, *arguments = words.split()
    (tmp_path / "DATA").mkdir()
    (tmp_path / "DATA/manifest.json").write_text("{}")
    (tmp_path / "model.pt").write_text("")
    done = subprocess.run(
        ["bash", REPOSITORY / "scripts" / script, *arguments],
        capture_output=True,
        text=True,
        env=slow_libraries,
        cwd=tmp_path,
    )
    assert done.stderr.startswith(line) and done.stderr.splitlines()[1] == "PYTHON"
    assert done.stdout == ""
