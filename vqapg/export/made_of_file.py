"""What a file of generated pairs tells of how they were made, for the card of a data set."""

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from vqapg.evaluation.generated import ReadPair
from vqapg.files import sha256

# What fairseq-generate logs before the pairs: one line with all its settings.
LOGGED = re.compile(r".*\| fairseq_cli\.generate \| (\{.*\})")
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


def made_of_file(path: Path, read: Sequence[ReadPair]) -> dict[str, object]:
    """{what: value}.

    Args:
        path: what fairseq-generate wrote, or JSON lines
        read: what was read from it
    """
    made: dict[str, object] = {"file of the pairs": f"{path.name}, SHA-256 {sha256(path)[:12]}"}
    records = [one.record for one in read if one.record is not None]
    for key in ("model", "seed"):
        if values := {str(record[key]): None for record in records if key in record}:
            made[key] = ", ".join(values)
    return made if records else made | _logged(path)


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
        made["model"] = f"{checkpoint.name}, SHA-256 {sha256(checkpoint)[:12]}"
    return made
