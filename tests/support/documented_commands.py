"""The commands of a Markdown page's code blocks."""

import re
import shlex
from collections.abc import Iterator

BLOCK = re.compile(r"^```\w*\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
PROGRAMS = ("vqapg ", "bash scripts/", "python benchmarks/")


def blocks_of_commands(text: str) -> Iterator[list[list[str]]]:
    """Each block's commands as words, without settings of the environment."""
    for block in BLOCK.findall(text):
        found = []
        for line in block.replace("\\\n", " ").splitlines():
            line = re.sub(r"^((\w+=\S+) +)+", "", line)
            if line.startswith(PROGRAMS):
                found.append(shlex.split(line, comments=True))
        yield found
