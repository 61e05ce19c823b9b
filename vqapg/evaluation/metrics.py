"""All figures of one generated set, each with what it is over and its interval (sections 5.2 and 4.6, appendix D)."""

import importlib.metadata
import platform

import numpy as np

from vqapg.evaluation.diversity import diversity_figures
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.gold import novelty_figures, recall_figures
from vqapg.evaluation.overlap import overlap_figures
from vqapg.judges.judge import score_triples
from vqapg.judges.truth import Truth
from vqapg.version import __version__

# Section 5.2: consistent means an evaluator score above this.
CONSISTENT_ABOVE = 0.5


def compute_metrics(
    pairs, scores=None, truth: Truth | None = None, *, gold=None, train=None, seed=1, resamples=1000
):
    """Every figure as ``{"value", "n", "ci95"}``, counts as plain numbers; shares are within 0..1.

    A figure over nothing has the value None; an interval that cannot be had is None. Malformed pairs are
    counted and take part in nothing else. Where repeats within an image make a difference, a figure is there twice:
    overlap and diversity over all pairs, and over distinct triples under ``..._distinct_triples``; consistency over
    distinct triples (section 5.2), and over all pairs under ``..._all_pairs``.

    Args:
        pairs: list of GeneratedPair, at least one.
        scores: [distinct triples] a judge's scores in the order of ``distinct_triples(pairs)``, NaN where it cannot
            tell; without them ``consistent`` (P), ``mean_score`` (S) and the agreement with the truth are left out.
        truth: of the data set; without it everything about truth is left out.
        gold: the pairs of the split; without them recall and overlap are left out.
        train: the pairs of the train split; without them novelty is left out.
        seed, resamples: of the bootstrap.
    """
    figures = Figures(pairs, seed, resamples)
    metrics = {
        "pairs": len(pairs),
        "images": len(figures.images),
        "malformed": len(pairs) - len(figures.pairs),
        "distinct_triples": len(figures.triples),
        "bootstrap": {"resamples": resamples, "seed": seed},
    }
    metrics |= diversity_figures(figures)
    if train is not None:
        metrics |= novelty_figures(figures, train)
    if scores is not None:
        scores = np.asarray(scores, dtype=np.float64)
        if scores.shape != (len(figures.triples),):
            raise ValueError(
                f"scores of shape {scores.shape} for {len(figures.triples)} distinct triples"
            )
        metrics |= _consistency_figures(figures, scores)
    if truth is not None:
        metrics |= _truth_figures(figures, scores, truth)
    if gold is not None:
        metrics |= recall_figures(figures, gold) | overlap_figures(figures, gold)
    return metrics


def _consistency_figures(figures, scores):
    """Over the triples that the judge can tell of."""
    told = ~np.isnan(scores)
    image, said = figures.triple_image[told], figures.said[told[figures.said]]
    said_image = figures.triple_image[said]
    return {
        "consistent": figures.mean(image, scores[told] > CONSISTENT_ABOVE),
        "consistent_all_pairs": figures.mean(said_image, scores[said] > CONSISTENT_ABOVE),
        "mean_score": figures.mean(image, scores[told]),
        "mean_score_all_pairs": figures.mean(said_image, scores[said]),
    }


def _truth_figures(figures, scores, truth):
    """What is true of the data set; with *scores*, how far the judge agrees."""
    image, triples = figures.triple_image, figures.triples
    verdicts = score_triples(truth, triples)
    known, right = ~np.isnan(verdicts), verdicts == 1
    said_known = figures.said[known[figures.said]]
    answerable = [truth.answerable(image, question) for image, question, _ in triples]
    metrics = {
        "true_consistent": figures.mean(image[known], right[known]),
        "true_consistent_all_pairs": figures.mean(
            figures.triple_image[said_known], right[said_known]
        ),
        "undetermined": figures.mean(image, ~known),
    }
    if None not in answerable:
        metrics["unanswerable"] = figures.mean(image, np.logical_not(answerable))
    if truth.asked_for:
        unparsed = [truth.asks_for(question) is None for _, question, _ in triples]
        metrics["unparsed"] = figures.mean(image, unparsed)
    if truth.possible_pairs:
        # How many of the pairs that can be right were generated for any image at all.
        possible = len(truth.possible_pairs)
        found = [
            (number, text)
            for number, text in zip(figures.image, figures.texts)
            if text in truth.possible_pairs
        ]
        metrics["possible_pairs_found"] = figures.distinct_count(
            np.array([number for number, _ in found], dtype=np.int64),
            [text for _, text in found],
            possible=(0, possible),
        ) | {"n": possible}
    if scores is not None:
        accepted, told = scores > CONSISTENT_ABOVE, ~np.isnan(scores)
        both, right, wrong = told & known, told & right, told & known & ~right
        metrics |= {
            "evaluator_agreement": figures.mean(image[both], accepted[both] == right[both]),
            "evaluator_true_positive_rate": figures.mean(image[right], accepted[right]),
            "evaluator_rejection_rate": figures.mean(image[wrong], ~accepted[wrong]),
        }
    return metrics


def versions():
    """The versions of what computes the figures; pycocoevalcap's is None where it is not installed."""
    try:
        pycocoevalcap = importlib.metadata.version("pycocoevalcap")
    except importlib.metadata.PackageNotFoundError:
        pycocoevalcap = None
    return {
        "vqapg": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "nltk": importlib.metadata.version("nltk"),
        "pycocoevalcap": pycocoevalcap,
    }
