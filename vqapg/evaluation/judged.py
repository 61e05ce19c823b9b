"""Consistency by a judge's scores (sections 4.6 and 5.2): P and S."""

from vqapg.evaluation.metric import Metric, PartOf

# Section 5.2: consistent means a score above this.
CONSISTENT_ABOVE = 0.5


def judged_figures(figures, scores):
    """P and S over distinct triples (section 5.2), and with repeats counted.

    Args:
        figures: :class:`~vqapg.evaluation.figures.Figures`
        scores: [T] of the distinct triples
    """
    image, said = figures.triple_image, figures.said
    return {
        "consistent": figures.mean(image, scores > CONSISTENT_ABOVE),
        "consistent_all_pairs": figures.mean(figures.image, scores[said] > CONSISTENT_ABOVE),
        "mean_score": figures.mean(image, scores),
        "mean_score_all_pairs": figures.mean(figures.image, scores[said]),
    }


def _figures(inputs):
    return judged_figures(inputs.figures, inputs.scores)


_CONSISTENT = Metric(
    key="consistent",
    symbol="P",
    label="scored above 0.5 by the evaluator",
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
    label="mean evaluator score",
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
