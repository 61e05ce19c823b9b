"""Figures as other commands store them, ``{"value", "n", "ci95"}``, and their mean over seeds."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from vqapg import strict_json
from vqapg.errors import InputError
from vqapg.evaluation.metric import Measure
from vqapg.files import check_readable_file
from vqapg.targets import LARGEST_JSON

T = TypeVar("T")
# {seed: what is stored of the run}
Runs = Mapping[int, Mapping[str, Any]]
KINDS = {int: "whole number", str: "text", list: "list", dict: "object"}
SEED_FOLDER = re.compile(r"seed-(\d+)")


def read_json(path, cure):
    """The object in the JSON file *path*. Raises InputError, ending in *cure*, where
    there is none.
    """
    check_readable_file(path, cure, LARGEST_JSON)
    try:
        stored = strict_json.read_json(path, cure)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error.strerror}); {cure}") from error
    if not isinstance(stored, dict):
        raise InputError(f"{path}: holds no figures; {cure}")
    return stored


def field(path: Path, stored: Mapping[str, Any], key: str, kind: type[T], cure: str) -> T:
    """What *stored*, which is from *path*, has under *key*, if it is of that *kind*.

    Whole numbers must not be negative. A text must not be empty or hold what no line of text may.

    Raises:
        InputError: if it is none, ending in *cure*
    """
    value = stored.get(key)
    if type(value) is not kind or (isinstance(value, int) and value < 0):
        raise InputError(f"{path}: has no {KINDS[kind]} under {key}; {cure}")
    if isinstance(value, str) and not (value.strip() and value.isprintable()):
        raise InputError(f"{path}: its {key} is no line of text; {cure}")
    return value


def check_figure(path, stored, key, cure):
    """Raises InputError unless *stored* has under *key* a figure with finite numbers, or None for
    one over nothing.
    """
    figure = stored.get(key)
    numbers = ["none"]
    if isinstance(figure, dict) and "value" in figure:
        interval = figure.get("ci95") or [None, None]
        if isinstance(interval, list) and len(interval) == 2:
            numbers = [figure["value"], *interval]
    if not all(
        value is None or (type(value) in (int, float) and math.isfinite(value)) for value in numbers
    ):
        raise InputError(f"{path}: {key} is no figure with an interval; {cure}")


def seed_folders(folder):
    """{seed: folder} of ``folder/seed-K``, in order. Raises InputError where a seed
    is there twice.
    """
    found = {}
    for path in sorted(folder.glob("seed-*")):
        match = SEED_FOLDER.fullmatch(path.name)
        if match is None:
            continue
        if int(match[1]) in found:
            raise InputError(
                f"{path}: seed {int(match[1])} of {folder.name} is there twice; remove one of them"
            )
        found[int(match[1])] = path
    return dict(sorted(found.items()))


def measured(measure: Measure, runs: Runs) -> dict[int, dict[str, Any]]:
    """The figures of those *runs*, ``{seed: stored}``, that have one with an interval, by seed."""
    figures = {seed: stored.get(measure.key) for seed, stored in runs.items()}
    return {
        seed: figure
        for seed, figure in figures.items()
        if isinstance(figure, dict) and figure.get("ci95")
    }


def summary(measure: Measure, runs: Runs) -> tuple[float, float, float] | None:
    """(mean, lowest end, highest end) over the seeds of *runs*, ``{seed: stored}``, that have the
    figure with an interval; None where none has it.
    """
    figures = measured(measure, runs).values()
    if not figures:
        return None
    values = [figure["value"] for figure in figures]
    low, high = (bounds for bounds in zip(*(figure["ci95"] for figure in figures)))
    return sum(values) / len(values), min(low), max(high)


def compare(measure: Measure, runs: Runs, others: Runs) -> str | None:
    """Whether *runs* have "more" or "less" of *measure* than *others*, by seed both.

    They are "not told apart" where their intervals overlap, or both print as the same number. None:
    a seed of one lacks the figure.
    """
    if any(len(measured(measure, each)) < len(each) for each in (runs, others)):
        return None
    ours, theirs = summary(measure, runs), summary(measure, others)
    if ours is None or theirs is None:
        return None
    # Nobody can read a difference between 0.00 and 0.00, however narrow the intervals.
    if measure.text(ours[0]) == measure.text(theirs[0]):
        return "not told apart"
    if ours[1] > theirs[2]:
        return "more"
    if ours[2] < theirs[1]:
        return "less"
    return "not told apart"


def format_summary(measure: Measure, runs: Runs) -> str:
    """The mean over *runs* and its interval as text; a dash where there is none. Where some seeds
    lack the figure, it says how many have it.
    """
    found = summary(measure, runs)
    if found is None:
        return "-"
    mean, low, high = map(measure.text, found)
    count = len(measured(measure, runs))
    of = "" if count == len(runs) else f" ({count} of {len(runs)} seeds)"
    return f"{mean} [{low}, {high}]{of}"
