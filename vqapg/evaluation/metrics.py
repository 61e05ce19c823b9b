"""All figures of one generated set, each with what it is over and its interval (sections 5.2 and 4.6, appendix D)."""

import importlib.metadata
import platform

import numpy as np

from vqapg.evaluation.diversity import diversity_figures
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.gold import novelty_figures, recall_figures
from vqapg.evaluation.overlap import overlap_figures
from vqapg.judges import easy_vqa_truth as truth
from vqapg.version import __version__

# Section 5.2: consistent means an evaluator score above this.
CONSISTENT_ABOVE = 0.5


def compute_metrics(
    pairs, scores=None, worlds=None, *, gold=None, train=None, seed=1, resamples=1000
):
    """Every figure as ``{"value", "n", "ci95"}``, counts as plain numbers; shares are within 0..1.

    A figure over nothing has the value None; an interval that cannot be had is None. Malformed pairs are
    counted and take part in nothing else. Where repeats within an image make a difference, a figure is there twice:
    overlap and diversity over all pairs, and over distinct triples under ``..._distinct_triples``; consistency over
    distinct triples (section 5.2), and over all pairs under ``..._all_pairs``.

    Args:
        pairs: list of GeneratedPair, at least one.
        scores: [distinct triples] evaluator scores in the order of ``distinct_triples(pairs)``; without them
            ``consistent`` (P), ``mean_score`` (S) and the evaluator's agreement with the truth are left out.
        worlds: {image: possible worlds} of easy-VQA; without them everything about truth is left out.
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
    if worlds is not None:
        metrics |= _truth_figures(figures, scores, worlds)
    if gold is not None:
        metrics |= recall_figures(figures, gold) | overlap_figures(figures, gold)
    return metrics


def _consistency_figures(figures, scores):
    image, said = figures.triple_image, figures.said
    return {
        "consistent": figures.mean(image, scores > CONSISTENT_ABOVE),
        "consistent_all_pairs": figures.mean(figures.image, scores[said] > CONSISTENT_ABOVE),
        "mean_score": figures.mean(image, scores),
        "mean_score_all_pairs": figures.mean(figures.image, scores[said]),
    }


def _truth_figures(figures, scores, worlds):
    """What is true in easy-VQA; with *scores*, how far the evaluator agrees."""
    image, triples = figures.triple_image, figures.triples
    verdicts = np.array(
        [truth.verdict(worlds[name], *pair) for name, *pair in triples], dtype=object
    )
    right, known = verdicts == truth.RIGHT, verdicts != truth.UNDETERMINED
    said_known = figures.said[known[figures.said]]
    answerable = [truth.answerable(worlds[name], question) for name, question, _ in triples]
    found = [
        (number, text)
        for number, text in zip(figures.image, figures.texts)
        if text in truth.ALL_PAIRS
    ]
    possible = len(truth.ALL_PAIRS)
    metrics = {
        "true_consistent": figures.mean(image[known], right[known]),
        "true_consistent_all_pairs": figures.mean(image[said_known], right[said_known]),
        "undetermined": figures.mean(image, ~known),
        "unanswerable": figures.mean(image, np.logical_not(answerable)),
        "unparsed": figures.mean(
            image, [truth.parse(question) is None for _, question, _ in triples]
        ),
        # How many of the pairs that can be right in easy-VQA were generated for any image at all.
        "possible_pairs_found": figures.distinct_count(
            np.array([number for number, _ in found], dtype=np.int64),
            [text for _, text in found],
            possible=(0, possible),
        )
        | {"n": possible},
    }
    if scores is not None:
        accepted, wrong = scores > CONSISTENT_ABOVE, known & ~right
        metrics |= {
            "evaluator_agreement": figures.mean(image[known], accepted[known] == right[known]),
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
