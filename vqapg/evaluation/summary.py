"""The figures of one generated set as text for people: one table, and sample pairs on request."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vqapg.data.tokenizer import detokenize
from vqapg.errors import printable
from vqapg.evaluation.judge_verdict import verdict_in
from vqapg.evaluation.metrics import all_metrics
from vqapg.judges.truth import verdict

RELY = {True: "roughly", False: "no", None: "?"}


def format_table(metrics):
    """The table of ``compute_metrics``' result: measure, figure, 95% interval, what it is over.

    A figure without a value is followed by the reason. The same figure with or without repeats
    within an image is shown only where there are repeats, or where its rule differs besides.
    """
    rows = [
        ("measure", "figure", "95% interval", "over"),
        ("generated pairs", f"{metrics['pairs']:,}", "", f"{metrics['images']:,} images"),
        (
            "  malformed, left out of all below",
            f"{metrics['malformed']:,}",
            "",
            f"{metrics['pairs']:,} pairs",
        ),
    ]
    if metrics.get("pairs_per_image"):
        drawn = f"{metrics['pairs_per_image']:,}"
        left_out = f"{metrics['images_left_out']:,} images with fewer left out"
        rows.append(("  drawn of each image", drawn, "", left_out))
    repeats = metrics["pairs"] - metrics["malformed"] > metrics["distinct_triples"]
    missing = {"consistent": "give --judge, or --evaluator"} | metrics.get("not_computed", {})
    of_group = {}
    for metric in all_metrics().values():
        if metric.variant_of is None or repeats or metric.differs_without_repeats:
            of_group.setdefault(metric.group, []).extend(_rows(metric, metrics, missing))
    for group, shown in of_group.items():
        rows += [(group, "", "", ""), *shown] if shown else []
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{measure:<{widths[0]}}  {value:>{widths[1]}}  {interval:<{widths[2]}}  {over}".rstrip()
        for measure, value, interval, over in rows
    )


def _rows(metric, metrics, missing):
    """The row of *metric* in the table; none where there is nothing to say."""
    title = f"    {metric.title}" if metric.variant_of else f"  {metric.title}"
    figure, reason = metrics.get(metric.key), missing.get(metric.variant_of or metric.key)
    if figure is None:
        unknown = reason is not None and metric.variant_of is None
        return [(title, "-", "-", f"not computed: {reason}")] if unknown else []
    bounds = ", ".join(map(metric.text, figure["ci95"] or ()))
    base = f"{figure['n']:,} {metric.over}"
    if figure["value"] is None:
        base = f"not computed: {reason or f'there are {base}'}"
    row = (title, metric.text(figure["value"]), f"[{bounds}]" if bounds else "-", base)
    return [row, *_trust(metrics)] if metric.key == "consistent" else [row]


def _trust(metrics: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """What stands under P: what check-evaluator said of the judge, and words it does not know."""
    rows, unknown = [], metrics.get("unknown_words")
    if verdict := verdict_in(metrics):
        rows.append(("    can P be relied on?", RELY[verdict["rely"]], "", verdict["text"]))
    if isinstance(unknown, dict) and unknown["with_unknown"]:
        shown = f"{unknown['with_unknown']:,}"
        some = printable(", ".join(unknown["words"][:3]))
        base = f"{unknown['triples']:,} distinct triples, such as: {some}"
        rows.append(("    with a word that is not in the dictionary", shown, "", base))
    return rows


def choose_samples(pairs, count, seed):
    """One well-formed pair from each of *count* different images (fewer where there are fewer), by
    *seed*.
    """
    of_image = {}
    for pair in pairs:
        if not pair.malformed:
            of_image.setdefault(pair.image, []).append(pair)
    rng = np.random.default_rng(seed)
    images = rng.permutation(len(of_image))[:count]
    candidates = list(of_image.values())
    return [candidates[image][rng.integers(len(candidates[image]))] for image in images]


def format_sample(pair, score=None, truth=None):
    """One line: image, readable question and answer, and in brackets what is known of the pair.

    Args:
        score: the judge's; None without one
        truth: the truth's score; None where the data set has none
    """
    notes = [] if score is None else ["not judged" if np.isnan(score) else f"score {score:.2f}"]
    notes += [] if truth is None else [verdict(truth)]
    end = f"  ({', '.join(notes)})" if notes else ""
    return (
        f"{pair.image}  {detokenize(pair.question.split())} {detokenize(pair.answer.split())}{end}"
    )
