"""Pairs and negatives made of them, and what is measured of a judge's scores over them."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqapg.data.directory import Pair
from vqapg.data.negatives import NEGATIVES
from vqapg.data.tokenizer import detokenize
from vqapg.data.vqa_answers import ANSWER_TYPES, answer_type
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.calibration import AreaUnderCurve, CalibrationError, measured_figure
from vqapg.evaluation.figures import number_items
from vqapg.evaluation.judged import CONSISTENT_ABOVE
from vqapg.evaluation.metric import Figure
from vqapg.judges.truth import Truth

Flags = NDArray[np.bool_]


class LabelledTriples:
    """Pairs and negatives made of them, as (image, question, answer), with what each is told apart
    by.

    Args:
        pairs: of one split
        kind: of negatives, see :mod:`vqapg.data.negatives`; None: pairs only
        seed: that the negatives are drawn by; a task's dev negatives are those of its ``--seed``
        wrong_answers: by pair, for the kind "people"

    Attributes:
        triples: list ``[M]``
        positive: bool ``[M]``
        groups: by name, bool ``[M]``, the triples whose question is of that type
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        kind: str | None,
        seed: int,
        wrong_answers: Mapping[Pair, Sequence[str]] | None = None,
    ) -> None:
        self.triples: list[tuple[str, str, str]] = [(p.image, p.question, p.answer) for p in pairs]
        asked = np.arange(len(pairs))
        if kind is not None:
            negatives = NEGATIVES[kind](pairs, wrong_answers)
            _, drawn = negatives.draw_fixed(np.random.default_rng(seed))
            self.triples += [negatives.texts(triple) for triple in drawn.tolist()]
            asked = np.concatenate([asked, drawn[:, 1]])
        self.positive: Flags = np.arange(len(asked)) < len(pairs)
        # A question is of the type of its own answer, whichever answer it is judged with.
        types = np.array([answer_type(detokenize(pair.answer.split())) for pair in pairs])[asked]
        self.groups: dict[str, Flags] = {"all": np.ones(len(types), dtype=bool)} | {
            name: types == name for name in ANSWER_TYPES
        }

    def group_by_form(self, truth: Truth) -> None:
        """Adds to the groups what the questions ask for, where *truth* tells it."""
        asked_for = [truth.asks_for(question) for _, question, _ in self.triples]
        for asked in truth.asked_for:
            self.groups[f"{asked}?"] = np.array([one == asked for one in asked_for])

    def only(self, which: Flags) -> "LabelledTriples":
        """Of these the triples *which*, bool ``[M]``."""
        part = copy.copy(self)
        part.triples = [triple for triple, chosen in zip(self.triples, which) if chosen]
        part.positive = self.positive[which]
        part.groups = {name: members[which] for name, members in self.groups.items()}
        return part


class Measured:
    """Labelled triples with their scores, and the figures over any of them.

    Args:
        labelled: the triples
        scores: ``[M]``
        seed: of the bootstrap over images
        resamples: of the bootstrap
    """

    def __init__(
        self, labelled: LabelledTriples, scores: NDArray[np.float64], seed: int, resamples: int
    ) -> None:
        self.positive, self.groups, self.scores = labelled.positive, labelled.groups, scores
        self.accepted: Flags = scores > CONSISTENT_ABOVE
        self.right: Flags = self.accepted == labelled.positive
        self.image = number_items([image for image, _, _ in labelled.triples])
        self.bootstrap = ImageBootstrap(self.image.max() + 1, resamples, seed)

    def share(self, value: Flags, which: Flags) -> Figure:
        """Of the triples *which* (bool ``[M]``), the share for which *value* (bool ``[M]``)
        holds.
        """
        mean = float(value[which].mean()) if which.any() else None
        interval = self.bootstrap.mean(self.image[which], value[which].astype(np.float64))
        return {"value": mean, "n": int(which.sum()), "ci95": interval}

    def measure(self, kind: type[AreaUnderCurve | CalibrationError], which: Flags) -> Figure:
        """Over the triples *which*, a measure of :mod:`vqapg.evaluation.calibration`."""
        measure = kind(self.scores[which], self.positive[which])
        return measured_figure(measure, self.image[which], self.bootstrap)

    def figures(self, which: Flags) -> dict[str, Any]:
        """Everything over the triples *which*, and by type of question."""
        return {
            "positives": int((self.positive & which).sum()),
            "negatives": int((~self.positive & which).sum()),
            "images": len(np.unique(self.image[which])),
            "calibration_error": self.measure(CalibrationError, which),
            "bins": CalibrationError(self.scores[which], self.positive[which]).bins(),
            "by_type": {
                name: {
                    "auc": self.measure(AreaUnderCurve, which & members),
                    "accuracy": self.share(self.right, which & members),
                    "accuracy_positives": self.share(self.right, which & members & self.positive),
                    "accuracy_negatives": self.share(self.right, which & members & ~self.positive),
                }
                for name, members in self.groups.items()
            },
        }
