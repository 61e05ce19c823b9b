"""Everything that is measured of one generated set: what ``vqapg evaluate`` writes."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqapg.data.directory import DataDirectory
from vqapg.data.picture_folder import PictureFolder
from vqapg.errors import InputError
from vqapg.evaluation.equal_pairs import draw_pairs
from vqapg.evaluation.figures import distinct_triples
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.given_pairs import Data, Pairs, given_pairs, judge_context, place_of_images
from vqapg.evaluation.judge_verdict import stored_verdict, verdict_on_chosen
from vqapg.evaluation.judges_agreement import judges_agreement
from vqapg.evaluation.metrics import all_metrics, compute_metrics
from vqapg.evaluation.unknown_words import unknown_words
from vqapg.evaluation.visual_dependence import with_another_image
from vqapg.judges.evaluator import EvaluatorJudge
from vqapg.judges.judge import Judge, Triple, make_judge, score_triples
from vqapg.judges.mean import MeanJudge, mean_of_told
from vqapg.judges.truth import truth_of
from vqapg.provenance import provenance

NEEDS_GOLD = "needs gold pairs: give a data directory, not --images"


class Evaluation(NamedTuple):
    """A generated set with its figures.

    Attributes:
        metrics: a dict that JSON can hold
        pairs: what was measured
        scores: the judge's, by (image, question, answer); empty without a judge
        verdicts: the truth's scores, alike; empty where nobody knows the truth
    """

    metrics: dict[str, Any]
    pairs: list[GeneratedPair]
    scores: dict[tuple[str, str, str], float]
    verdicts: dict[tuple[str, str, str], float]


class Judged(NamedTuple):
    """What a judge says of the distinct triples; without a judge nothing.

    Attributes:
        scores: ``[T]``
        identity: of the judge
        about: what else metrics.json says of the judge
        elsewhere: the scores with another image each, ``[T]``, where they were asked for
    """

    scores: NDArray[np.float64] | None = None
    identity: dict[str, Any] | None = None
    about: Mapping[str, Any] = MappingProxyType({"judges_agreement": None})
    elsewhere: NDArray[np.float64] | None = None

    @property
    def is_evaluator(self) -> bool:
        return self.identity is not None and self.identity.get("judge") == "evaluator"


def evaluate(
    data: Data | None = None,
    pairs: Pairs | None = None,
    *,
    images: str | os.PathLike[str] | None = None,
    judge: str | Judge | None = None,
    split: str | None = None,
    pairs_per_image: int | None = None,
    visual_dependence: bool = False,
    weights: str = "imagenet",
    seed: int = 1,
) -> dict[str, Any]:
    """Diversity, consistency and overlap with the gold pairs, with 95% intervals over images.

    Examples:
        >>> import vqapg
        >>> metrics = vqapg.evaluate("data/easy", "pairs.jsonl", judge="evaluator:evaluator.pt")
        >>> metrics["consistent"]["value"], metrics["unique_pairs"]["value"]
        >>> vqapg.evaluate(images="photos", pairs="pairs.jsonl")["vendi"]["value"]

    Args:
        data: the data directory that was generated from
        pairs: the path of ``generate-<split>.txt`` or of JSON lines; or pairs in memory, each a
            tuple of the texts image, question and answer, or a dict with these keys
        images: instead of *data*, the folder that the pictures are in; what needs gold pairs is
            then left out
        judge: as ``vqapg evaluate --judge`` takes it, or a ``Judge``; without one there is no P
            and S
        split: of the images; None: ``test``, or none with *images*
        pairs_per_image: draw so many pairs of each image, and leave out images with fewer
        visual_dependence: have the judge score each pair with another image too
        weights: with *images*, of the backbone that made the features of a trained judge:
            "imagenet", a file, or "none"
        seed: of resamples and of whatever is drawn

    Returns:
        what ``vqapg evaluate`` writes: a figure is ``{"value", "n", "ci95"}``

    Raises:
        InputError: on what cannot be read or judged
    """
    return evaluate_pairs(
        data,
        pairs,
        images=images,
        judge=judge,
        split=split,
        pairs_per_image=pairs_per_image,
        visual_dependence=visual_dependence,
        weights=weights,
        seed=seed,
    ).metrics


def evaluate_pairs(
    data: Data | None = None,
    pairs: Pairs | None = None,
    *,
    images: str | os.PathLike[str] | None = None,
    judge: str | Judge | None = None,
    split: str | None = None,
    pairs_per_image: int | None = None,
    visual_dependence: bool = False,
    weights: str = "imagenet",
    seed: int = 1,
) -> Evaluation:
    """As :func:`evaluate`, with the pairs and what was said of each."""
    for option, value, least in (("seed", seed, 0), ("pairs-per-image", pairs_per_image, 1)):
        if value is not None and value < least:
            raise InputError(f"--{option} {value}: must be {least} or more; give a greater number")
    if visual_dependence and judge is None:
        raise InputError("--visual-dependence: a judge measures it; give --judge too")
    place = place_of_images(data, images, split)
    if isinstance(place, DataDirectory):
        split = split or "test"
    measured, left_out = given_pairs(pairs, place, split), 0
    if pairs_per_image is not None:
        measured, left_out = draw_pairs(measured, pairs_per_image, seed)
        if not measured:
            of = f" of {pairs}" if isinstance(pairs, (str, os.PathLike)) else ""
            raise InputError(
                f"--pairs-per-image {pairs_per_image}: no image{of} has so many; give fewer"
            )
    triples = distinct_triples(measured)
    truth = truth_of(place, split) if isinstance(place, DataDirectory) else None
    judged = Judged()
    if judge is not None:
        made = make_judge(judge, judge_context(place, split, weights))
        judged = _judged(made, triples, place, [pair.chosen_by for pair in measured])
        if visual_dependence:
            judged = judged._replace(elsewhere=_scores_elsewhere(made, measured, seed))
    metrics = compute_metrics(
        measured,
        judged.scores,
        truth,
        scores_elsewhere=judged.elsewhere,
        gold=place.pairs(split or "test") if isinstance(place, DataDirectory) else None,
        train=place.pairs("train") if isinstance(place, DataDirectory) else None,
        seed=seed,
    ) | {
        "pairs_per_image": pairs_per_image,
        "images_left_out": left_out,
        "judge": judged.identity,
        **judged.about,
        "evaluator": judged.identity if judged.is_evaluator else None,
        "split": split,
        "provenance": provenance(seed=seed, inputs=_inputs(place, pairs, judged.identity)),
    }
    if isinstance(place, PictureFolder):
        metrics["not_computed"] |= _of_gold_pairs()
    verdicts = {} if truth is None else dict(zip(triples, score_triples(truth, triples)))
    return Evaluation(
        metrics,
        measured,
        dict(zip(triples, [] if judged.scores is None else judged.scores)),
        verdicts,
    )


def _judged(
    judge: Judge,
    triples: list[Any],
    place: DataDirectory | PictureFolder,
    choosers: list[str | None],
) -> Judged:
    """What *judge* says of the *triples*, and what is known of the judge.

    Args:
        judge: any
        triples: distinct ones
        place: of the images
        choosers: for each measured pair the name of the judge that chose it, or None
    """
    about: dict[str, Any] = {
        "judges_agreement": None,
        "verdict": verdict_on_chosen(judge, choosers) or stored_verdict(judge.identity, place.path),
    }
    if isinstance(judge, MeanJudge):
        each = judge.each([Triple(*triple) for triple in triples])
        scores = mean_of_told(each)
        about["judges_agreement"] = judges_agreement(judge, each)
    else:
        scores = score_triples(judge, triples)
    if isinstance(place, DataDirectory):
        about["unknown_words"] = unknown_words(triples, place.words)
    elif isinstance(judge, EvaluatorJudge):
        about["unknown_words"] = unknown_words(triples, judge.dictionary)
    return Judged(scores, judge.identity, about)


def _scores_elsewhere(judge: Judge, pairs: list[GeneratedPair], seed: int) -> NDArray[np.float64]:
    """The scores of the distinct triples of *pairs* with another image each; NaN if there is none.

    Shape:
        - returns ``[T]``
    """
    triples = distinct_triples(pairs)
    elsewhere = with_another_image(triples, list(dict.fromkeys(pair.image for pair in pairs)), seed)
    return score_triples(judge, elsewhere) if elsewhere else np.full(len(triples), np.nan)


def _of_gold_pairs() -> dict[str, str]:
    """Why each metric that compares with gold pairs is missing where there are none."""
    return {
        metric.key: NEEDS_GOLD
        for metric in all_metrics().values()
        if metric.variant_of is None and {"gold", "train"} & set(metric.needs)
    }


def _inputs(
    place: DataDirectory | PictureFolder, pairs: Pairs | None, identity: dict[str, Any] | None
) -> dict[str, str | os.PathLike[str]]:
    """The files that the figures come from."""
    inputs: dict[str, str | os.PathLike[str]] = {}
    if isinstance(place, DataDirectory):
        inputs["data"] = place.path
    if isinstance(pairs, (str, os.PathLike)):
        inputs["pairs"] = pairs
    if identity and "path" in identity:
        inputs[identity.get("judge", "judge")] = identity["path"]
    return inputs
