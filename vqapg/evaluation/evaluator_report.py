"""How far a judge can be trusted: held-out pairs against negatives made of them, and Table 3.

Every figure is ``{"value", "n", "ci95"}``, shares within 0..1.
"""

import copy
from typing import Any

import numpy as np
from tqdm import tqdm

from vqapg.data.directory import SPLITS, DataDirectory
from vqapg.data.feature_store import FeatureStore
from vqapg.data.negatives import MEASURED, NEGATIVES
from vqapg.data.tokenizer import detokenize
from vqapg.data.vqa_answers import ANSWER_TYPES, answer_type
from vqapg.errors import InputError
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.calibration import AreaUnderCurve, CalibrationError
from vqapg.evaluation.figures import number_items
from vqapg.evaluation.judged import CONSISTENT_ABOVE
from vqapg.judges.context import JudgeContext
from vqapg.judges.evaluator import EvaluatorJudge
from vqapg.judges.judge import Judge, make_judge, score_triples
from vqapg.judges.truth import Truth, truth_of
from vqapg.provenance import provenance

# Table 3, as shares; the test split has positives only.
PAPER_TABLE_3 = {
    "vqa2": {"train": 0.896, "valid": 0.879, "test": 0.892},
    "visual7w": {"train": 0.872, "valid": 0.853, "test": 0.896},
}


class LabelledTriples:
    """Pairs and negatives made of them, as (image, question, answer), with what each is told apart
    by.

    Args:
        pairs: of one split, list of :class:`~vqapg.data.directory.Pair`
        kind: of negatives, see :mod:`vqapg.data.negatives`; None: pairs only
        seed: that the negatives are drawn by; a task's dev negatives are those of its ``--seed``

    Attributes:
        triples: list ``[M]``; ``positive``: bool ``[M]``; ``groups``: by name, bool ``[M]``, the
            triples whose question is of that type
    """

    def __init__(self, pairs, kind, seed):
        numbers = np.stack([np.arange(len(pairs))] * 3, axis=1)
        self.positive = np.ones(len(pairs), dtype=bool)
        if kind is not None:
            negatives = NEGATIVES[kind](pairs).draw_fixed(np.random.default_rng(seed))[1]
            numbers = np.concatenate([numbers, negatives])
            self.positive = np.repeat([True, False], [len(pairs), len(negatives)])
        self.triples = [
            (pairs[i].image, pairs[q].question, pairs[a].answer) for i, q, a in numbers.tolist()
        ]
        # A question is of the type of its own answer, whichever answer it is judged with.
        types = np.array([answer_type(detokenize(pair.answer.split())) for pair in pairs])[
            numbers[:, 1]
        ]
        self.groups = {"all": np.ones(len(types), dtype=bool)} | {
            name: types == name for name in ANSWER_TYPES
        }

    def group_by_form(self, truth: Truth):
        """Adds to the groups what the questions ask for, where *truth* tells it."""
        asked_for = [truth.asks_for(question) for _, question, _ in self.triples]
        for asked in truth.asked_for:
            self.groups[f"{asked}?"] = np.array([one == asked for one in asked_for])

    def only(self, which):
        """Of these the triples *which*, bool ``[M]``."""
        part = copy.copy(self)
        part.triples = [triple for triple, chosen in zip(self.triples, which) if chosen]
        part.positive = self.positive[which]
        part.groups = {name: members[which] for name, members in self.groups.items()}
        return part


class Measured:
    """Labelled triples with their scores, and the figures over any of them.

    Args:
        labelled: :class:`LabelledTriples`
        scores: ``[M]``
        seed, resamples: of the bootstrap over images
    """

    def __init__(self, labelled, scores, seed, resamples):
        self.positive, self.groups, self.scores = labelled.positive, labelled.groups, scores
        self.accepted = scores > CONSISTENT_ABOVE
        self.right = self.accepted == labelled.positive
        self.image = number_items([image for image, _, _ in labelled.triples])
        self.bootstrap = ImageBootstrap(self.image.max() + 1, resamples, seed)

    def share(self, value, which):
        """Of the triples *which* (bool ``[M]``), the share for which *value*
        (bool ``[M]``) holds.
        """
        mean = float(value[which].mean()) if which.any() else None
        interval = self.bootstrap.mean(self.image[which], value[which].astype(np.float64))
        return {"value": mean, "n": int(which.sum()), "ci95": interval}

    def measure(self, kind, which):
        """Over the triples *which*, a measure of :mod:`vqapg.evaluation.calibration`."""
        measure = kind(self.scores[which], self.positive[which])
        value = measure.of(np.ones(which.sum()))
        if np.isnan(value):
            return {"value": None, "n": int(which.sum()), "ci95": None}
        image = self.image[which]
        interval = self.bootstrap.statistic(
            image, lambda weights: measure.of(weights[image].astype(float)), (0.0, 1.0)
        )
        return {"value": value, "n": int(which.sum()), "ci95": interval}

    def figures(self, which):
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


