"""The commands of README.md and docs/ exist, with their flags; links lead somewhere.

What the commands do is tested where they are: tests/cli and tests/end_to_end run each of them.
"""

import re
import shlex
from pathlib import Path

import pytest

from vqapg.cli.main import build_parser

REPOSITORY = Path(__file__).parent.parent
PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((REPOSITORY / "docs").glob("**/*.md")),
    *sorted((REPOSITORY / "benchmarks").glob("*.md")),
]


def commands(page):
    """The commands of the page's code blocks as words, without settings of the environment."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            line = re.sub(r"^((\w+=\S+) )+", "", line)
            if line.startswith(("vqapg ", "bash scripts/", "python benchmarks/")):
                yield shlex.split(line, comments=True)


ALL = [
    pytest.param(words, id=f"{page.name}: {' '.join(words)[:60]}")
    for page in PAGES
    if page.parent.name != "extend"  # tests/extend checks these, with the package that they add
    for words in commands(page)
]


def test_there_are_commands_to_check():
    assert len(ALL) > 30


@pytest.mark.parametrize("words", ALL)
def test_a_documented_command_is_one(words):
    if words[0] == "vqapg":
        build_parser().parse_args(words[1:])
    else:
        assert (REPOSITORY / words[1]).is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_files_that_contributing_names_exist():
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Where is it?")[2].partition("\n## ")[0]
    files = re.findall(r"`([^`]+)`", table)
    assert len(files) >= 20
    assert [name for name in files if not (REPOSITORY / name).is_file()] == []
