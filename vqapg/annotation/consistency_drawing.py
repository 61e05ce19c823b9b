"""Drawing the pairs of a session that estimates consistency."""

import os
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqapg.annotation.consistency_plan import MOST_ANNOTATORS, Cell, JudgedFile, Plan
from vqapg.annotation.pair_source import PairSource
from vqapg.annotation.session import Session, check_new, write_session
from vqapg.data.tokenizer import detokenize
from vqapg.errors import InputError
from vqapg.evaluation.figures import distinct_triples
from vqapg.evaluation.human import Group, ShownPair
from vqapg.evaluation.paired import Owner, allocate_paired
from vqapg.evaluation.stratified import allocate, strata_by_score
from vqapg.files import sha256
from vqapg.judges.judge import Judge, make_judge, score_triples

Triple = tuple[str, str, str]
# As strata_by_score has them.
SCORED_STRATA = ("rejected", "accepted", "unscored")


class DrawnCell(NamedTuple):
    """The triples that the same files have, and that the judge treats in the same way.

    Attributes:
        files: the names of the files
        stratum: one of :data:`~vqapg.annotation.consistency_plan.STRATA`
        members: all of them, as indices into the triples
        drawn: those that people judge
    """

    files: tuple[str, ...]
    stratum: str
    members: NDArray[np.int64]
    drawn: NDArray[np.int64]


def start_consistency_session(
    folder: str | os.PathLike[str],
    source: PairSource,
    files: Mapping[str, str | os.PathLike[str]],
    *,
    judge: str | Judge | None = None,
    n: int = 200,
    annotators: int = 2,
    seed: int = 1,
) -> Session:
    """Make a folder a session that estimates how many pairs of a file are right.

    Of several files the triples that they do not share are judged, to compare each two of them.

    Args:
        folder: new, or empty
        source: where the pairs and the pictures come from
        files: of pairs, by name
        judge: whose score makes the strata, as ``vqapg evaluate --judge`` takes it; without one
            the pairs are a simple random sample
        n: how many triples are judged; of more than two files, for each comparison
        annotators: how many judge every pair, before one more judges their disagreements
        seed: of the draw and of the order

    Raises:
        InputError: if the folder holds something, a file cannot be read, or nothing can be judged
    """
    given = [("-n", n, 1), ("--annotators", annotators, 1), ("--seed", seed, 0)]
    for option, value, least in given:
        if value < least:
            raise InputError(f"{option} {value}: must be at least {least}; give a greater number")
    if annotators > MOST_ANNOTATORS:
        raise InputError(f"--annotators {annotators}: give at most {MOST_ANNOTATORS}")
    check_new(Path(folder))
    pairs = {name: source.read_pairs(file) for name, file in files.items()}
    triples_of = {name: distinct_triples(of_file) for name, of_file in pairs.items()}
    for name, found in triples_of.items():
        if not found:
            raise InputError(f"--pairs {files[name]}: has no well-formed pair; give another file")
    triples = list(dict.fromkeys(triple for found in triples_of.values() for triple in found))
    made = None if judge is None else make_judge(judge, source.context)
    scores = None if made is None else score_triples(made, triples)
    rng = np.random.default_rng(seed)
    cells = draw_cells(triples, triples_of, scores, n, rng)
    images, groups, ids = _shown(triples, cells, rng)
    plan = Plan(
        None if made is None else made.identity,
        n,
        annotators,
        {
            name: JudgedFile(
                len(triples_of[name]),
                sum(pair.malformed for pair in pairs[name]),
                sha256(files[name]),
            )
            for name in files
        },
        tuple(
            Cell(cell.files, cell.stratum, len(cell.members), tuple(ids[t] for t in cell.drawn))
            for cell in cells
        ),
    )
    return write_session(
        folder,
        source,
        images,
        groups,
        seed=seed,
        models={name: {"split": source.split} for name in files},
        inputs={
            **source.inputs,
            **{f"pairs of {name}": files[name] for name in files},
            **_read_by(plan.judge),
        },
        plan=plan,
    )


def _read_by(judge: Mapping[str, Any] | None) -> dict[str, str]:
    """The file that a judge was read from, as its identity names it."""
    return {"judge": judge["path"]} if judge is not None and "path" in judge else {}


def draw_cells(
    triples: Sequence[Triple],
    triples_of: Mapping[str, Sequence[Triple]],
    scores: NDArray[np.floating] | None,
    n: int,
    rng: np.random.Generator,
) -> list[DrawnCell]:
    """Draws the triples that people judge, without replacement within cells.

    Args:
        triples: of all files, each once
        triples_of: those of each file, by its name
        scores: the judge's; None without one
        n: how many, as :func:`start_consistency_session` takes it
        rng: draws

    Shape:
        - scores: ``[T]``

    Returns:
        the cells that have triples; together they hold each triple once

    Raises:
        InputError: if all files have the same triples, so that there is nothing to compare
    """
    has = {name: set(found) for name, found in triples_of.items()}
    owned_by = [tuple(name for name in has if triple in has[name]) for triple in triples]
    strata = (
        {"all": np.arange(len(triples))}
        if scores is None
        else dict(zip(SCORED_STRATA, strata_by_score(scores)))
    )
    members: dict[tuple[tuple[str, ...], str], list[int]] = {}
    for stratum, indices in strata.items():
        for index in indices.tolist():
            members.setdefault((owned_by[index], stratum), []).append(index)
    counts = _counts([(files, len(found)) for (files, _), found in members.items()], list(has), n)
    if not sum(counts):
        raise InputError("--pairs: the files have the same triples; there is nothing to compare")
    return [
        # The whole cell is shuffled: a greater n draws the same triples and more.
        DrawnCell(files, stratum, np.array(found), rng.permutation(found)[:count])
        for ((files, stratum), found), count in zip(members.items(), counts)
    ]


def _counts(cells: list[tuple[tuple[str, ...], int]], names: list[str], n: int) -> list[int]:
    """How many triples of each cell are judged, from the files that have it and its size."""
    if len(names) == 1:
        return allocate([size for _, size in cells], n)
    counts = [0] * len(cells)
    for first, second in combinations(names, 2):
        owned: list[tuple[int, Owner, int]] = []
        for place, (files, size) in enumerate(cells):
            if first in files or second in files:
                both = first in files and second in files
                owner: Owner = "both" if both else "first" if first in files else "second"
                owned.append((place, owner, size))
        of_pair = allocate_paired([(owner, size) for _, owner, size in owned], n)
        # A triple that several comparisons need is judged once.
        for (place, _, _), count in zip(owned, of_pair):
            counts[place] = max(counts[place], count)
    return counts


def _shown(
    triples: Sequence[Triple], cells: Sequence[DrawnCell], rng: np.random.Generator
) -> tuple[list[str], list[Group], dict[int, str]]:
    """The images, the groups in a drawn order, and the id of each drawn triple.

    Neither the number of a pair nor that of its image tells its cell.
    """
    drawn = rng.permutation(np.concatenate([cell.drawn for cell in cells]))
    of_triple = {index: cell for cell in cells for index in cell.drawn.tolist()}
    images = list(dict.fromkeys(triples[index][0] for index in drawn))
    number = {image: place for place, image in enumerate(images)}
    groups, ids = [], {}
    for place, index in enumerate(drawn.tolist(), start=1):
        image, *texts = triples[index]
        question, answer = (detokenize(text.split()) for text in texts)
        shown = ShownPair(f"g{place}p1", question, answer)
        ids[index] = shown.id
        model = of_triple[index].files[0]
        groups.append(Group(f"g{place}", model, number[image], (shown,)))
    return images, groups, ids
