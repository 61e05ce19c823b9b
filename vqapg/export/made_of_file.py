"""What a file of generated pairs tells of how they were made, for the card of a data set."""

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from vqapg.evaluation.generated import ReadPair
from vqapg.files import sha256

# What fairseq-generate logs before the pairs: one line with all its settings. It comes into the
# file only where nothing that fairseq imports has set the log up before.
LOGGED = re.compile(r".*fairseq_cli\.generate(?: \| |:)(\{.*\})")
NOT_RECORDED = "not recorded in the file; `vqapg export --checkpoint CKPT` names it"
LINES = 50
SETTINGS = (
    "path",
    "seed",
    "beam",
    "nbest",
    "sampling",
    "sampling_topk",
    "sampling_topp",
    "temperature",
    "latent_temperature",
    "refine",
    "rescore",
)
VALUE = r"'{}': ('[^']*'|[-+.\w]+)"


def made_of_file(
    path: Path, read: Sequence[ReadPair], checkpoint: Path | None = None
) -> dict[str, object]:
    """{what: value}.

    Args:
        path: what fairseq-generate wrote, or JSON lines
        read: what was read from it
        checkpoint: of the model that made the pairs, as the user says; None: not said
    """
    made: dict[str, object] = {"file of the pairs": _named(path), "model": NOT_RECORDED}
    records = [one.record for one in read if one.record is not None]
    for key in ("model", "seed"):
        if values := {str(record[key]): None for record in records if key in record}:
            made[key] = ", ".join(values)
    if not records:
        made |= _logged(path)
    return made if checkpoint is None else made | {"model": _named(checkpoint)}


def _named(path: Path) -> str:
    return f"{path.name}, SHA-256 {sha256(path)[:12]}"


def _logged(path: Path) -> dict[str, object]:
    """The settings that fairseq-generate logged; nothing where it logged elsewhere."""
    with open(path, encoding="utf-8") as file:
        found = next(filter(None, map(LOGGED.match, islice(file, LINES))), None)
    if found is None:
        return {}
    made: dict[str, object] = {}
    for name in SETTINGS:
        value = re.search(VALUE.format(name), found[1])
        if value is not None:
            made["model" if name == "path" else name] = value[1].strip("'")
    checkpoint = Path(str(made.get("model", "")))
    # A checkpoint that is newer is another one than that which made the pairs.
    if checkpoint.is_file() and checkpoint.stat().st_mtime <= path.stat().st_mtime:
        made["model"] = _named(checkpoint)
    return made
