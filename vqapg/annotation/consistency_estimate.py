"""What ``vqapg annotate estimate`` writes: how many pairs are right, from what people judged."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from vqapg.annotation.consistency_plan import Cell, Plan
from vqapg.annotation.judgements import Judgements
from vqapg.annotation.judging_time import seconds_per_pair
from vqapg.annotation.session import Session
from vqapg.annotation.votes import Outcome, disagreement, outcomes, progress, votes_on
from vqapg.counted import counted
from vqapg.errors import InputError
from vqapg.evaluation.estimated import KEY, EstimatedFigure, is_of_file, with_estimate
from vqapg.evaluation.file_design_effect import file_design_effect
from vqapg.evaluation.paired import Owner, Part, paired_difference
from vqapg.evaluation.stratified import (
    Estimate,
    Stratum,
    bounds_of_undecided,
    stratified_estimate,
)
from vqapg.files import check_readable_file
from vqapg.provenance import KEY as PROVENANCE
from vqapg.provenance import provenance
from vqapg.strict_json import read_json
from vqapg.targets import LARGEST_JSON

# A reader wants to know the share to so much, to each side.
HALF_WIDTH = 0.02
DECIDED = ("right", "not right")


def estimate_session(session: Session, judgements: Judgements) -> dict[str, Any]:
    """The estimate of every file, and the difference of every two, in a dict that JSON can hold.

    Args:
        session: with a plan
        judgements: as :func:`~vqapg.annotation.judgements.read_judgements` gives them

    Returns:
        ``files``, ``differences``, ``annotators``, ``disagreement``, and where it comes from

    Raises:
        InputError: if the session is of the paper's evaluation, or too little is judged
    """
    plan = session.plan
    if plan is None:
        raise InputError(
            f"{session.path}: was drawn for the paper's evaluation; give one of "
            "vqapg annotate start --for consistency, or use vqapg annotate score"
        )
    found = outcomes(session, judgements)
    if not any(vote in DECIDED for vote in found.values()):
        raise InputError(f"{session.path}: {_missing(session, plan, judgements)}")
    waiting = {
        pair
        for pair, vote in found.items()
        if vote is None and len(votes_on(judgements, pair)) >= plan.annotators
    }
    of_cells = {cell: _Counts(cell, found, waiting) for cell in plan.cells}
    image = {pair.id: group.image for group in session.groups for pair in group.pairs}
    disagreed, seconds = disagreement(session, judgements), seconds_per_pair(session)
    inputs = {name: session.path / name for name in ("session.json", "judgements.jsonl")}
    return {
        "files": {name: _file(plan, name, of_cells, image) for name in plan.files},
        "differences": [
            _difference(plan, first, second, of_cells)
            for first, second in combinations(plan.files, 2)
        ],
        "judge": plan.judge,
        "pairs": len(found),
        "annotators_asked_for": plan.annotators,
        "annotators": {
            name: state._asdict() | {"seconds_per_pair": seconds.get(name)}
            for name, state in progress(session, judgements).items()
        },
        "waiting_for_one_more": len(waiting),
        "disagreement": disagreed._asdict()
        | {"share": disagreed.disagreed / disagreed.pairs if disagreed.pairs else None},
        "session_seed": session.seed,
        PROVENANCE: provenance(seed=session.seed, inputs=inputs),
    }


def add_to_metrics(path: Path, figures: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a metrics.json with the estimate of its file.

    Args:
        path: what ``vqapg evaluate`` wrote
        figures: as :func:`estimate_session` gives them

    Raises:
        InputError: if *path* is no such file, is of other pairs, or its file has no estimate
    """
    cure = "give what vqapg evaluate wrote"
    metrics = read_json(check_readable_file(path, cure, LARGEST_JSON), cure)
    if not isinstance(metrics, dict):
        raise InputError(f"{path}: is no JSON object; {cure}")
    for name, file in figures["files"].items():
        if is_of_file(metrics, file["sha256"]):
            if file[KEY] is None:
                raise InputError(
                    f"{path}: its pairs, {name}, have no estimate of their own, for what files "
                    "share was not judged; start a session of this file alone"
                )
            return with_estimate(
                metrics,
                file[KEY],
                triples=file["distinct_triples"],
                inputs=figures[PROVENANCE]["inputs"],
                where=str(path),
            )
    raise InputError(f"{path}: is of other pairs than those that were judged; {cure} of these")


class _Counts:
    """What people said of the pairs that were drawn from a cell.

    Attributes:
        stratum: those that are right or not; what nobody could tell is left out
        right: whether each of these is right, by the pair's id
        unsure: how many have "?" for an outcome
        waiting: how many wait for one more judgement, as annotators disagree
        open: how many have too few judgements
    """

    def __init__(self, cell: Cell, found: Mapping[str, Outcome | None], waiting: set[str]) -> None:
        votes = [found[pair] for pair in cell.pairs]
        right = votes.count("right")
        self.stratum = Stratum(cell.size, right + votes.count("not right"), right)
        self.right = {p: v == "right" for p, v in zip(cell.pairs, votes) if v in DECIDED}
        self.unsure = votes.count("?")
        self.waiting = len(waiting.intersection(cell.pairs))
        self.open = votes.count(None) - self.waiting

    @property
    def undecided(self) -> int:
        """How many could be either. Disagreements are no random part, so they are bounded too."""
        return self.unsure + self.waiting

    def as_dict(self, cell: Cell) -> dict[str, Any]:
        return {
            "files": list(cell.files),
            "stratum": cell.stratum,
            "size": cell.size,
            "drawn": len(cell.pairs),
            "judged": self.stratum.judged,
            "right": self.stratum.right,
            "unsure": self.unsure,
            "waiting": self.waiting,
            "open": self.open,
        }


