"""Who judged the pairs of a study, for captions: which evaluator, how it was trained, and how often
it is right.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vqapg.errors import printable
from vqapg.evaluation.judge_verdict import NOT_CHECKED, Verdict, verdict_in
from vqapg.files import sha256
from vqapg.reports.measures import ACCURACY
from vqapg.reports.stored import check_figure, read_json
from vqapg.reports.trained import UNKNOWN, read_trained, updates_text

CURE = "make it again with vqapg check-evaluator"
NO_PART = "takes no part"
NOBODY = "none, no pair is judged"
HELD_OUT = ACCURACY["test"]


def identity_of(stored: Mapping[str, Any]) -> Any:
    """What tells the judge of *stored* figures from others; the place of its file does not."""
    judge = stored.get("judge", stored.get("evaluator"))
    if not isinstance(judge, dict):
        return judge
    return {key: value for key, value in judge.items() if key != "path"}


def evaluator_text(folder: Path, identity: Any, verdict: Verdict | None = None) -> str:
    """The judge that *identity* tells, for a caption, and whether P by it can be relied on.

    Args:
        folder: of the study. Its evaluators lie in ``evaluator*/``.
        identity: as :func:`identity_of` gives it; None where nobody judged, a text where somebody
            unknown did
        verdict: that was stored with the figures; one in an evaluator.json goes before it

    Raises:
        InputError: if an evaluator.json or trained.json is not what it should be
    """
    if identity is None:
        return NOBODY
    can_rely = f"; verdict: {verdict['text'] if verdict else NOT_CHECKED}"
    if not isinstance(identity, dict):
        return f"{UNKNOWN}; so are its negatives, updates and accuracy{can_rely}"
    digest, kind = identity.get("sha256"), identity.get("judge", "evaluator")
    if kind == "truth":
        return "none, the judge is the truth"
    if kind != "evaluator":
        return printable(f"none, the judge is {kind}{can_rely}")
    if not isinstance(digest, str):
        return f"{UNKNOWN}; so are its negatives, updates and accuracy{can_rely}"
    for path in sorted(folder.glob("evaluator*")):
        stored = read_evaluator(path)
        if _digest(path, stored) == digest:
            # It may have been checked after the pairs were evaluated.
            if found := verdict_in(stored or {}):
                can_rely = f"; verdict: {found['text']}"
            return f"{path.name}, {_training(path, stored)}{can_rely}"
    return printable(
        f"checkpoint {digest[:12]}, which is not of this study's; its negatives, updates and "
        f"accuracy are {UNKNOWN}{can_rely}"
    )


def read_evaluator(folder: Path) -> dict[str, Any] | None:
    """``evaluator.json`` of an evaluator's *folder*; None where there is none.

    Raises:
        InputError: if it is not what ``vqapg check-evaluator`` writes
    """
    path = folder / "evaluator.json"
    return read_json(path, CURE) if path.exists() else None


def negatives_of(stored: Mapping[str, Any] | None) -> str:
    """The ``--negatives`` that the evaluator of an evaluator.json was trained with."""
    evaluator = (stored or {}).get("evaluator")
    negatives = evaluator.get("negatives") if isinstance(evaluator, dict) else None
    return printable(negatives) if isinstance(negatives, str) else UNKNOWN


def _digest(folder: Path, stored: Mapping[str, Any] | None) -> object:
    """What tells the evaluator in *folder* from others; of its checkpoint where that is there."""
    checkpoint = folder / "final.pt"
    if checkpoint.is_file():
        return sha256(checkpoint)
    evaluator = (stored or {}).get("evaluator")
    return evaluator.get("sha256") if isinstance(evaluator, dict) else None


def _training(folder: Path, stored: Mapping[str, Any] | None) -> str:
    return (
        f"trained with {negatives_of(stored)} negatives; "
        f"updates {updates_text([read_trained(folder)], '')}; "
        f"accuracy {_accuracy(folder / 'evaluator.json', stored)}"
    )


def _accuracy(path: Path, stored: Mapping[str, Any] | None) -> str:
    """On held-out pairs and the negatives made of them, of the paper's kind."""
    try:
        figures = (stored or {})["negatives"]["paper"]["by_type"]["all"]
        split = str((stored or {}).get("split", "held-out"))
    except (KeyError, TypeError):
        return UNKNOWN
    if not isinstance(figures, dict):
        return UNKNOWN
    check_figure(path, figures, "accuracy", CURE)
    value = figures["accuracy"]["value"]
    if value is None:
        return UNKNOWN
    return printable(f"{HELD_OUT.text(value)}% on {split} pairs and their negatives")
