"""The limits on docs/security.md are those of the code."""

import re
import sys
from pathlib import Path

import pytest

from vqapg.annotation import judgements, server, session, sheet
from vqapg.data import picture_formats, pictures
from vqapg.errors import InputError
from vqapg.sampling import shards
from vqapg.strict_json import MAX_LINE_BYTES, parse_json
from vqapg.tasks import checkpoint_file, checkpoint_pickle

PAGE = Path(__file__).parents[2] / "docs/security.md"
LIMITS = {
    "pixels of an image": [picture_formats.MOST_PIXELS],
    "an image file, or a member of a tar shard": [pictures.MOST_BYTES],
    "members of a tar shard": [shards.MOST_MEMBERS],
    "depth of JSON": [sys.getrecursionlimit()],
    "digits of a whole number in JSON": [sys.get_int_max_str_digits()],
    "a line of JSON": [MAX_LINE_BYTES],
    "a checkpoint's content": [checkpoint_file.PICKLED],
    "a checkpoint's values and characters, each time they are referred to": [
        checkpoint_pickle.LARGEST_CONTENT
    ],
    "`session.json`, sheet": [session.LARGEST_SESSION],
    "`judgements.jsonl`": [judgements.LARGEST_FILE, judgements.LONGEST_LINE],
    "a judgement sent to the annotation page": [server.LONGEST_BODY],
    "connections to the annotation page at once": [server.MOST_CONNECTIONS],
}
UNITS = {"MiB": 1 << 20, "GiB": 1 << 30}


def limits_on_page():
    """{what: [number, ...]} of the table under "Limits"."""
    section = PAGE.read_text(encoding="utf-8").partition("## Limits")[2].partition("\n## ")[0]
    rows = [row.strip("| ").split(" | ") for row in section.splitlines() if row.startswith("|")]
    return {
        what: [
            int(digits.replace(",", "")) * UNITS.get(unit, 1)
            for digits, unit in re.findall(r"(\d[\d,]*)(?: ([MG]iB))?", limit)
        ]
        for what, limit in rows[2:]
    }


def test_limits_on_the_page_are_those_of_the_code():
    assert limits_on_page() == LIMITS
    assert sheet.LARGEST_SHEET == session.LARGEST_SESSION


def test_json_at_the_limits_is_refused_and_below_is_read():
    assert parse_json("[" * 800 + "]" * 800, "x", "y")
    assert parse_json("9" * 4300, "x", "y") == int("9" * 4300)
    for text in ("[" * 1000 + "]" * 1000, "9" * 4301):
        with pytest.raises(InputError, match="^x: .*; y$"):
            parse_json(text, "x", "y")
