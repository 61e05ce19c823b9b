"""The card of a folder of pairs: README.md, with the head that the Hugging Face hub reads.

https://huggingface.co/docs/hub/datasets-cards
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from vqapg.errors import printable
from vqapg.export.licences import OTHER, UNKNOWN
from vqapg.export.pair_origin import Origin
from vqapg.provenance import provenance

NAME = "README.md"
# The last line tells whether somebody edited the card.
MARK = re.compile(rb"<!-- by vqapg: ([0-9a-f]{64}) -->\n\Z")
SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
COLUMNS = {
    "image": "the picture",
    "source": "the name of the picture where it was found",
    "question": "the question",
    "answer": "the answer",
    "score": "the model's mean log-probability of a token, in nats",
    "consistency": "how sure the judge is that the answer is right, from 0 to 1",
    "chosen_by": "the judge that chose the pair",
    "id": "the number of the pair in the file that it was read from",
    "seed": "of all draws",
    "draw": "which draw of the image it is",
    "model": "what made the pair, with the beginning of its checkpoint's SHA-256",
}
NOBODY_SAID = (
    "Nobody has said under which licence these pairs may be used. If you made them, run the "
    "command again with `--license ID --overwrite`. ID is an identifier of the hub, such as "
    "`cc-by-4.0`."
)
OTHER_LICENCE = (
    "The licence is not on the hub's list. Add its text as a file `LICENSE`, and its name as "
    "`license_name` to the head of this card."
)
DEMO = (
    "The demo of vqapg made these pairs. It was trained on questions and answers of [VQA "
    "v2.0](https://visualqa.org/terms.html), by Goyal, Khot, Summers-Stay, Batra and Parikh "
    "(*Making the V in VQA Matter*, CVPR 2017). Their licence is [CC BY "
    "4.0](https://creativecommons.org/licenses/by/4.0/). The demo is given under the same licence."
)


class Split(NamedTuple):
    """How much a split holds."""

    images: int
    pairs: int


def card(folder: str, splits: Mapping[str, Split], columns: Iterable[str], origin: Origin) -> bytes:
    """The content of README.md.

    Args:
        folder: the name of the folder
        splits: by the name of the split, which is its folder's too
        columns: of the rows
        origin: where the pairs come from
    """
    folder = printable(folder)
    pairs = sum(split.pairs for split in splits.values())
    sections = [
        f"---\n{_head(folder, splits, pairs, origin)}---",
        f"# Question-answer pairs: {_cell(folder)}",
        f"{pairs:,} question-answer pairs about pictures. A model made them, and no person wrote "
        "them. Some of them are wrong.",
        *_content(folder, splits, columns),
        *_making(origin),
        *_licence(origin),
        "## Images",
        printable(origin.images),
        "The files are as they were, with what a camera wrote into them, such as time and place. "
        "A picture that `datasets` cannot open is here as PNG.",
    ]
    text = "\n\n".join(sections).encode() + b"\n\n"
    return text + f"<!-- by vqapg: {hashlib.sha256(text).hexdigest()} -->\n".encode()


def edited_card(folder: Path) -> str | None:
    """Says so where somebody changed the card of *folder*; None for one as vqapg wrote it."""
    path = folder / NAME
    if not path.exists():
        return None  # a folder of an earlier version
    content = path.read_bytes()
    mark = MARK.search(content)
    if mark and hashlib.sha256(content[: mark.start()]).hexdigest().encode() == mark[1]:
        return None
    return f"its {NAME} was changed since vqapg wrote it"


def _head(folder: str, splits: Mapping[str, Split], pairs: int, origin: Origin) -> str:
    head: dict[str, Any] = {
        "license": origin.license or UNKNOWN,
        "pretty_name": f"Question-answer pairs: {folder}",
        # vqapg's tokens are those of English
        "language": ["en"],
        "task_categories": ["visual-question-answering"],
        "tags": ["synthetic"],
        "size_categories": [SIZES[min(max(len(str(pairs)) - 3, 0), len(SIZES) - 1)]],
    }
    if splits:
        files = [{"split": name, "path": f"{name}/**"} for name in splits]
        head["configs"] = [{"config_name": "default", "data_files": files}]
    text: str = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=1000)
    return text


def _content(folder: str, splits: Mapping[str, Split], columns: Iterable[str]) -> list[str]:
    if not splits:
        return ["No pair was kept, so `datasets` has nothing to load here."]
    of_splits = [(name, f"{n.images:,}", f"{n.pairs:,}") for name, n in splits.items()]
    of_columns = [(f"`{name}`", COLUMNS.get(name, "")) for name in columns]
    name = json.dumps(folder, ensure_ascii=False)
    return [
        "## What is in it",
        _table(("split", "images", "pairs"), of_splits),
        _table(("column", "what it holds"), of_columns),
        f"```python\nfrom datasets import load_dataset\n\npairs = load_dataset({name})\n```",
    ]


def _making(origin: Origin) -> list[str]:
    block = provenance()
    made = {**origin.made, "vqapg": block["vqapg"], "commit": block["commit"]}
    rows = [(_cell(what), _cell(value)) for what, value in made.items() if value is not None]
    return [
        "## How the pairs were made",
        _table(("what", "value"), rows),
        "The command that wrote this folder:",
        # Indented: a fence could stand in the command.
        "    " + printable(block["command"]),
    ]


def _licence(origin: Origin) -> list[str]:
    found = {None: NOBODY_SAID, UNKNOWN: NOBODY_SAID, OTHER: OTHER_LICENCE}.get(
        origin.license,
        f"The maker of this folder gives the licence `{origin.license}` to questions and answers. "
        "The images keep their own terms.",
    )
    return ["## Licence", found, *([DEMO] if origin.by_demo else [])]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    """*value* as text that ends no cell and makes no tag."""
    return re.sub(r"([\\|<>`*_\[\]])", r"\\\1", printable(value))
