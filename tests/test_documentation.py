"""The commands of README.md and docs/ exist, links lead somewhere, lines and sentences are short.

What the commands do is tested where they are. tests/end_to_end/test_pages.py runs the blocks of the
data sets' pages; tests/cli and tests/end_to_end run every sub-command.
"""

import re
from pathlib import Path

import pytest

from tests.support.documented_commands import blocks_of_commands, parse
from tests.support.prose import anchors, code_lines, numbered_prose, sentences
from vqapg.errors import InputError

REPOSITORY = Path(__file__).parent.parent
PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((REPOSITORY / "docs").glob("**/*.md")),
    *sorted((REPOSITORY / "benchmarks").glob("*.md")),
]
# Those whose lines and sentences are measured.
PROSE = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    REPOSITORY / "benchmarks/README.md",
    *sorted((REPOSITORY / "docs").glob("**/*.md")),
]
LONGEST_LINE = 100
MOST_WORDS = 35
# What begins a command of a code block. Other lines there are output or files.
COMMAND = re.compile(r"\s*(\w+=\S+ )*(vqapg|fairseq-[a-z-]+|bash|python|pip|curl|ray|git) ")


def name(page):
    return page.relative_to(REPOSITORY).as_posix()


ALL = [
    pytest.param(words, id=f"{page.name}: {' '.join(words)[:60]}")
    for page in PAGES
    if page.parent.name != "extend"  # tests/extend checks these, with the package that they add
    for block in blocks_of_commands(page.read_text(encoding="utf-8"))
    for words in block
]


def test_there_are_commands_to_check():
    assert len(ALL) > 30


@pytest.mark.parametrize("words", ALL)
def test_a_documented_command_is_one(words):
    parse(words)


@pytest.mark.parametrize(
    "command",
    [
        "vqapg evaluate data --no-such-flag",
        "bash scripts/train.sh joint data --no-such-flag 1",
        "bash scripts/train.sh no_such_model data",
        "bash scripts/train.sh joint data --preset none",
        "bash scripts/generate.sh model.pt data out --no-such-flag",
        "bash scripts/reproduce.sh easy-vqa --no-such-flag",
        "bash scripts/none.sh",
        "fairseq-generate data --path model.pt --task none",
        "fairseq-train data $(vqapg settings joint --preset small) --no-such-flag",
        "python benchmarks/fuzz.py --no-such-flag",
    ],
)
def test_a_command_that_is_none_is_found(command):
    [[words]] = blocks_of_commands(f"```\n{command}\n```\n")
    with pytest.raises((AssertionError, InputError, SystemExit)):
        parse(words)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_has_no_place_left_to_fill_in(page):
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"(?<![`\w])(?:TODO|HEADLINE|TABLE|TBD|XXX)(?![`\w])", text) == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files_and_to_headings(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if target.startswith("http"):
            continue
        file = page.parent / target if target else page
        assert file.exists(), link
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("page", PROSE, ids=name)
def test_lines_of_prose_have_at_most_100_characters(page):
    lines = numbered_prose(page.read_text(encoding="utf-8"))
    assert [
        f"{name(page)}:{number}: {len(line)} characters"
        for number, line in lines
        if len(line) > LONGEST_LINE and not line.startswith("|")
    ] == []


@pytest.mark.parametrize("page", PROSE, ids=name)
def test_commands_have_at_most_100_characters_a_line(page):
    lines = code_lines(page.read_text(encoding="utf-8"))
    assert [
        f"{name(page)}:{number}: {len(line)} characters; break it with a backslash"
        for number, line in lines
        if len(line) > LONGEST_LINE and COMMAND.match(line)
    ] == []


@pytest.mark.parametrize("page", PROSE, ids=name)
def test_sentences_have_at_most_35_words(page):
    assert [
        f"{name(page)}:{sentence.line}: {sentence.words} words: {sentence.text}"
        for sentence in sentences(page.read_text(encoding="utf-8"))
        if sentence.words > MOST_WORDS
    ] == []


def test_files_that_contributing_names_exist():
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Where is it?")[2].partition("\n## ")[0]
    files = re.findall(r"`([^`]+)`", table)
    assert len(files) >= 20
    assert [name for name in files if not (REPOSITORY / name).is_file()] == []


def test_the_list_of_pages_has_every_page():
    docs = REPOSITORY / "docs"
    listed = set(re.findall(r"\]\(([\w/-]+\.md)\)", (docs / "README.md").read_text()))
    assert listed == {path.relative_to(docs).as_posix() for path in docs.glob("**/*.md")} - {
        "README.md"
    }
