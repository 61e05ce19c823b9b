"""How far a judge can be trusted, in figures that JSON can hold.

Held-out pairs against negatives made of them, Table 3, the right answer among four, and the
image-swap test. Every figure is ``{"value", "n", "ci95"}``, shares within 0..1.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from vqapg.data.directory import SPLITS, DataDirectory, Pair
from vqapg.data.feature_store import FeatureStore
from vqapg.data.negatives import MEASURED
from vqapg.errors import InputError
from vqapg.evaluation.image_swap import ImageSwap
from vqapg.evaluation.judge_verdict import verdict_of
from vqapg.evaluation.labelled_triples import LabelledTriples, Measured
from vqapg.evaluation.multiple_choice import MultipleChoice
from vqapg.evaluation.unknown_words import unknown_words
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
# How many pairs the four-way accuracy and the image-swap test take at most. A share of so many has
# an interval of two points to either side.
MOST_PAIRS = 2000


def report_evaluator(
    splits: Mapping[str, Sequence[Pair]],
    split: str,
    judge: Judge,
    truth: Truth | None = None,
    *,
    dataset: str,
    wrong_answers: Mapping[Pair, Sequence[str]] | None = None,
    words: frozenset[str] | None = None,
    most_pairs: int = MOST_PAIRS,
    seed: int = 1,
    resamples: int = 1000,
) -> dict[str, Any]:
    """The report on a judge, a dict that JSON can hold.

    Triples of which the judge cannot tell are counted, and take part in no figure.

    Args:
        splits: by split, its pairs
        split: the one that is held out, to measure on
        judge: whom the report is on
        truth: of *split*; without it nothing is said of what is true
        dataset: its name, for the paper's figures
        wrong_answers: that people wrote to the pairs of *split*, by pair; without any there is no
            four-way accuracy
        words: of the dictionary; without them unknown words are not counted
        most_pairs: for the four-way accuracy and the image-swap test; 0: all
        seed: of negatives, drawn pairs and bootstrap
        resamples: of the bootstrap

    Raises:
        InputError: if the judge can tell of no pair of a split
    """
    pairs, wrong = splits[split], wrong_answers or {}
    table_3 = {
        name: LabelledTriples(splits[name], None if name == "test" else "paper", seed)
        for name in splits
    }
    kinds = (*MEASURED, "people") if any(wrong.get(pair) for pair in pairs) else MEASURED
    held_out = {kind: LabelledTriples(pairs, kind, seed, wrong) for kind in kinds}
    tested = _some(pairs, most_pairs, seed)
    swap = ImageSwap(tested, pairs, seed)
    choice = MultipleChoice(tested, wrong, pairs, seed)
    asked = [labelled.triples for labelled in (*table_3.values(), *held_out.values())]
    triples = list(
        dict.fromkeys(itertools.chain.from_iterable([*asked, swap.triples, choice.triples]))
    )
    scores = dict(zip(triples, score_triples(judge, triples).tolist(), strict=True))

    def measured(labelled: LabelledTriples) -> tuple[LabelledTriples, Measured]:
        """The triples that the judge can tell of, and what is measured of them."""
        told = np.array([not np.isnan(scores[triple]) for triple in labelled.triples])
        if not told.any():
            raise InputError(
                f"the judge {judge.name} can tell of no pair of a split; give another judge"
            )
        labelled = labelled.only(told)
        of_triples = np.array([scores[triple] for triple in labelled.triples])
        return labelled, Measured(labelled, of_triples, seed, resamples)

    report: dict[str, Any] = {
        "split": split,
        "dataset": dataset,
        "bootstrap": {"resamples": resamples, "seed": seed},
        "negatives": {},
    }
    for kind, everything in tqdm(held_out.items(), desc="measuring", unit="kind of negatives"):
        if truth is not None:
            everything.group_by_form(truth)
        labelled, figures = measured(everything)
        found = figures.figures(np.ones(len(labelled.triples), dtype=bool))
        found["untold"] = len(everything.triples) - len(labelled.triples)
        if words is not None:
            found["unknown_words"] = {
                name: unknown_words(labelled.only(which).triples, words)
                for name, which in (
                    ("positives", labelled.positive),
                    ("negatives", ~labelled.positive),
                )
            }
        if truth is not None:
            found["truth"] = _truth(figures, labelled, truth)
        report["negatives"][kind] = found
    report["image_swap"] = swap.figures(scores, seed, resamples)
    report["four_way"] = choice.figures(scores, seed, resamples) if choice.pairs else None
    report["table3"] = {}
    for name, everything in table_3.items():
        labelled, figures = measured(everything)
        report["table3"][name] = figures.share(figures.right, labelled.groups["all"])
    report["table3_paper"] = (
        PAPER_TABLE_3 if dataset not in PAPER_TABLE_3 else {dataset: PAPER_TABLE_3[dataset]}
    )
    return report | {"verdict": verdict_of(report)}


def _some(pairs: Sequence[Pair], most: int, seed: int) -> Sequence[Pair]:
    """At most *most* of the *pairs*, drawn by *seed*, in their order; all of them for 0."""
    if not 0 < most < len(pairs):
        return pairs
    drawn = np.random.default_rng([seed, 0]).choice(len(pairs), most, replace=False)
    return [pairs[number] for number in np.sort(drawn)]


def _truth(figures: Measured, labelled: LabelledTriples, truth: Truth) -> dict[str, Any]:
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
    data: DataDirectory,
    judge: str | Judge,
    *,
    split: str = "test",
    most_pairs: int = MOST_PAIRS,
    seed: int = 1,
) -> dict[str, Any]:
    """What ``vqapg check-evaluator`` writes: :func:`report_evaluator` of *data*, and who was
    judged.

    Args:
        data: the data directory; images that its features left out take no part
        judge: as ``--judge`` names it, or a judge
        split: what is held out
        most_pairs: for the four-way accuracy and the image-swap test; 0: all
        seed: of negatives, drawn pairs and resamples

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
    evaluator: dict[str, Any] | None = None
    inputs: dict[str, Any] = {"data": data.path}
    if isinstance(made, EvaluatorJudge):
        evaluator = made.identity | {"negatives": made.negatives()}
        inputs["evaluator"] = made.identity["path"]
    return report_evaluator(
        splits,
        split,
        made,
        truth_of(data, split),
        dataset=data.manifest["dataset"],
        wrong_answers=data.wrong_answers(split),
        words=data.words,
        most_pairs=most_pairs,
        seed=seed,
    ) | {
        "judge": made.identity,
        "evaluator": evaluator,
        "provenance": provenance(seed=seed, inputs=inputs),
    }
