"""The prose of a Markdown page: its lines and sentences, without code and markup."""

import re
from collections.abc import Iterator
from typing import NamedTuple

FENCE = re.compile(r" *(```|~~~)")
# What begins a block of its own: a list item, a heading, a quotation.
ITEM = re.compile(r"\s*(?:[-*+]|\d+\.|#+|>)\s+")
# A sign that ends a sentence. The next may begin with a small letter: "vqapg reads them." After a
# quote or bracket it begins with a capital: "is it red?" is a question.
SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)\s+|(?<=[.!?][\"”)*])\s+(?=[A-Z0-9`(\[\"“*<-])"
)


class Sentence(NamedTuple):
    line: int  # of the page, from 1: where its block begins
    text: str

    @property
    def words(self) -> int:
        return len(self.text.split())


def numbered_prose(text: str) -> Iterator[tuple[int, str]]:
    """Lines outside of code blocks, with their numbers from 1; an empty one for each fence."""
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        opened = FENCE.match(line)
        if opened and fence in ("", opened[1]):
            fence = "" if fence else opened[1]
            yield number, ""
        elif not fence:
            yield number, line


def code_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines inside code blocks, with their numbers from 1."""
    prose = {number for number, _ in numbered_prose(text)}
    for number, line in enumerate(text.splitlines(), 1):
        if number not in prose:
            yield number, line


def anchors(text: str) -> set[str]:
    """What ``#...`` of a link may name: the headings, as GitHub spells them there."""
    found: set[str] = set()
    for _, line in numbered_prose(text):
        if heading := re.match(r"#+ +(.*)", line):
            words = re.sub(r"[^\w\- ]", "", plain(heading[1].replace("`", "")).lower().strip())
            first = anchor = words.replace(" ", "-")
            repeat = 0
            while anchor in found:
                repeat += 1
                anchor = f"{first}-{repeat}"
            found.add(anchor)
    return found


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Paragraphs, list items, headings and cells of tables, each with its first line's number."""
    begin, words = 0, []
    for number, line in [*numbered_prose(text), (0, "")]:
        row = line.lstrip().startswith("|")
        item = ITEM.match(line)
        if words and (row or item or not line.strip()):
            yield begin, " ".join(words)
            words = []
        if row:
            # A sign of a table's code, such as `a\|b`, ends no cell.
            yield from ((number, cell) for cell in re.split(r"(?<!\\)\|", line))
        elif line.startswith("#"):
            yield number, line.lstrip("# ")
        elif line.strip():
            begin = begin if words else number
            words.append((line[item.end() :] if item else line).strip())


def plain(text: str) -> str:
    """Text as it is read: a link is its text, a code span or an address one word."""
    text = re.sub(r"<!--.*?-->", "", text)
    text = re.sub(r"(`+).+?\1", lambda span: re.sub(r"\s+", "_", span[0]).replace(".", "·"), text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"https?://\S+", "ADDRESS", text)
    return re.sub(r"\*\*|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)", "", text)


def sentences(text: str) -> Iterator[Sentence]:
    for line, block in blocks(text):
        for sentence in SENTENCE_END.split(plain(block)):
            yield Sentence(line, sentence.strip())
