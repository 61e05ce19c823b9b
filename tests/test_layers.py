"""Imports point one way, and a file name has one meaning."""

from collections import Counter

from importlinter.cli import lint_imports

from tests.support.fairseq_commands import REPOSITORY


def test_imports_point_downwards(monkeypatch, capsys):
    monkeypatch.chdir(REPOSITORY)
    broken = lint_imports(no_cache=True)
    assert broken == 0, capsys.readouterr().out


def test_no_two_modules_outside_cli_share_a_name():
    package = REPOSITORY / "vqapg"
    modules = [path for path in package.rglob("*.py") if path.parent.name != "cli"]
    names = Counter(path.name for path in modules if path.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []
