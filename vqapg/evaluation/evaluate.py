"""Everything that is measured of one generated set: what ``vqapg evaluate`` writes."""

import os
from typing import Any, NamedTuple

from vqapg.data.directory import DataDirectory
from vqapg.errors import InputError
from vqapg.evaluation.equal_pairs import draw_pairs
from vqapg.evaluation.figures import distinct_triples
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.given_pairs import Pairs, as_directory, given_pairs
from vqapg.evaluation.judge_verdict import stored_verdict
from vqapg.evaluation.metrics import compute_metrics
from vqapg.evaluation.unknown_words import unknown_words
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Judge, make_judge, score_triples
from vqapg.judges.truth import truth_of
from vqapg.provenance import provenance


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


def evaluate(
    data: str | os.PathLike[str] | DataDirectory,
    pairs: Pairs,
    *,
    judge: str | Judge | None = None,
    split: str = "test",
    pairs_per_image: int | None = None,
    seed: int = 1,
) -> dict[str, Any]:
    """Diversity, consistency and overlap with the gold pairs, with 95% intervals over images.

        >>> import vqapg
        >>> metrics = vqapg.evaluate("data/easy", "pairs.jsonl", judge="evaluator:evaluator.pt")
        >>> metrics["consistent"]["value"], metrics["unique_pairs"]["value"]

    Args:
        data: the data directory that was generated from
        pairs: as :func:`~vqapg.evaluation.given_pairs.given_pairs` takes them
        judge: as ``vqapg evaluate --judge`` takes it, or a
            :class:`~vqapg.judges.judge.Judge`; without one there is no P and S
        split: of the images
        pairs_per_image: draw so many pairs of each image, and leave out images with fewer
        seed: of resamples and drawn pairs

    Returns:
        what ``vqapg evaluate`` writes: a figure is ``{"value", "n", "ci95"}``

    Raises:
        InputError: on what cannot be read or judged
    """
    return evaluate_pairs(
        data, pairs, judge=judge, split=split, pairs_per_image=pairs_per_image, seed=seed
    ).metrics


def evaluate_pairs(
    data: str | os.PathLike[str] | DataDirectory,
    pairs: Pairs,
    *,
    judge: str | Judge | None = None,
    split: str = "test",
    pairs_per_image: int | None = None,
    seed: int = 1,
) -> Evaluation:
    """As :func:`evaluate`, with the pairs and what was said of each."""
    for option, value, least in (("seed", seed, 0), ("pairs-per-image", pairs_per_image, 1)):
        if value is not None and value < least:
            raise InputError(f"--{option} {value}: must be {least} or more; give a greater number")
    directory = as_directory(data)
    measured, left_out = given_pairs(pairs, directory, split), 0
    if pairs_per_image is not None:
        measured, left_out = draw_pairs(measured, pairs_per_image, seed)
        if not measured:
            of = f" of {pairs}" if isinstance(pairs, (str, os.PathLike)) else ""
            raise InputError(
                f"--pairs-per-image {pairs_per_image}: no image{of} has so many; give fewer"
            )
    truth = truth_of(directory, split)
    triples, scores, identity = distinct_triples(measured), None, None
    about_judge: dict[str, Any] = {}
    if judge is not None:
        made = make_judge(judge, JudgeContext(directory, split))
        scores, identity = score_triples(made, triples), made.identity
        about_judge = {
            "verdict": stored_verdict(identity, directory.path),
            "unknown_words": unknown_words(triples, directory.words),
        }
    metrics = compute_metrics(
        measured,
        scores,
        truth,
        gold=directory.pairs(split),
        train=directory.pairs("train"),
        seed=seed,
    ) | {
        "pairs_per_image": pairs_per_image,
        "images_left_out": left_out,
        "judge": identity,
        **about_judge,
        "evaluator": identity if identity and identity.get("judge") == "evaluator" else None,
        "split": split,
        "provenance": provenance(seed=seed, inputs=_inputs(directory, pairs, identity)),
    }
    verdicts = {} if truth is None else dict(zip(triples, score_triples(truth, triples)))
    return Evaluation(
        metrics,
        measured,
        dict(zip(triples, [] if scores is None else scores)),
        verdicts,
    )


def _inputs(
    data: DataDirectory, pairs: Pairs, identity: dict[str, Any] | None
) -> dict[str, str | os.PathLike[str]]:
    """The files that the figures come from."""
    inputs: dict[str, str | os.PathLike[str]] = {"data": data.path}
    if isinstance(pairs, (str, os.PathLike)):
        inputs["pairs"] = pairs
    if identity and "path" in identity:
        inputs[identity.get("judge", "judge")] = identity["path"]
    return inputs
