"""scripts/environment.sh, sourced by hand and by scripts, with a stand-in for Python."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.fairseq_commands import REPOSITORY

# It notes what it is called for. PIP says what an installation does.
PYTHON = """#!/bin/sh
echo "$*" >> "$CALLS"
case $* in
    -c*) exit ${VERSION-0} ;;
    *venv*) rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    *pip*) eval "${PIP-}" ;;
esac
"""


class Clone:
    """A clone that has the two scripts only, and what a shell of *folder* says in it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.calls = folder / "my clone", folder / "calls"
        (self.root / "scripts").mkdir(parents=True)
        for name in ("environment.sh", "install.sh"):
            shutil.copy(REPOSITORY / "scripts" / name, self.root / "scripts")
        for name in ("setup.py", "pyproject.toml"):
            (self.root / name).write_text(name)
        self.python = folder / "python3"
        self.python.write_text(PYTHON)
        self.python.chmod(0o755)
        self.stamp = self.root / ".venv/made-for"

    def shell(self, *lines: str, **environment: str) -> subprocess.CompletedProcess[str]:
        unset = {key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"}
        path = os.pathsep.join([str(self.python.parent), os.environ["PATH"]])
        return subprocess.run(
            ["bash", "-c", "\n".join(lines)],
            cwd=self.root.parent,
            env=unset | {"CALLS": str(self.calls), "PATH": path} | environment,
            capture_output=True,
            text=True,
        )

    def installs(self) -> int:
        return self.calls.read_text().count("pip install") if self.calls.exists() else 0


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


SOURCE = 'source "my clone/scripts/environment.sh"'


@pytest.mark.parametrize(
    "environment, status",
    [({"PIP": "exit 3"}, 3), ({"PIP": "kill -9 $PPID; sleep 1"}, 137), ({"VERSION": "1"}, 2)],
    ids=["failed", "killed", "old Python"],
)
def test_failed_install_leaves_shell_and_no_stamp(clone, environment, status):
    done = clone.shell(SOURCE, "echo status $?", "echo $PATH", **environment)
    assert f"status {status}" in done.stdout and f"{clone.root}/.venv" not in done.stdout
    assert not clone.stamp.exists()
    before = clone.installs()
    done = clone.shell(SOURCE, "command -v python")
    assert done.stdout.endswith(f"{clone.root}/.venv/bin/python\n"), done.stderr
    assert clone.installs() == before + 1 and clone.stamp.exists()


def test_old_python_is_one_line_with_the_cure(clone):
    done = clone.shell(SOURCE, PYTHON=str(clone.python), VERSION="1")
    line = f"error: {clone.python} is not Python 3.11 or 3.12; name one that is: "
    assert done.stderr == f"{line}export PYTHON=python3.11\n"


def test_shell_keeps_folder_options_and_variables(clone):
    done = clone.shell(
        'state() { echo "$PWD $-"; shopt -po; compgen -A function; compgen -v; }',
        "before= after=; before=$(state)",
        SOURCE,
        "after=$(state)",
        'diff <(echo "$before") <(echo "$after")',
    )
    changed = [line for line in done.stdout.splitlines() if line[0] in "<>"]
    assert changed == ["> PYTHONWARNINGS"]


def test_script_that_stops_at_errors_stops(clone):
    done = clone.shell("set -euo pipefail", SOURCE, "echo went on", PIP="exit 3")
    assert done.returncode == 3 and "went on" not in done.stdout


def test_whole_install_is_made_once(clone):
    assert clone.shell(SOURCE, SOURCE).returncode == 0 and clone.installs() == 1
    (clone.root / "setup.py").write_text("another")
    assert clone.shell(SOURCE).returncode == 0 and clone.installs() == 2
    assert clone.shell(SOURCE, PYTHON=str(clone.python)).returncode == 0 and clone.installs() == 3