def report_evaluator(
    splits, split, judge: Judge, truth: Truth | None = None, *, dataset, seed=1, resamples=1000
):
    """The report on a judge, a dict that JSON can hold.

    Triples of which the judge cannot tell are counted, and take part in no figure.

    Args:
        splits: by split, its pairs
        split: the one that is held out, to measure on
        judge: whom the report is on
        truth: of *split*; without it nothing is said of what is true
        dataset: its name, for the paper's figures
        seed, resamples: of negatives and bootstrap

    Raises:
        InputError: if the judge can tell of no pair of a split
    """
    table_3 = {
        name: LabelledTriples(splits[name], None if name == "test" else "paper", seed)
        for name in splits
    }
    held_out = {kind: LabelledTriples(splits[split], kind, seed) for kind in MEASURED}
    triples = list(
        dict.fromkeys(
            t for labelled in (*table_3.values(), *held_out.values()) for t in labelled.triples
        )
    )
    scores = dict(zip(triples, score_triples(judge, triples), strict=True))

    def measured(labelled):
        """The triples that the judge can tell of, and what is measured of them."""
        told = np.array([not np.isnan(scores[triple]) for triple in labelled.triples])
        if not told.any():
            raise InputError(
                f"the judge {judge.name} can tell of no pair of a split; give another judge"
            )
        labelled = labelled.only(told)
        of_triples = np.array([scores[triple] for triple in labelled.triples])
        return labelled, Measured(labelled, of_triples, seed, resamples)

    report = {"split": split, "bootstrap": {"resamples": resamples, "seed": seed}, "negatives": {}}
    for kind, everything in tqdm(held_out.items(), desc="measuring", unit="kind of negatives"):
        if truth is not None:
            everything.group_by_form(truth)
        labelled, figures = measured(everything)
        report["negatives"][kind] = figures.figures(np.ones(len(labelled.triples), dtype=bool))
        report["negatives"][kind]["untold"] = len(everything.triples) - len(labelled.triples)
        if truth is not None:
            report["negatives"][kind]["truth"] = _truth(figures, labelled, truth)
    report["table3"] = {}
    for name, everything in table_3.items():
        labelled, figures = measured(everything)
        report["table3"][name] = figures.share(figures.right, labelled.groups["all"])
    report["table3_paper"] = (
        PAPER_TABLE_3 if dataset not in PAPER_TABLE_3 else {dataset: PAPER_TABLE_3[dataset]}
    )
    return report


def _truth(figures, labelled, truth):
    """How many negatives are true, and the figures without these and those of which it is not
    known.
    """
    verdicts = score_triples(truth, labelled.triples)
    negative, right, wrong = ~labelled.positive, verdicts == 1, verdicts == 0
    return {
        "true": int((negative & right).sum()),
        "false": int((negative & wrong).sum()),
        "undetermined": int((negative & ~right & ~wrong).sum()),
        "share_true": figures.share(right, negative & (right | wrong)),
        "without_true": figures.figures(labelled.positive | wrong),
    }


def check_judge(
    data: DataDirectory, judge: str | Judge, *, split: str = "test", seed: int = 1
) -> dict[str, Any]:
    """What ``vqapg check-evaluator`` writes: :func:`report_evaluator` of *data*, and who was
    judged.

    Args:
        data: the data directory; images that its features left out take no part
        judge: as ``--judge`` names it, or a judge
        split: what is held out
        seed: of negatives and resamples

    Raises:
        InputError: as :func:`report_evaluator`, and if there is no such judge
    """
    made = make_judge(judge, JudgeContext(data))
    # A judge that reads no features needs none.
    features = data.features_path
    skipped = FeatureStore(features).skipped if features.exists() else frozenset()
    splits = {
        name: [pair for pair in data.pairs(name) if pair.image not in skipped] for name in SPLITS
    }
    trained = isinstance(made, EvaluatorJudge)
    inputs = {"data": data.path} | ({"evaluator": made.identity["path"]} if trained else {})
    return report_evaluator(
        splits,
        split,
        made,
        truth_of(data, split),
        dataset=data.manifest["dataset"],
        seed=seed,
    ) | {
        "judge": made.identity,
        "evaluator": made.identity | {"negatives": made.negatives()} if trained else None,
        "provenance": provenance(seed=seed, inputs=inputs),
    }
