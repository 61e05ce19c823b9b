"""All figures of one generated set, each with what it is over and its interval (sections 5.2 and 4.6)."""

import numpy as np

from vqapg.evaluation import easy_vqa_truth as truth
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.diversity import distinct_4, four_grams, number_items, pair_text, unique_pairs

# Section 5.2: consistent means an evaluator score above this.
CONSISTENT_ABOVE = 0.5


def distinct_triples(pairs):
    """The distinct (image, question, answer) of the well-formed *pairs*, in order of first appearance."""
    return list(
        dict.fromkeys((pair.image, pair.question, pair.answer) for pair in pairs if not pair.malformed)
    )


def compute_metrics(pairs, scores=None, worlds=None, *, seed=1, resamples=1000):
    """Every figure as ``{"value", "n", "ci95"}``, counts as plain numbers; shares are within 0..1.

    A figure over nothing has the value None; an interval that cannot be had is None. Malformed pairs are
    counted and take part in nothing else.

    Args:
        pairs: list of GeneratedPair, at least one.
        scores: [distinct triples] evaluator scores in the order of ``distinct_triples(pairs)``; without them
            ``consistent`` (P), ``mean_score`` (S) and the evaluator's agreement with the truth are left out.
        worlds: {image: possible worlds} of easy-VQA; without them everything about truth is left out.
        seed, resamples: of the bootstrap.
    """
    image_numbers = {
        image: number for number, image in enumerate(dict.fromkeys(pair.image for pair in pairs))
    }
    bootstrap = ImageBootstrap(len(image_numbers), resamples, seed)
    well_formed = [pair for pair in pairs if not pair.malformed]
    triples = distinct_triples(pairs)
    image_of_triple = np.array([image_numbers[image] for image, _, _ in triples], dtype=np.int64)

    def share(image, value):
        """The mean of the values and its interval."""
        value = np.asarray(value, dtype=np.float64)
        mean = float(value.mean()) if len(value) else None
        return {"value": mean, "n": len(value), "ci95": bootstrap.mean(image, value)}

    metrics = {
        "pairs": len(pairs),
        "images": len(image_numbers),
        "malformed": len(pairs) - len(well_formed),
        "distinct_triples": len(triples),
        "bootstrap": {"resamples": resamples, "seed": seed},
    }
    metrics |= _diversity(well_formed, image_numbers, bootstrap)
    if scores is not None:
        scores = np.asarray(scores, dtype=np.float64)
        if scores.shape != (len(triples),):
            raise ValueError(f"scores of shape {scores.shape} for {len(triples)} distinct triples")
        metrics["consistent"] = share(image_of_triple, scores > CONSISTENT_ABOVE)
        metrics["mean_score"] = share(image_of_triple, scores)
    if worlds is not None:
        verdicts = np.array([truth.verdict(worlds[image], *pair) for image, *pair in triples], dtype=object)
        right, known = verdicts == truth.RIGHT, verdicts != truth.UNDETERMINED
        # A pair said twice counts twice here.
        place = {triple: number for number, triple in enumerate(triples)}
        said = np.array(
            [place[pair.image, pair.question, pair.answer] for pair in well_formed], dtype=np.int64
        )
        said_known = said[known[said]]
        answerable = [truth.answerable(worlds[image], question) for image, question, _ in triples]
        metrics |= {
            "true_consistent": share(image_of_triple[known], right[known]),
            "true_consistent_all_pairs": share(image_of_triple[said_known], right[said_known]),
            "undetermined": share(image_of_triple, ~known),
            "unanswerable": share(image_of_triple, np.logical_not(answerable)),
            "unparsed": share(image_of_triple, [truth.parse(question) is None for _, question, _ in triples]),
            "possible_pairs_found": _possible_pairs_found(well_formed, image_numbers, bootstrap),
        }
        if scores is not None:
            accepted, wrong = scores > CONSISTENT_ABOVE, known & ~right
            metrics |= {
                "evaluator_agreement": share(image_of_triple[known], accepted[known] == right[known]),
                "evaluator_true_positive_rate": share(image_of_triple[right], accepted[right]),
                "evaluator_rejection_rate": share(image_of_triple[wrong], ~accepted[wrong]),
            }
    return metrics


def _diversity(pairs, image_numbers, bootstrap):
    texts = [pair_text(pair) for pair in pairs]
    image = np.array([image_numbers[pair.image] for pair in pairs], dtype=np.int64)
    owner, grams = four_grams(texts)
    return {
        "distinct4": {
            "value": distinct_4(texts),
            "n": len(grams),
            "ci95": bootstrap.distinct_ratio(image[owner], grams),
        },
        "unique_pairs": {
            "value": unique_pairs(texts),
            "n": len(texts),
            "ci95": bootstrap.distinct_count(image, number_items(texts), possible=(1, len(texts))),
        },
    }


def _possible_pairs_found(pairs, image_numbers, bootstrap):
    """How many of the pairs that can be right in easy-VQA were generated for any image at all."""
    found = [pair for pair in pairs if pair_text(pair) in truth.ALL_PAIRS]
    image = np.array([image_numbers[pair.image] for pair in found], dtype=np.int64)
    texts = [pair_text(pair) for pair in found]
    everything = len(truth.ALL_PAIRS)
    return {
        "value": unique_pairs(texts),
        "n": everything,
        "ci95": bootstrap.distinct_count(image, number_items(texts), possible=(0, everything)),
    }
