"""Krippendorff's alpha (Krippendorff, 2011, "Computing Krippendorff's Alpha-Reliability")."""

import numpy as np


def krippendorff_alpha(counts, level, weights=None):
    """1 - observed / expected disagreement; nan where it is not defined: nothing to pair, or one
    value alone.

    Args:
        counts: [U, V] how many annotators gave unit u the value v. A unit with fewer than two
            values says nothing about agreement and is left out; a missing value is simply not
            counted.
        level: "nominal" (values are equal or not) or "ordinal" (values are in the order of the
            columns).
        weights: [U] how often each unit counts (a resample's draws); without them once.
    """
    counts = np.asarray(counts, dtype=np.float64)
    values = counts.sum(axis=1)  # [U]
    weights = np.ones(len(counts)) if weights is None else np.asarray(weights, dtype=np.float64)
    # A unit of m values holds m (m - 1) ordered pairs of values, each counting 1 / (m - 1).
    pairable = values > 1
    counts, share = counts[pairable], weights[pairable] / (values[pairable] - 1)
    shared = counts * share[:, None]
    observed = shared.T @ counts - np.diag(shared.sum(axis=0))  # [V, V] coincidences
    margins = observed.sum(axis=1)  # [V]
    total = margins.sum()
    if total <= 1:
        return np.nan
    expected = (np.outer(margins, margins) - np.diag(margins)) / (total - 1)
    distance = _distance(margins, level)
    disagreement = (expected * distance).sum()
    return 1 - (observed * distance).sum() / disagreement if disagreement > 0 else np.nan


def _distance(margins, level):
    """[V, V] squared difference of any two values."""
    if level == "nominal":
        return 1 - np.eye(len(margins))
    if level == "ordinal":
        # All values from one to the other, half of both ends: the difference of their middle ranks.
        rank = np.cumsum(margins) - margins / 2
        return (rank[:, None] - rank[None, :]) ** 2
    raise ValueError(f"level {level!r} is neither 'nominal' nor 'ordinal'")
