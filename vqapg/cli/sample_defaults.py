"""What ``vqapg sample`` says of files that are not named: the demo's, and its outputs."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from vqapg import demo
from vqapg.errors import InputError

DEMO_NOTE = (
    "the demo makes the pairs: a small model that asks little but yes-or-no questions, and is "
    "often wrong (docs/demo.md); --checkpoint takes a model of your own"
)


def note_demo(checkpoint: str) -> None:
    """Says to stderr that the demo makes the pairs, if *checkpoint* is its."""
    if demo.name_of(checkpoint) == demo.NAME:
        print(f"note: {DEMO_NOTE}", file=sys.stderr)


def output_beside(html: str | None) -> str:
    """The file of pairs beside the page *html*.

    Raises:
        InputError: if there is no page, or its name could be that of the pairs
    """
    if html is None:
        raise InputError("--output: where to? give --output FILE, or --html FILE")
    path = Path(html)
    if path.suffix not in (".html", ".htm"):
        raise InputError(f"--html {html}: must end in .html; or give --output too")
    return str(path.with_suffix(".jsonl"))


@contextlib.contextmanager
def named_by_html(html: str) -> Iterator[None]:
    """Within, an InputError of the output names ``--html``: nobody gave ``--output``.

    Args:
        html: as it was given
    """
    try:
        yield
    except InputError as error:
        if not str(error).startswith("--output "):
            raise
        path, colon, told = str(error).removeprefix("--output ").partition(": ")
        raise type(error)(f"{path}{colon}{told} (--html {html} has its pairs there)") from None


def own_output(output: str, shard: tuple[int, int] | None) -> str:
    """A hint for the shards of a run, which must not replace each other's output."""
    if shard is None:
        return ""
    path = Path(output)
    own = path.with_name(f"{path.stem}-{shard[0]}{path.suffix}")
    return f"; each shard needs an output of its own, such as {own}"