Counted = Mapping[Cell, _Counts]


def _file(plan: Plan, name: str, counted: Counted, image: Mapping[str, int]) -> dict[str, Any]:
    """The estimate of one file, beside what its judge says.

    Args:
        plan: of the session
        name: of the file
        counted: what people said, by cell
        image: the number of the image of each pair, by the pair's id
    """
    file, cells = plan.files[name], plan.cells_of(name)
    counts = [counted[cell] for cell in cells]
    size = {
        stratum: sum(c.size for c in cells if c.stratum == stratum)
        for stratum in ("accepted", "rejected")
    }
    scored = size["accepted"] + size["rejected"]
    result: dict[str, Any] = {
        "distinct_triples": file.triples,
        "malformed": file.malformed,
        "sha256": file.sha256,
        "consistent": size["accepted"] / scored if scored else None,
        "strata": [count.as_dict(cell) for cell, count in zip(cells, counts)],
        KEY: None,
    }
    # What other files share was not drawn: of it nothing is known.
    if not all(cell.pairs for cell in cells):
        return result
    strata = [count.stratum for count in counts]
    if not any(stratum.judged for stratum in strata):
        return result
    estimate = stratified_estimate(strata)
    judged = [(place, image[p], r) for place, c in enumerate(counts) for p, r in c.right.items()]
    effect = file_design_effect(strata, *zip(*judged))
    return result | {
        KEY: _figure(plan, estimate, len(cells)),
        "beyond_file": {
            "ci95": list(estimate.beyond_file(effect)),
            "design_effect": effect,
        },
        "effective_sample_size": estimate.effective_size,
        "people_alone_ci95": list(estimate.people_alone),
        "more_for_2_points": estimate.more_for(HALF_WIDTH),
        "undecided": _bounds(strata, [count.undecided for count in counts]),
    }


def _figure(plan: Plan, estimate: Estimate, strata: int) -> EstimatedFigure:
    judge = "" if plan.judge is None else f" by {plan.judge.get('judge', 'a judge')}"
    drawn = f"{strata} strata{judge}" if strata > 1 else "simple random sample"
    people = (
        "1 annotator"
        if plan.annotators == 1
        else f"{plan.annotators} annotators, one more where they disagree"
    )
    return {
        "value": estimate.value,
        "n": estimate.judged,
        "ci95": [estimate.low, estimate.high],
        "method": f"{drawn}, Wilson intervals joined by MOVER, finite population; {people}",
    }


def _bounds(strata: Sequence[Stratum], undecided: Sequence[int]) -> dict[str, Any] | None:
    """The estimate if all undecided pairs were wrong, and if all were right; None without any."""
    if not sum(undecided):
        return None
    wrong, right = bounds_of_undecided(strata, undecided)
    return {"pairs": sum(undecided), "all_wrong": wrong.value, "all_right": right.value}


def _difference(plan: Plan, first: str, second: str, counted: Counted) -> dict[str, Any]:
    """The first file's share of right triples minus the second's."""
    result: dict[str, Any] = {"first": first, "second": second, "value": None, "ci95": None}
    owned = [(cell, _owner(cell, first, second)) for cell in plan.cells]
    parts = [
        (Part(owner, counted[cell].stratum), counted[cell].undecided)
        for cell, owner in owned
        if owner is not None
    ]
    own = [part for part, _ in parts if part.owner != "both"]
    shared = sum(part.stratum.size for part, _ in parts if part.owner == "both")
    result["shared_triples"] = shared
    if own and not any(part.stratum.judged for part, _ in parts):
        return result
    difference = paired_difference([part for part, _ in parts])
    longer = plan.files[first].triples > plan.files[second].triples
    # Undecided pairs pull the difference down where those that raise it are wrong.
    low, high = (
        paired_difference([_decided(part, n, longer, raising) for part, n in parts]).value
        for raising in (False, True)
    )
    return result | {
        "value": difference.value,
        "ci95": [difference.low, difference.high],
        "n": difference.judged,
        "more_for_2_points": difference.more_for(HALF_WIDTH),
        "undecided": {
            "pairs": sum(n for _, n in parts),
            "least": low,
            "most": high,
        }
        if any(n for _, n in parts)
        else None,
    }


def _owner(cell: Cell, first: str, second: str) -> Owner | None:
    if first in cell.files:
        return "both" if second in cell.files else "first"
    return "second" if second in cell.files else None


def _decided(part: Part, undecided: int, longer: bool, raising: bool) -> Part:
    """*part* with its undecided pairs taken as what raises, or else lowers, the difference.

    A right triple of both files raises it where the first file is the shorter one.
    """
    adds = part.owner == "first" or (part.owner == "both" and not longer)
    right = undecided if adds == raising else 0
    stratum = part.stratum
    return Part(
        part.owner, Stratum(stratum.size, stratum.judged + undecided, stratum.right + right)
    )


def _missing(session: Session, plan: Plan, judgements: Judgements) -> str:
    """What is still to be done before there is an estimate."""
    states = progress(session, judgements)
    if not states:
        return f"nothing is judged yet; judge with vqapg annotate serve {session.path}"
    done = ", ".join(
        f"{name} judged {counted(state.judged, 'pair')}" for name, state in states.items()
    )
    if len(states) < plan.annotators:
        return (
            f"every pair needs {plan.annotators} annotators, and so far {done}; "
            f"judge under another name with vqapg annotate serve {session.path}"
        )
    return f"no pair is decided yet ({done}); go on with vqapg annotate serve {session.path}"
