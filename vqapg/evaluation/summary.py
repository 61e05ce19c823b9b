"""The figures of one generated set as text for people: a headline of the most important ones, the
table of all, and sample pairs on request.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vqapg.data.tokenizer import detokenize, without_full_stop
from vqapg.errors import printable
from vqapg.evaluation.estimated import KEY as ESTIMATED
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.judge_verdict import verdict_in
from vqapg.evaluation.metric import Metric
from vqapg.evaluation.metrics import OURS, all_metrics
from vqapg.judges.truth import verdict

RELY = {True: "roughly", False: "no", None: "?"}
NO_JUDGE = "give --judge, or --evaluator"
HEADER = ("measure", "figure", "95% interval", "over")
Row = tuple[str, str, str, str]
# The columns of the headline, which a terminal and a page of documentation can show.
WIDTH = 90


class Shown(NamedTuple):
    """A figure of the headline, named more shortly than in the table of all.

    Attributes:
        key: of the metric
        title: without the unit; None for that of the table
        over: what its n counts; None for what the table says
    """

    key: str
    title: str | None = None
    over: str | None = None


# The estimate stands in place of P, and what is true beside either.
HEADLINE = (
    Shown("distinct4"),
    Shown("unique_pairs"),
    Shown("right_pairs"),
    Shown(ESTIMATED, "truly consistent, estimated (%)"),
    Shown("consistent"),
    Shown("visual_dependence", "visual dependence"),
    Shown("true_consistent", None, "of known truth"),
    Shown("distinct_pairs_per_image"),
)


def format_headline(metrics: Mapping[str, Any]) -> str:
    """The figures to read first, each with its interval, and how far P can be trusted.

    These are D, N, distinct pairs an image and malformed pairs; R and the share of true pairs where
    the truth is known; and the estimate from judgements of people, or else P. Visual dependence is
    there if it was asked for. A figure that needs gold pairs is not.

    Args:
        metrics: as ``compute_metrics`` gives them, with what ``vqapg evaluate`` adds
    """
    rows: list[Row | str] = [HEADER]
    for shown in HEADLINE:
        if shown.key == "consistent" and ESTIMATED in metrics:
            continue
        rows += _headline_rows(shown, metrics)
    of = f"{metrics['pairs']:,} generated pairs"
    rows.append(("malformed pairs, left out", f"{metrics['malformed']:,}", "", of))
    if metrics.get("pairs_per_image"):
        rows.append(_drawn(metrics))
    return _aligned(rows)


def _headline_rows(shown: Shown, metrics: Mapping[str, Any]) -> list[Row | str]:
    metric, figure = OURS[shown.key], metrics.get(shown.key)
    title, reason = shown.title or metric.title, _missing(metrics).get(shown.key)
    if figure is None:
        return [] if reason is None else [(title, "-", "-", ""), *_below(f"not computed: {reason}")]
    row = _row(metric, title, figure, shown.over or metric.over, reason)
    if figure["value"] is None:
        return [(*row[:3], ""), *_below(row[3])]
    if shown.key != "consistent":
        return [row]
    rows: list[Row | str] = [row]
    for measure, value, _, text in _trust(metrics):
        rows += [(f"  {measure}", value, "", ""), *_below(text)]
    return rows


def _below(text: str) -> list[str]:
    """Lines under a row whose text is too long for the last column."""
    return textwrap.wrap(text, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4)


def format_table(metrics: Mapping[str, Any]) -> str:
    """The table of ``compute_metrics``' result: measure, figure, 95% interval, what it is over.

    A figure without a value is followed by the reason. The same figure with or without repeats
    within an image is shown only where there are repeats, or where its rule differs besides.
    """
    rows: list[Row | str] = [
        HEADER,
        ("generated pairs", f"{metrics['pairs']:,}", "", f"{metrics['images']:,} images"),
        (
            "  malformed, left out of all below",
            f"{metrics['malformed']:,}",
            "",
            f"{metrics['pairs']:,} pairs",
        ),
    ]
    if metrics.get("pairs_per_image"):
        rows.append(_indented(2, _drawn(metrics)))
    repeats = metrics["pairs"] - metrics["malformed"] > metrics["distinct_triples"]
    missing = _missing(metrics)
    of_group: dict[str, list[Row]] = {}
    for metric in all_metrics().values():
        if metric.variant_of is None or repeats or metric.differs_without_repeats:
            of_group.setdefault(metric.group, []).extend(_rows(metric, metrics, missing))
    for group, shown in of_group.items():
        rows += [(group, "", "", ""), *shown] if shown else []
    return _aligned(rows)


def _aligned(rows: Sequence[Row | str]) -> str:
    """The rows below each other; one that is a text goes over all columns."""
    cells = [row for row in rows if not isinstance(row, str)]
    first, second, third = (max(len(row[column]) for row in cells) for column in range(3))
    return "\n".join(
        row
        if isinstance(row, str)
        else f"{row[0]:<{first}}  {row[1]:>{second}}  {row[2]:<{third}}  {row[3]}".rstrip()
        for row in rows
    )


def _indented(columns: int, row: Row) -> Row:
    return (" " * columns + row[0], *row[1:])


def _missing(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Why a figure is not there, by key."""
    found: dict[str, str] = {"consistent": NO_JUDGE} | metrics.get("not_computed", {})
    return found


