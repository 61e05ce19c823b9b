"""Whether P by a judge may be relied on: one line, made by ``check-evaluator`` and shown with P.

P, the share of pairs that the judge accepts, is ``t a + (1 - t) (1 - r)``. Here t is the share of
right pairs, a how many right ones the judge accepts, and r how many wrong ones it rejects. So P is
too high by up to 1 - r and too low by up to 1 - a. The rules are these:

- r and a must reach 80%. Below, P can be off by more than 20 points, which is more than models
  differ by. r is over wrong answers that people wrote, or else over hard negatives.
- The image-swapped AUC must reach .75. A blind judge has .5: its P says nothing of the image.
- At least 100 wrong pairs must have been judged. With fewer, the interval of r is 16 points wide.

A verdict stands beside the checkpoint, as ``CKPT.verdict.json``. The checkpoint is never written
to. The verdict of a judge that has none stands in the data directory. It holds what identifies the
judge, the checkpoint's SHA-256 with it, and is passed over where that is another now.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from vqapg.errors import InputError, printable
from vqapg.files import check_readable_file
from vqapg.judges.judge import Judge, names_within
from vqapg.strict_json import read_json
from vqapg.targets import check_target, our_json, write_json

LEAST_SHARE = 0.8
LEAST_AUC = 0.75
LEAST_WRONG_PAIRS = 100
LARGEST = 1 << 20  # bytes
RUN = "run vqapg check-evaluator"
NOT_CHECKED = f"not checked: {RUN}"
STALE = f"not checked: the verdict that is there is of another judge; {RUN}"
CURE = f"delete it, and {RUN}"


SWAPPED = re.compile(r"image-swapped AUC (\S+)")
NOTICES, MISSES = r"notices a wrong image (AUC \1)", r"often misses a wrong image (AUC \1)"
CIRCULAR = "the same judge chose {}: P says nothing of them; use another judge, or people"


class Verdict(TypedDict):
    """What is said of a judge.

    Attributes:
        text: one line for people
        rely: whether P may be used as a rough figure; None where nobody checked
    """

    text: str
    rely: bool | None


def verdict_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict by a report of ``check-evaluator``, with the figures that it rests on."""
    kind = "people" if "people" in report["negatives"] else "hard"
    negatives = report["negatives"][kind]
    if "truth" in negatives:
        negatives = negatives["truth"]["without_true"]
    figures = negatives["by_type"]["all"]
    rejects, accepts = figures["accuracy_negatives"], figures["accuracy_positives"]
    area = report["image_swap"]["auc"]
    text, rely = _judged(rejects["value"], accepts["value"], area["value"], rejects["n"])
    return {
        "text": text,
        "rely": rely,
        "wrong_pairs": kind,
        "rejects_wrong": rejects,
        "accepts_right": accepts,
        "image_swapped_auc": area,
        "split": report["split"],
    }


def _judged(
    rejects: float | None, accepts: float | None, area: float | None, wrong_pairs: int
) -> tuple[str, bool]:
    if rejects is None or accepts is None or wrong_pairs < LEAST_WRONG_PAIRS:
        few = f"checked on {wrong_pairs} wrong pairs, fewer than {LEAST_WRONG_PAIRS}"
        return f"{few}: do not rely on P", False
    shown = {
        f"rejects {100 * rejects:.0f}% of wrong pairs": rejects >= LEAST_SHARE,
        f"accepts {100 * accepts:.0f}% of right pairs": accepts >= LEAST_SHARE,
    }
    if area is None:
        shown["cannot be shown to see the image"] = False
    else:
        shown[f"image-swapped AUC {area:.2f}"] = area >= LEAST_AUC
    failed = [words for words, passed in shown.items() if not passed]
    if failed:
        return f"{', '.join(failed)}: do not rely on P", False
    high, low = 100 * (1 - rejects), 100 * (1 - accepts)
    reach = f"P may be {high:.0f} points too high or {low:.0f} too low"
    return f"{', '.join(shown)}: {reach}", True


def verdict_path(identity: Mapping[str, Any], data: str | os.PathLike[str] | None) -> Path | None:
    """Where the verdict on a judge stands.

    Args:
        identity: of the judge
        data: the data directory; None where there is none

    Returns:
        None where there is no place for it
    """
    path = identity.get("path")
    if isinstance(path, str) and os.path.exists(path):
        return Path(f"{path.rstrip('/')}.verdict.json")
    if data is None:
        return None
    known = json.dumps(_known(identity), sort_keys=True, default=str)
    return Path(data) / f"judge-{hashlib.sha256(known.encode()).hexdigest()[:12]}.verdict.json"


