"""Generated pairs of easy-VQA, judged by its truth, in strata by a judge's scores."""

import itertools
import os
import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from estimating.files import ROUNDING, Population, covers, estimate
from numpy.typing import NDArray

from vqapg.errors import InputError
from vqapg.evaluation.figures import distinct_triples
from vqapg.evaluation.given_pairs import as_directory, given_pairs
from vqapg.evaluation.judged import CONSISTENT_ABOVE
from vqapg.evaluation.paired import Owner
from vqapg.evaluation.proportions import Z95, more_judgements
from vqapg.evaluation.stratified import strata_by_score
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import make_judge, score_triples
from vqapg.judges.truth import truth_of

OWNERS: tuple[Owner, ...] = ("first", "second", "both")
NUMBERS = (200, 400)
NEAR = 0.02
# Of an interval that excludes 0 in 80% of draws where the difference is 5 points.
HALF_WIDTH = 0.05 * Z95 / (Z95 + statistics.NormalDist().inv_cdf(0.8))


class JudgedFile(NamedTuple):
    """A file of generated pairs whose truth is known.

    Attributes:
        name: a short one
        size: how many distinct triples it has
        triples: those that the truth can tell of: ``[T]``
        right: whether each of them is right
        scores: the judge's, of the same
    """

    name: str
    size: int
    triples: list[tuple[str, str, str]]
    right: NDArray[np.bool_]
    scores: NDArray[np.float64]


def judge_files(paths: Sequence[str], data: str, spec: str, split: str) -> list[JudgedFile]:
    """Scores the triples of each file once.

    Args:
        paths: of the files
        data: their data directory
        spec: of the judge, as ``--judge`` takes it
        split: of the pairs

    Raises:
        InputError: if nobody knows the truth of *data*, or something cannot be read
    """
    directory = as_directory(data)
    truth = truth_of(directory, split)
    if truth is None:
        raise InputError(f"{data}: nobody knows its truth; give easy-VQA")
    judge = make_judge(spec, JudgeContext(directory, split))
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
        told = [triple for triple, is_known in zip(triples, known) if is_known]
        name = os.path.relpath(path, common)
        found.append(JudgedFile(name, len(triples), told, verdicts[known] == 1, scores))
    return found


def wanted(weights: Sequence[float], members: Sequence[NDArray[np.bool_]]) -> int:
    """How many judgements tell a difference of 5 points from none, with 80% power.

    Args:
        weights: of the parts in the difference
        members: whether each triple of a part is right
    """
    sizes = np.array([len(part) for part in members], dtype=np.float64)
    share = np.array([part.mean() for part in members])
    # The shares are known and nothing is judged yet: as good as no judgement.
    nearly_none = sizes * 1e-9
    return more_judgements(weights, sizes, nearly_none, share * nearly_none, HALF_WIDTH)


def paired_rows(files: Sequence[JudgedFile]) -> Iterator[list[str]]:
    """Judgements that each two files need, by people alone, in strata, and paired too."""
    yield ["files", "shared", "difference", "people alone", "strata", "strata, paired"]
    for first, second in itertools.combinations(files, 2):
        by_strata = [
            [file.right[part] for part in strata_by_score(file.scores) if len(part)]
            for file in (first, second)
        ]
        sizes = [len(first.right), len(second.right)]
        in_first, in_second = set(first.triples), set(second.triples)
        owner: dict[tuple[str, str, str], Owner] = {
            one: "second" if one not in in_first else "both" if one in in_second else "first"
            for one in dict.fromkeys(first.triples + second.triples)
        }
        right = dict(zip(second.triples + first.triples, [*second.right, *first.right]))
        scores = dict(zip(second.triples + first.triples, [*second.scores, *first.scores]))
        is_right, of = np.array([right[one] for one in owner]), np.array(list(owner.values()))
        weight = (of != "second") / sizes[0] - (of != "first") / sizes[1]
        strata = strata_by_score(np.array([scores[one] for one in owner]))
        cells = [part[of[part] == one] for part in strata for one in OWNERS]
        cells = [cell for cell in cells if len(cell)]
        alone = wanted([1, -1], [first.right, second.right])
        apart = wanted(
            [
                sign * len(part) / size
                for sign, size, parts in zip((1, -1), sizes, by_strata)
                for part in parts
            ],
            by_strata[0] + by_strata[1],
        )
        paired = wanted(
            [float(weight[cell].sum()) for cell in cells], [is_right[cell] for cell in cells]
        )
        yield [
            f"{first.name}, {second.name}",
            f"{100 * (of == 'both').sum() / min(sizes):.0f}%",
            f"{100 * (first.right.mean() - second.right.mean()):+.1f}",
            *(f"{number:,}" for number in (alone, apart, paired)),
        ]


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
                f"{len(file.right):,} of {file.size:,}",
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
