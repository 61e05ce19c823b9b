"""What is true in easy-VQA, and how far a judge's scores agree with it."""

import numpy as np

from vqapg.evaluation.judged import CONSISTENT_ABOVE
from vqapg.evaluation.metric import Metric, PartOf
from vqapg.judges import easy_vqa_truth as easy_vqa


def truth_figures(figures, worlds):
    """How many of the generated pairs are true.

    Args:
        figures: :class:`~vqapg.evaluation.figures.Figures`
        worlds: {image: possible worlds}
    """
    image, triples = figures.triple_image, figures.triples
    right, known = _verdicts(figures, worlds)
    said_known = figures.said[known[figures.said]]
    answerable = [easy_vqa.answerable(worlds[name], question) for name, question, _ in triples]
    found = [
        (number, text)
        for number, text in zip(figures.image, figures.texts)
        if text in easy_vqa.ALL_PAIRS
    ]
    possible = len(easy_vqa.ALL_PAIRS)
    return {
        "true_consistent": figures.mean(image[known], right[known]),
        "true_consistent_all_pairs": figures.mean(image[said_known], right[said_known]),
        "undetermined": figures.mean(image, ~known),
        "unanswerable": figures.mean(image, np.logical_not(answerable)),
        "unparsed": figures.mean(
            image, [easy_vqa.parse(question) is None for _, question, _ in triples]
        ),
        # How many of the pairs that can be right in easy-VQA were generated for any image at all.
        "possible_pairs_found": figures.distinct_count(
            np.array([number for number, _ in found], dtype=np.int64),
            [text for _, text in found],
            possible=(0, possible),
        )
        | {"n": possible},
    }


def agreement_figures(figures, worlds, scores):
    """How far the judge that gave the *scores* [T] agrees with the truth, over distinct triples."""
    image = figures.triple_image
    right, known = _verdicts(figures, worlds)
    accepted, told = scores > CONSISTENT_ABOVE, ~np.isnan(scores)
    both, right, wrong = told & known, told & right, told & known & ~right
    return {
        "evaluator_agreement": figures.mean(image[both], accepted[both] == right[both]),
        "evaluator_true_positive_rate": figures.mean(image[right], accepted[right]),
        "evaluator_rejection_rate": figures.mean(image[wrong], ~accepted[wrong]),
    }


def _verdicts(figures, worlds):
    """Which distinct triples are right, and of which the truth is known: two bool arrays [T]."""
    verdicts = np.array(
        [easy_vqa.verdict(worlds[name], *pair) for name, *pair in figures.triples], dtype=object
    )
    return verdicts == easy_vqa.RIGHT, verdicts != easy_vqa.UNDETERMINED


def _truth(inputs):
    return truth_figures(inputs.figures, inputs.truth)


def _agreement(inputs):
    return agreement_figures(inputs.figures, inputs.truth, inputs.scores)


def _metric(key, label, over, better, *, unit="share", needs=("truth",)):
    return Metric(
        key=key,
        label=label,
        unit=unit,
        over=over,
        better=better,
        version=1,
        group="consistency",
        needs=needs,
        compute=PartOf(_truth if needs == ("truth",) else _agreement, key),
    )


_BOTH = ("scores", "truth")
_TRUE = _metric("true_consistent", "truly consistent", "distinct triples of known truth", "higher")
# Beside P.
TRUE_METRICS = (
    _TRUE,
    _TRUE.variant("_all_pairs", "repeats counted", "pairs of known truth"),
)
OTHER_METRICS = (
    _metric(
        "evaluator_agreement",
        "evaluator agrees with the truth",
        "distinct triples of known truth",
        "higher",
        needs=_BOTH,
    ),
    _metric(
        "evaluator_true_positive_rate",
        "evaluator accepts a right pair",
        "right distinct triples",
        "higher",
        needs=_BOTH,
    ),
    _metric(
        "evaluator_rejection_rate",
        "evaluator rejects a wrong pair",
        "wrong distinct triples",
        "higher",
        needs=_BOTH,
    ),
    _metric(
        "possible_pairs_found", "possible pairs found", "possible pairs", "higher", unit="count"
    ),
    _metric("undetermined", "truth not determined by the gold pairs", "distinct triples", None),
    _metric("unanswerable", "question without an answer", "distinct triples", "lower"),
    _metric("unparsed", "question of no known form", "distinct triples", "lower"),
)
