"""Generated pairs of easy-VQA, judged by its truth, in strata by an evaluator's scores."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from estimating.files import ROUNDING, Population, covers, estimate
from numpy.typing import NDArray

from vqapg.errors import InputError
from vqapg.evaluation.figures import distinct_triples
from vqapg.evaluation.given_pairs import as_directory, given_pairs
from vqapg.evaluation.judged import CONSISTENT_ABOVE
from vqapg.evaluation.stratified import strata_by_score
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import evaluator_spec, make_judge, score_triples
from vqapg.judges.truth import truth_of

NUMBERS = (200, 400)
NEAR = 0.02


class JudgedFile(NamedTuple):
    """A file of generated pairs whose truth is known.

    Attributes:
        name: a short one
        triples: how many distinct triples it has
        right: whether each triple is right that the truth can tell of: ``[T]``
        scores: the evaluator's, of the same
    """

    name: str
    triples: int
    right: NDArray[np.bool_]
    scores: NDArray[np.float64]


def judge_files(paths: Sequence[str], data: str, checkpoint: str, split: str) -> list[JudgedFile]:
    """Scores the triples of each file once.

    Raises:
        InputError: if nobody knows the truth of *data*, or something cannot be read
    """
    directory = as_directory(data)
    truth = truth_of(directory, split)
    if truth is None:
        raise InputError(f"{data}: nobody knows its truth; give easy-VQA")
    judge = make_judge(evaluator_spec(checkpoint), JudgeContext(directory, split))
    triples_of = {path: distinct_triples(given_pairs(path, directory, split)) for path in paths}
    everything = list(
        dict.fromkeys(triple for triples in triples_of.values() for triple in triples)
    )
    verdict = dict(zip(everything, score_triples(truth, everything).tolist()))
    score = dict(zip(everything, score_triples(judge, everything).tolist()))
    common = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths])
    found = []
    for path, triples in triples_of.items():
        verdicts = np.array([verdict[triple] for triple in triples])
        known = ~np.isnan(verdicts)  # what the gold pairs leave open is in no figure
        scores = np.array([score[triple] for triple in triples])[known]
        name = os.path.relpath(path, common)
        found.append(JudgedFile(name, len(triples), verdicts[known] == 1, scores))
    return found


def rows(
    files: Sequence[JudgedFile], draws: int, seed: int
) -> tuple[list[list[str]], list[list[str]]]:
    """Estimate beside truth, from one draw of 400; and how often *draws* came near."""
    beside = [["pairs", "triples of known truth", "truth", "P", "estimate, one draw of 400"]]
    near = [
        ["pairs"]
        + [f"within 2 points, n = {n}" for n in NUMBERS]
        + [f"interval holds the truth, n = {n}" for n in NUMBERS]
    ]
    for file in files:
        strata = strata_by_score(file.scores)
        sizes = np.array([len(part) for part in strata])
        right = np.array([int(file.right[part].sum()) for part in strata])
        population = Population(np.tile(right, (draws, 1)), np.tile(sizes, (draws, 1)))
        rng = np.random.default_rng(seed)
        found = {n: estimate(rng, population, n) for n in NUMBERS}
        errors = {n: np.abs(one.value - population.truth) for n, one in found.items()}
        first = [100 * float(end[0]) for end in found[max(NUMBERS)]]
        beside.append(
            [
                file.name,
                f"{len(file.right):,} of {file.triples:,}",
                f"{100 * file.right.mean():.1f}",
                f"{100 * (file.scores > CONSISTENT_ABOVE).mean():.1f}",
                f"{first[0]:.1f} [{first[1]:.1f}, {first[2]:.1f}]",
            ]
        )
        near.append(
            [file.name]
            + [f"{100 * (error <= NEAR + ROUNDING).mean():.1f}" for error in errors.values()]
            + [f"{covers(one, population.truth):.1f}" for one in found.values()]
        )
    return beside, near
