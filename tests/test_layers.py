"""Imports point one way, and a file name has one meaning."""

import subprocess
import sys
from collections import Counter

from tests.support.fairseq_commands import REPOSITORY


def test_imports_point_downwards():
    # A process of its own: it sets logging up anew, which closes the handlers of all other tests.
    lint = (
        "import sys; from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", lint], cwd=REPOSITORY, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_two_modules_outside_cli_share_a_name():
    package = REPOSITORY / "vqapg"
    modules = [path for path in package.rglob("*.py") if path.parent.name != "cli"]
    names = Counter(path.name for path in modules if path.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []
