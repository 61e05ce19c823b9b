"""trained.json: how long the weights of a checkpoint were trained, as `vqapg checkpoint` writes it.

``{"weights": "best"|"last", "updates": their sum, "sub_models": [{"folder", "epoch", "updates",
"last_epoch"}]}``. The sub-models of a pipeline have an entry each; other models have one in all.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from vqapg.errors import InputError
from vqapg.reports.stored import field, read_json

NAME = "trained.json"
CURE = "make it again with vqapg checkpoint"
# Of a model of Table 8: where the weights lie that its fine-tuning began with.
PRETRAINED = "pre-training"
WEIGHTS = {"best": "best on dev", "last": "of the last epoch"}
UNKNOWN = "unknown"


class Trained(NamedTuple):
    """How long one model was trained.

    Attributes:
        weights: "best" or "last", which of the checkpoints is used
        updates: of all its sub-models together
        epochs: after which the weights were taken, one a sub-model
        preset: that its settings came from; None where trained.json does not say it
    """

    weights: str
    updates: int
    epochs: tuple[int, ...]
    preset: str | None = None


def read_trained(folder: Path) -> Trained | None:
    """``trained.json`` of the *folder* of a run; None where there is none.

    Updates of pre-training, from ``pre-training/trained.json``, count too.

    Raises:
        InputError: if it is not what ``vqapg checkpoint`` writes
    """
    found = _read(folder / NAME)
    before = _read(folder / PRETRAINED / NAME)
    if found is None or before is None:
        return found
    return found._replace(updates=found.updates + before.updates)


def _read(path: Path) -> Trained | None:
    if not path.exists():
        return None
    stored = read_json(path, CURE)
    weights = field(path, stored, "weights", str, CURE)
    if weights not in WEIGHTS:
        raise InputError(f"{path}: its weights are {weights!r}, not best or last; {CURE}")
    updates = field(path, stored, "updates", int, CURE)
    parts = field(path, stored, "sub_models", list, CURE)
    if not parts or not all(isinstance(part, dict) for part in parts):
        raise InputError(f"{path}: its sub_models are no list of objects; {CURE}")
    total = sum(field(path, part, "updates", int, CURE) for part in parts)
    if total != updates:
        raise InputError(f"{path}: says {updates} updates, but its sub-models have {total}; {CURE}")
    provenance = stored.get("provenance")
    preset = provenance.get("preset") if isinstance(provenance, dict) else None
    return Trained(
        weights,
        updates,
        tuple(field(path, part, "epoch", int, CURE) for part in parts),
        preset if isinstance(preset, str) else None,
    )


def updates_text(runs: Iterable[Trained | None], each: str = " a model") -> str:
    """How long *runs* were trained, for a caption: the range of updates, and which weights.

    Args:
        runs: None is one that has no trained.json
        each: whose updates they are; ends the range
    """
    every = list(runs)
    known = [run for run in every if run is not None]
    if not known:
        return UNKNOWN
    parts = [f"{_range([run.updates for run in known])}{each}"]
    for weights, meaning in WEIGHTS.items():
        epochs = [epoch for run in known if run.weights == weights for epoch in run.epochs]
        if epochs:
            parts.append(f"weights {meaning}, after epoch {_range(epochs)}")
    if len(known) < len(every):
        parts.append(f"{UNKNOWN} of {len(every) - len(known)} of the {len(every)} models")
    return "; ".join(parts)


def count_text(runs: Iterable[Trained | None]) -> str:
    """The range of the updates of *runs*, for a cell."""
    every = list(runs)
    known = [run.updates for run in every if run is not None]
    return _range(known) if known and len(known) == len(every) else UNKNOWN


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
