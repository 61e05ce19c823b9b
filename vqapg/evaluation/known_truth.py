"""What is true of the data set, and how far a judge's scores agree with it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqapg.evaluation.figures import Figures
from vqapg.evaluation.judged import CONSISTENT_ABOVE
from vqapg.evaluation.metric import Metric, PartOf
from vqapg.judges.easy_vqa_truth import ASKED_FOR as OF_EASY_VQA
from vqapg.judges.judge import score_triples
from vqapg.judges.scenes_truth import ASKED_FOR as OF_SCENES
from vqapg.judges.truth import Truth


def truth_figures(figures: Figures, truth: Truth) -> dict[str, Any]:
    """How many of the generated pairs are true.

    What a truth does not say, such as which pairs are possible, has no figure.
    """
    image, triples = figures.triple_image, figures.triples
    right, known = _verdicts(figures, truth)
    said_known = figures.said[known[figures.said]]
    said_right = right[figures.said]
    found = {
        "right_pairs": right_pairs(figures, said_right),
        "true_consistent": figures.mean(image[known], right[known]),
        "true_consistent_all_pairs": figures.mean(
            figures.triple_image[said_known], right[said_known]
        ),
        "undetermined": figures.mean(image, ~known),
    }
    answerable = [truth.answerable(name, question) for name, question, _ in triples]
    if None not in answerable:
        found["unanswerable"] = figures.mean(image, np.logical_not(answerable))
    if truth.asked_for:
        asks = np.array([truth.asks_for(question) or "" for _, question, _ in triples], dtype=str)
        found["unparsed"] = figures.mean(image, asks == "")
        for kind in truth.asked_for:
            rows = known & (asks == kind)
            found[f"true_consistent_{kind}"] = figures.mean(image[rows], right[rows])
        # Of a question of no known form nobody can tell.
        fits = [
            truth.answer_fits(question, answer) if known_form else True
            for (_, question, answer), known_form in zip(triples, asks != "")
        ]
        if None not in fits:
            found["wrong_type"] = figures.mean(image, np.logical_not(fits))
    if truth.possible_pairs:
        # How many of the pairs that can be right were generated for any image at all.
        possible = len(truth.possible_pairs)
        said = [
            (number, text)
            for number, text in zip(figures.image, figures.texts)
            if text in truth.possible_pairs
        ]
        found["possible_pairs_found"] = figures.distinct_count(
            np.array([number for number, _ in said], dtype=np.int64),
            [text for _, text in said],
            possible=(0, possible),
        ) | {"n": possible}
    return found


def right_pairs(figures: Figures, said_right: NDArray[np.bool_]) -> dict[str, Any]:
    """R: how many different texts "question answer" are right of an image that they were said of.

    Its interval is made as that of N.

    Args:
        figures: of the generated pairs
        said_right: [M], which of them are right
    """
    texts = [figures.texts[number] for number in np.flatnonzero(said_right)]
    return figures.distinct_count(figures.image[said_right], texts, (0, len(texts)))


def agreement_figures(
    figures: Figures, truth: Truth, scores: NDArray[np.float64]
) -> dict[str, Any]:
    """How far the judge that gave the *scores* [T] agrees with the truth, over distinct triples."""
    image = figures.triple_image
    right, known = _verdicts(figures, truth)
    accepted, told = scores > CONSISTENT_ABOVE, ~np.isnan(scores)
    both, right, wrong = told & known, told & right, told & known & ~right
    return {
        "evaluator_agreement": figures.mean(image[both], accepted[both] == right[both]),
        "evaluator_true_positive_rate": figures.mean(image[right], accepted[right]),
        "evaluator_rejection_rate": figures.mean(image[wrong], ~accepted[wrong]),
    }


def _verdicts(figures: Figures, truth: Truth) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which distinct triples are right, and of which the truth is known: ``[T]`` each."""
    verdicts = score_triples(truth, figures.triples)
    return verdicts == 1, ~np.isnan(verdicts)


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
# Beside N.
RIGHT_METRICS = (
    Metric(
        key="right_pairs",
        symbol="R",
        label="distinct right pairs",
        unit="count",
        over="right pairs",
        better="higher",
        version=1,
        group="diversity, all images",
        needs=("truth",),
        compute=PartOf(_truth, "right_pairs"),
    ),
)
# Beside P.
TRUE_METRICS = (
    _TRUE,
    _TRUE.variant("_all_pairs", "repeats counted", "pairs of known truth"),
)
OTHER_METRICS = (
    *(
        _metric(
            f"true_consistent_{kind}",
            f"truly consistent, asks for {kind.replace('_', ' ')}",
            "distinct triples of known truth",
            "higher",
        )
        for kind in dict.fromkeys((*OF_EASY_VQA, *OF_SCENES))
    ),
    _metric(
        "evaluator_agreement",
        "judge agrees with the truth",
        "distinct triples of known truth",
        "higher",
        needs=_BOTH,
    ),
    _metric(
        "evaluator_true_positive_rate",
        "judge accepts a right pair",
        "right distinct triples",
        "higher",
        needs=_BOTH,
    ),
    _metric(
        "evaluator_rejection_rate",
        "judge rejects a wrong pair",
        "wrong distinct triples",
        "higher",
        needs=_BOTH,
    ),
    _metric(
        "possible_pairs_found", "possible pairs found", "possible pairs", "higher", unit="count"
    ),
    _metric("undetermined", "truth not determined by the gold pairs", "distinct triples", None),
    _metric("unanswerable", "question without an answer", "distinct triples", "lower"),
    _metric("wrong_type", "answer of a kind not asked for", "distinct triples", "lower"),
    _metric("unparsed", "question of no known form", "distinct triples", "lower"),
)