def _drawn(metrics: Mapping[str, Any]) -> Row:
    """What ``--pairs-per-image`` drew."""
    left_out = f"{metrics['images_left_out']:,} images with fewer left out"
    return ("drawn of each image", f"{metrics['pairs_per_image']:,}", "", left_out)


def _rows(metric: Metric, metrics: Mapping[str, Any], missing: Mapping[str, str]) -> list[Row]:
    """The row of *metric* in the table; none where there is nothing to say."""
    title = f"    {metric.title}" if metric.variant_of else f"  {metric.title}"
    figure, reason = metrics.get(metric.key), missing.get(metric.variant_of or metric.key)
    if figure is None:
        unknown = reason is not None and metric.variant_of is None
        return [(title, "-", "-", f"not computed: {reason}")] if unknown else []
    row = _row(metric, title, figure, metric.over, reason)
    if metric.key != "consistent":
        return [row]
    return [row, *(_indented(4, about) for about in _trust(metrics))]


def _row(
    metric: Metric, title: str, figure: Mapping[str, Any], over: str, reason: str | None
) -> Row:
    """A figure as a row; *reason* says why it has no value."""
    bounds = ", ".join(map(metric.text, figure["ci95"] or ()))
    base = f"{figure['n']:,} {over}"
    if figure["value"] is None:
        base = f"not computed: {reason or f'there are {base}'}"
    return (title, metric.text(figure["value"]), f"[{bounds}]" if bounds else "-", base)


def _trust(metrics: Mapping[str, Any]) -> list[Row]:
    """What stands under P: what check-evaluator said of the judge, and words it does not know."""
    rows: list[Row] = []
    unknown = metrics.get("unknown_words")
    if verdict := verdict_in(metrics):
        rows.append(("can P be relied on?", RELY[verdict["rely"]], "", verdict["text"]))
    if isinstance(unknown, dict) and unknown["with_unknown"]:
        shown = f"{unknown['with_unknown']:,}"
        some = printable(", ".join(unknown["words"][:3]))
        base = f"{unknown['triples']:,} distinct triples, such as: {some}"
        rows.append(("with a word not in the dictionary", shown, "", base))
    return rows


def choose_samples(pairs: Sequence[GeneratedPair], count: int, seed: int) -> list[GeneratedPair]:
    """One well-formed pair from each of *count* different images (fewer where there are fewer), by
    *seed*.
    """
    of_image: dict[str, list[GeneratedPair]] = {}
    for pair in pairs:
        if not pair.malformed:
            of_image.setdefault(pair.image, []).append(pair)
    rng = np.random.default_rng(seed)
    images = rng.permutation(len(of_image))[:count]
    candidates = list(of_image.values())
    return [candidates[image][rng.integers(len(candidates[image]))] for image in images]


def format_sample(
    pair: GeneratedPair, score: float | None = None, truth: float | None = None
) -> str:
    """One line: image, readable question and answer, and in brackets what is known of the pair.

    Args:
        score: the judge's; None without one
        truth: the truth's score; None where the data set has none
    """
    notes = [] if score is None else ["not judged" if np.isnan(score) else f"score {score:.2f}"]
    notes += [] if truth is None else [verdict(truth)]
    end = f"  ({', '.join(notes)})" if notes else ""
    question, answer = (detokenize((text or "").split()) for text in (pair.question, pair.answer))
    return f"{pair.image}  {question} {without_full_stop(answer)}{end}"
