"""All figures of one generated set, each with what it is over and its interval (section 5.2,
appendix D).
"""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from vqapg.data.directory import Pair
from vqapg.errors import InputError
from vqapg.evaluation import (
    distinct_pairs,
    diversity,
    estimated,
    gold,
    judged,
    known_truth,
    overlap,
    vendi,
    visual_dependence,
)
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.metric import Metric, MetricInputs, figures_of
from vqapg.judges.truth import Truth
from vqapg.registry import Registry

METRICS: Registry[Metric] = Registry("metric", "vqapg.metrics")
# Those of this package by key, in the order of the tables. Of consistency the estimate is first,
# for it can be trusted. P and the truth stand together, and so do N and R.
OURS = {
    metric.key: metric
    for metric in (
        *diversity.METRICS[:3],
        *known_truth.RIGHT_METRICS,
        *diversity.METRICS[3:],
        *vendi.METRICS,
        *distinct_pairs.METRICS,
        *estimated.METRICS,
        *judged.METRICS[:2],
        *known_truth.TRUE_METRICS,
        *judged.METRICS[2:],
        *visual_dependence.METRICS,
        *known_truth.OTHER_METRICS,
        *overlap.METRICS,
        *gold.METRICS,
    )
}
for _metric in OURS.values():
    METRICS.register(_metric.key, _metric, _metric.summary)
# What else stands in metrics.json beside the figures.
RESERVED = (
    "pairs",
    "images",
    "malformed",
    "distinct_triples",
    "bootstrap",
    "not_computed",
    "metric_versions",
    "pairs_per_image",
    "images_left_out",
    "evaluator",
    "judge",
    "verdict",
    "unknown_words",
    "split",
    "provenance",
)


def added_metrics() -> dict[str, Metric]:
    """The metrics that other packages add, by key. One that cannot be used is named on stderr."""
    added = {}
    for name in METRICS.names():
        if name in OURS:
            continue
        try:
            metric = METRICS.get(name)
            if not isinstance(metric, Metric) or metric.key != name or name in RESERVED:
                raise InputError(
                    f"the metric {name} is no vqapg.evaluation.metric.Metric with that key; "
                    "mend the package that registers it"
                )
        except InputError as error:
            print(f"warning: {error}. It is left out", file=sys.stderr)
        else:
            added[name] = metric
    return added


def all_metrics() -> dict[str, Metric]:
    """The metrics of this package and those that others add, by key, in the order of tables."""
    return OURS | added_metrics()


def compute_metrics(
    pairs: Sequence[GeneratedPair],
    scores: Sequence[float] | np.ndarray | None = None,
    truth: Truth | None = None,
    *,
    scores_elsewhere: Sequence[float] | np.ndarray | None = None,
    gold: Sequence[Pair] | None = None,
    train: Sequence[Pair] | None = None,
    seed: int = 1,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Every figure as ``{"value", "n", "ci95"}``, counts as plain numbers; shares are within 0..1.

    A figure over nothing has the value None; an interval that cannot be had is None. Malformed
    pairs are counted and take part in nothing else. Where repeats within an image make a
    difference, a figure is there twice. Overlap and diversity are over all pairs, and over distinct
    triples under ``..._distinct_triples``. Consistency is over distinct triples (section 5.2), and
    over all pairs under ``..._all_pairs``.

    Args:
        pairs: at least one
        scores: [distinct triples] of a judge, in the order of ``distinct_triples(pairs)``; NaN
            where it cannot tell
        truth: of the data set; without it everything about truth is left out
        scores_elsewhere: [distinct triples] of the judge, each triple with another image
        gold: the pairs of the split
        train: the pairs of the train split
        seed: of the bootstrap
        resamples: of the bootstrap

    Returns:
        the counts, the figures of every metric whose inputs are there, under ``not_computed`` why
        others are missing, and under ``metric_versions`` the version of each metric

    Raises:
        RunError: if a metric that another package adds fails
    """
    figures = Figures(pairs, seed, resamples)
    inputs = MetricInputs(
        figures,
        scores=_of_triples(scores, figures),
        scores_elsewhere=_of_triples(scores_elsewhere, figures),
        truth=truth,
        gold=gold,
        train=train,
    )
    metrics = all_metrics()
    found, missing = figures_of(metrics.values(), inputs)
    return {
        "pairs": len(pairs),
        "images": len(figures.images),
        "malformed": len(pairs) - len(figures.pairs),
        "distinct_triples": len(figures.triples),
        "bootstrap": {"resamples": resamples, "seed": seed},
        **found,
        "not_computed": missing,
        "metric_versions": {key: metrics[key].version for key in found},
    }


def _of_triples(scores: Sequence[float] | np.ndarray | None, figures: Figures) -> np.ndarray | None:
    if scores is None:
        return None
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != (len(figures.triples),):
        raise ValueError(
            f"scores of shape {scores.shape} for {len(figures.triples)} distinct triples"
        )
    return scores
