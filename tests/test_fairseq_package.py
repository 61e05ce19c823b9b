"""Whoever has no fairseq, or another one, is told in one line which package to install."""

import argparse
import tomllib
from pathlib import Path

import fairseq
import pytest

from vqapg.cli import main as program
from vqapg.errors import InputError
from vqapg.fairseq_package import VERSION, check_version


@pytest.fixture
def command(monkeypatch):
    """command(error): ``vqapg anything`` whose import raises *error*; returns its exit status."""

    def run_with(error):
        def run(args):
            raise error

        parsed = argparse.Namespace(command="sample", run=run)
        parser = argparse.Namespace(parse_known_args=lambda argv: (parsed, []))
        monkeypatch.setattr(program, "build_parser", lambda *chosen: parser)
        return program.main(["sample"])

    return run_with


def test_missing_fairseq_is_one_line_with_its_package(command, capsys):
    assert command(ModuleNotFoundError("No module named 'fairseq'", name="fairseq")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vqapg sample: error: fairseq is missing; install it: ")
    assert "pip install ve-fairseq==0.12.3" in line


def test_another_missing_module_is_shown_as_before(command):
    with pytest.raises(ModuleNotFoundError):
        command(ModuleNotFoundError("No module named 'torch'", name="torch"))


def test_another_fairseq_version_is_refused_with_both_versions():
    check_version("0.12.3")
    with pytest.raises(InputError, match=r"^fairseq 0\.12\.2 is installed, .* needs 0\.12\.3; "):
        check_version("0.12.2")


def test_needed_version_is_the_one_that_pyproject_installs():
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    assert f"ve-fairseq=={VERSION}" in project["project"]["dependencies"]
    check_version(fairseq.__version__)
