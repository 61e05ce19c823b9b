"""What a judge is, and how a command gets one from ``--judge SPEC``."""

import importlib.util
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vqapg.errors import InputError
from vqapg.judges.context import JudgeContext
from vqapg.registry import Registry


class Triple(NamedTuple):
    """An image's id, and a question and an answer as tokens joined by single spaces."""

    image: str
    question: str
    answer: str


@runtime_checkable
class Judge(Protocol):
    """Says of image-question-answer triples whether the answer is right.

    Attributes:
        name: tells this judge from every other; it changes where the scores can change
        identity: says the same in a form that JSON can hold; it is stored with each result
    """

    name: str
    identity: dict[str, Any]

    def score(self, triples: Sequence[Triple]) -> NDArray[np.floating[Any]]:
        """How sure the judge is that each answer is right.

        Args:
            triples: at least one; all are different

        Shape:
            - returns ``[M]``, one number a triple, in the order of *triples*

        Returns:
            numbers in [0, 1]; NaN where the judge cannot tell
        """


def names_within(judge: Judge) -> list[str]:
    """The name of *judge*, or of each judge that it averages."""
    if judge.identity.get("judge") != "mean":
        return [judge.name]
    return [str(member["name"]) for member in judge.identity["judges"]]


# Called as ``build(argument, context)`` with what stands after the first colon, "" for nothing.
JUDGES: Registry[Callable[[str, JudgeContext], Judge]] = Registry("judge", "vqapg.judges")
JUDGES.register(
    "evaluator",
    "vqapg.judges.evaluator:EvaluatorJudge",
    "evaluator:CKPT, a trained consistency evaluator (section 4.6)",
)
JUDGES.register(
    "vqa",
    "vqapg.judges.vqa:VQAJudge",
    "vqa:CKPT, 1 where a trained vqapg_vqa gives the same answer, else 0",
)
JUDGES.register(
    "hf",
    "vqapg.judges.hf:HFJudge",
    "hf:NAME_OR_PATH, a vision-language model of Hugging Face transformers",
)
JUDGES.register(
    "mean",
    "vqapg.judges.mean:mean_judge",
    "mean:SPEC,SPEC, several judges, each calibrated, averaged",
)
JUDGES.register(
    "truth",
    "vqapg.judges.truth:named_truth",
    "truth:NAME, 1 or 0 by what is known of a data set's images; see vqapg list truths",
)


def make_judge(spec: "str | Judge", context: JudgeContext) -> Judge:
    """The judge that *spec* names, over the images of *context*.

    Args:
        spec: ``NAME:ARGUMENT`` with a name of ``vqapg list judges``, or
            ``package.module:Class[:ARGUMENT]``; a judge is returned as it is
        context: the images that it will be asked about

    Raises:
        InputError: if there is no such judge, or it cannot judge these images
    """
    if not isinstance(spec, str):
        if not isinstance(spec, Judge):
            raise InputError(
                f"--judge: {type(spec).__name__} is no judge; "
                "give one with name, identity and score(triples)"
            )
        return spec
    name, _, argument = spec.partition(":")
    if name not in JUDGES.names() and importlib.util.find_spec(name.partition(".")[0] or "-"):
        attribute, _, argument = argument.partition(":")
        name = f"{name}:{attribute}"
    return JUDGES.get(name)(argument, context)


def score_triples(judge: Judge, triples: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """The scores of *triples*, checked; each distinct triple is asked about once.

    Args:
        judge: any
        triples: (image, question, answer) each

    Shape:
        - returns ``[M]``

    Returns:
        numbers in [0, 1]; NaN where the judge cannot tell

    Raises:
        InputError: if the judge breaks its contract
    """
    place = {triple: number for number, triple in enumerate(dict.fromkeys(map(tuple, triples)))}
    if not place:
        return np.empty(0)
    scores = np.asarray(judge.score([Triple(*triple) for triple in place]), dtype=np.float64)
    if scores.shape != (len(place),):
        raise InputError(
            f"the judge {judge.name} gave scores of shape {list(scores.shape)} "
            f"for {len(place):,} triples; it must give one number for each"
        )
    wrong = np.flatnonzero((scores < 0) | (scores > 1))
    if len(wrong):
        raise InputError(
            f"the judge {judge.name} gave {list(place)[wrong[0]]} the score {scores[wrong[0]]:g}; "
            "a score must lie between 0 and 1, or be NaN"
        )
    return scores[[place[tuple(triple)] for triple in triples]]


def evaluator_spec(checkpoint: str | os.PathLike[str]) -> str:
    """The spec of the trained evaluator of *checkpoint*."""
    return f"evaluator:{os.fspath(checkpoint)}"
