"""What annotators together say of a pair, and which pairs an annotator is still needed for.

Every pair is judged by two annotators, or by as many as the plan says. One more judges where they
disagree. Then the majority counts.

A judge who errs in 5% of cases shifts an estimate by 3 to 4 points, however many pairs there are.
Two of them and a third leave half a point.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from vqapg.annotation.consistency_plan import Plan
from vqapg.annotation.judgements import Judgements
from vqapg.annotation.session import Session
from vqapg.evaluation.agreement import krippendorff_alpha

Outcome = Literal["right", "not right", "?"]
# Appendix C's marks. For an estimate, a question without an answer has no right answer either.
OUTCOMES: dict[str, Outcome] = {"2": "right", "1": "not right", "0": "not right", "?": "?"}


class Annotator(NamedTuple):
    """How far an annotator is.

    Attributes:
        judged: how many pairs they judged
        needed: how many pairs are theirs to judge, with those
    """

    judged: int
    needed: int


class Disagreement(NamedTuple):
    """How far the first annotators of each pair agree, before anybody else judges.

    Attributes:
        pairs: how many pairs as many annotators judged as the plan asks for
        disagreed: on how many of them they did not all say the same
        alpha: Krippendorff's, nominal over right, not right and "?"; None where it has no value
    """

    pairs: int
    disagreed: int
    alpha: float | None


def votes_on(judgements: Judgements, pair: str) -> list[Outcome]:
    """What annotators said of *pair*, in their order."""
    return [
        OUTCOMES[judged[pair]["consistency"]]
        for judged in judgements.values()
        if "consistency" in judged.get(pair, {})
    ]


def outcome(votes: Sequence[Outcome], annotators: int) -> Outcome | None:
    """What the *votes* on one pair come to.

    Args:
        votes: one an annotator
        annotators: how many the plan asks for

    Returns:
        the majority; "?" where one more than asked for have judged, and still none has it; None
        while votes are missing
    """
    if len(votes) < annotators:
        return None
    most, count = Counter(votes).most_common(1)[0]
    if 2 * count > len(votes):
        return most
    return "?" if len(votes) > annotators else None


def needed_pairs(session: Session, judgements: Judgements, annotator: str) -> list[str]:
    """The ids of the pairs that are shown to *annotator*: of all, or of those still undecided.

    A pair is shown where the votes so far do not settle it. What the annotator has judged stays, so
    that it can be changed. So the first two annotators get every pair. When they have judged
    all, a third one gets the pairs on which they disagree.
    """
    plan, own = _plan(session), judgements.get(annotator, {})
    return [
        pair.id
        for group in session.groups
        for pair in group.pairs
        if "consistency" in own.get(pair.id, {})
        or outcome(votes_on(judgements, pair.id), plan.annotators) is None
    ]


def outcomes(session: Session, judgements: Judgements) -> dict[str, Outcome | None]:
    """What the annotators say of every pair of the session, by id; None where votes are missing."""
    plan = _plan(session)
    return {
        pair.id: outcome(votes_on(judgements, pair.id), plan.annotators)
        for group in session.groups
        for pair in group.pairs
    }


def progress(session: Session, judgements: Judgements) -> dict[str, Annotator]:
    """How far every annotator is, by name."""
    found = {}
    for name, judged in judgements.items():
        done = sum("consistency" in fields for fields in judged.values())
        if done:
            found[name] = Annotator(done, len(needed_pairs(session, judgements, name)))
    return found


def disagreement(session: Session, judgements: Judgements) -> Disagreement:
    """How far annotators disagree.

    Only the first votes on a pair count. A later annotator saw disagreements alone, which would
    make alpha too low.
    """
    asked = _plan(session).annotators
    values: tuple[Outcome, ...] = ("right", "not right", "?")
    counts = []
    for group in session.groups:
        for pair in group.pairs:
            first = votes_on(judgements, pair.id)[:asked]
            if len(first) == asked:
                counts.append([first.count(value) for value in values])
    table = np.array(counts).reshape(-1, len(values))
    alpha = krippendorff_alpha(table, "nominal") if asked > 1 and len(table) else np.nan
    return Disagreement(
        len(table),
        int((table.max(axis=1, initial=0) < asked).sum()),
        None if np.isnan(alpha) else float(alpha),
    )


def _plan(session: Session) -> Plan:
    if session.plan is None:
        raise ValueError(f"{session.path} has no plan")
    return session.plan
