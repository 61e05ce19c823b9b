"""Consistency by a judge's scores (sections 4.6 and 5.2): P and S."""

import numpy as np

from vqapg.evaluation.metric import Metric, PartOf

# Section 5.2: consistent means a score above this.
CONSISTENT_ABOVE = 0.5


def judged_figures(figures, scores):
    """P and S over the distinct triples that the judge can tell of, and with repeats counted.

    Args:
        figures: :class:`~vqapg.evaluation.figures.Figures`
        scores: [T] of the distinct triples; NaN where the judge cannot tell
    """
    told = ~np.isnan(scores)
    image, said = figures.triple_image[told], figures.said[told[figures.said]]
    said_image = figures.triple_image[said]
    return {
        "consistent": figures.mean(image, scores[told] > CONSISTENT_ABOVE),
        "consistent_all_pairs": figures.mean(said_image, scores[said] > CONSISTENT_ABOVE),
        "mean_score": figures.mean(image, scores[told]),
        "mean_score_all_pairs": figures.mean(said_image, scores[said]),
    }


def _figures(inputs):
    return judged_figures(inputs.figures, inputs.scores)


_CONSISTENT = Metric(
    key="consistent",
    symbol="P",
    label="scored above 0.5 by the judge",
    unit="share",
    over="distinct triples",
    better="higher",
    version=1,
    group="consistency",
    needs=("scores",),
    compute=PartOf(_figures, "consistent"),
)
_MEAN_SCORE = Metric(
    key="mean_score",
    symbol="S",
    label="mean score of the judge",
    unit="score",
    over="distinct triples",
    better="higher",
    version=1,
    group="consistency",
    needs=("scores",),
    compute=PartOf(_figures, "mean_score"),
)
METRICS = (
    _CONSISTENT,
    _CONSISTENT.variant("_all_pairs", "repeats counted", "well-formed pairs"),
    _MEAN_SCORE,
    _MEAN_SCORE.variant("_all_pairs", "repeats counted", "well-formed pairs"),
)
