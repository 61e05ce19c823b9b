"""Round-trip agreement: does a VQA model give the generated answer to the generated question?

It is a second opinion beside the consistency evaluator's. The VQA model was trained on gold pairs
alone and never saw a negative. What a model without the image (``--blind``) agrees with, the words
give away.
"""

import os
from typing import Any

import numpy as np

from vqapg.data.directory import DataDirectory
from vqapg.data.tokenizer import detokenize
from vqapg.data.vqa_answers import ANSWER_TYPES, answer_type, exact_match, token_f1
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.figures import distinct_triples
from vqapg.evaluation.generated import read_generated
from vqapg.judges.judge import score_triples
from vqapg.judges.truth import Truth, truth_of
from vqapg.judges.vqa import Answerer
from vqapg.provenance import provenance

RESAMPLES = 1000


def round_trip(
    data: DataDirectory,
    pairs: str | os.PathLike[str],
    answerer: str,
    blind_answerer: str | None = None,
    *,
    split: str = "test",
    beam: int = 1,
    seed: int = 1,
) -> dict[str, Any]:
    """What ``vqapg round-trip`` writes: agreement with generated pairs and, beside, with gold
    pairs.

    More agreement than with the gold pairs is not to be expected.

    Args:
        data: the data directory that was generated from
        pairs: ``generate-<split>.txt``, or JSON lines
        answerer: checkpoint of a ``vqapg_vqa``
        blind_answerer: checkpoint of one that was trained with ``--blind``, as control
        split: of the images
        beam: of answers
        seed: of resamples

    Raises:
        InputError: on what cannot be read, and on checkpoints of other models
    """
    generated = read_generated(pairs, data, split)
    answerers = [
        Answerer(checkpoint, data, blind, beam)
        for checkpoint, blind in ((answerer, False), (blind_answerer, True))
        if checkpoint is not None
    ]
    truth = truth_of(data, split)
    has_features = answerers[0].task.features.rows
    sets = {
        "generated": distinct_triples(generated),
        "gold": list(
            dict.fromkeys(tuple(pair) for pair in data.pairs(split) if pair.image in has_features)
        ),
    }
    asked = list(dict.fromkeys(triple[:2] for triples in sets.values() for triple in triples))
    said = [dict(zip(asked, one.answers(asked), strict=True)) for one in answerers]
    figures = {
        name: compare(
            triples,
            *([answers[triple[:2]] for triple in triples] for answers in said),
            truth=truth,
            seed=seed,
            resamples=RESAMPLES,
        )
        for name, triples in sets.items()
    }
    return figures | {
        "pairs": len(generated),
        "malformed": sum(pair.malformed for pair in generated),
        "beam": beam,
        "bootstrap": {"resamples": RESAMPLES, "seed": seed},
        "split": split,
        "provenance": provenance(
            seed=seed,
            inputs={"data": data.path, "pairs": pairs, "answerer": answerer}
            | ({"blind-answerer": blind_answerer} if blind_answerer else {}),
        ),
    }


def compare(
    triples, answers, blind_answers=None, truth: Truth | None = None, *, seed=1, resamples=RESAMPLES
):
    """Figures of agreement, each ``{"value", "n", "ci95"}``, shares within 0..1.

    Args:
        triples: distinct (image, question, answer), texts as space-joined tokens
        answers: what the answerer says to each one's question, as such tokens
        blind_answers: what the blind one says
        truth: of the data set; without it nothing is said of what is true
        seed, resamples: of the bootstrap over images
    """
    numbers = {
        image: number
        for number, image in enumerate(dict.fromkeys(image for image, _, _ in triples))
    }
    image = np.array([numbers[triple[0]] for triple in triples], dtype=np.int64)
    bootstrap = ImageBootstrap(max(len(numbers), 1), resamples, seed)
    asserted = [detokenize(answer.split()) for _, _, answer in triples]
    types = np.array([answer_type(answer) for answer in asserted])

    def share(value, which=slice(None), possible=(0.0, 1.0)):
        value, of = np.asarray(value, dtype=np.float64)[which], image[which]
        mean = float(value.mean()) if len(value) else None
        return {"value": mean, "n": len(value), "ci95": bootstrap.mean(of, value, possible)}

    def agreement(said):
        said = [detokenize(answer.split()) for answer in said]
        exact = np.array([exact_match(*both) for both in zip(said, asserted)], dtype=bool)
        figures = {
            "exact": share(exact),
            "f1": share([token_f1(*both) for both in zip(said, asserted)]),
            "exact_by_type": {name: share(exact, types == name) for name in ANSWER_TYPES},
        }
        return exact, figures

    exact, figures = agreement(answers)
    if blind_answers is not None:
        blind_exact, figures["blind"] = agreement(blind_answers)
        figures["above_blind"] = share(exact.astype(float) - blind_exact, possible=(-1.0, 1.0))
    if truth is not None:
        verdicts = score_triples(truth, triples)
        right, wrong = verdicts == 1, verdicts == 0
        figures["truth"] = {
            "true_consistent": share(right, right | wrong),
            "agrees_with_truth": share(exact == right, right | wrong),
            "agrees_with_right": share(exact, right),
            "disagrees_with_wrong": share(~exact, wrong),
        }
    return figures