def check_verdict_path(path: Path) -> None:
    """Raises InputError where something stands at *path* that vqapg did not write."""
    check_target(path, our_json, overwrite=True)


def write_verdict(report: Mapping[str, Any], path: Path) -> None:
    """Write the verdict of a *report*, with the judge and provenance that the report names.

    An earlier verdict is replaced: it is made of a checkpoint and data, and can be made again.

    Raises:
        InputError: if *path* holds something else, or cannot be written to
    """
    content = {
        **report["verdict"],
        "judge": _known(report["judge"]),
        "dataset": report["dataset"],
        "provenance": report["provenance"],
    }
    write_json(path, content, overwrite=True)


def stored_verdict(
    identity: Mapping[str, Any], data: str | os.PathLike[str] | None = None
) -> Verdict | None:
    """What ``check-evaluator`` said of a judge.

    Args:
        identity: of the judge
        data: the data directory; None where there is none

    Returns:
        None for a judge that is the truth itself
    """
    if identity.get("judge") == "truth":
        return None
    path = verdict_path(identity, data)
    if path is None or not path.exists():
        return {"text": NOT_CHECKED, "rely": None}
    try:
        stored = read_json(check_readable_file(path, CURE, LARGEST), CURE)
    except (InputError, FileNotFoundError, NotADirectoryError):
        stored = None
    found = verdict_in({"verdict": stored})
    if found is None or our_json(path):
        return {"text": f"not checked: {path.name} cannot be read; {CURE}", "rely": None}
    if stored.get("judge") != json.loads(json.dumps(_known(identity), default=str)):
        return {"text": STALE, "rely": None}
    return found


def verdict_on_chosen(judge: Judge, choosers: Sequence[str | None]) -> Verdict | None:
    """What P by *judge* is worth where pairs were chosen by its own scores.

    Args:
        judge: who scores the pairs; of several that are averaged, each counts
        choosers: for each pair the names of the judges that chose it, by commas, or None

    Returns:
        None where it chose none of them
    """
    names = set(names_within(judge))
    chosen = sum(bool(names & {chooser, *chooser.split(", ")}) for chooser in choosers if chooser)
    if not chosen:
        return None
    which = "these pairs" if chosen == len(choosers) else f"{chosen:,} of these pairs"
    return {"text": CIRCULAR.format(which), "rely": False}


def stored_rejection(
    identity: Mapping[str, Any], data: str | os.PathLike[str] | None = None
) -> float | None:
    """The share of wrong pairs that a judge rejected in ``check-evaluator``.

    Args:
        identity: of the judge
        data: the data directory; None where there is none

    Returns:
        None where nobody checked the judge, or on too few wrong pairs
    """
    verdict, path = stored_verdict(identity, data), verdict_path(identity, data)
    if verdict is None or verdict["rely"] is None or path is None:
        return None
    figure = read_json(path, CURE).get("rejects_wrong")
    if not isinstance(figure, dict):
        return None
    share, count = figure.get("value"), figure.get("n")
    if not isinstance(share, float) or not isinstance(count, int) or count < LEAST_WRONG_PAIRS:
        return None
    return share


def in_words(verdict: Verdict) -> str:
    """A verdict for somebody who has not heard of P; it goes on from "the judge"."""
    figures, _, rest = verdict["text"].partition(": ")
    if verdict["rely"] is None:
        return f"has not been checked, so nobody knows what its numbers are worth: {rest}"
    if figures.startswith("checked on"):
        return f"was {figures}, so nobody knows what its numbers are worth"
    if verdict["rely"]:
        return f"tells most right pairs from wrong ones: it {SWAPPED.sub(NOTICES, figures)}"
    return f"cannot tell right from wrong pairs well: it {SWAPPED.sub(MISSES, figures)}"


def verdict_in(stored: Mapping[str, Any]) -> Verdict | None:
    """The verdict that metrics.json or evaluator.json holds; None where it holds none."""
    verdict = stored.get("verdict")
    if not isinstance(verdict, dict) or not isinstance(verdict.get("text"), str):
        return None
    rely = verdict.get("rely")
    # A line of text whoever wrote it.
    text = printable(" ".join(verdict["text"].split()))
    return {"text": text, "rely": rely if isinstance(rely, bool) else None}


def _known(identity: Mapping[str, Any]) -> dict[str, Any]:
    """What tells a judge from others; the place of its file does not."""
    return {key: value for key, value in identity.items() if key != "path"}
