"""What ``vqapg annotate score`` writes: the figures of a session, and where they come from."""

from collections.abc import Mapping
from typing import Any

from vqapg.annotation.session import Session
from vqapg.errors import InputError
from vqapg.evaluation.human import PAPER_TABLE_6, compute_human
from vqapg.provenance import provenance


def session_figures(
    session: Session, judgements: Mapping[str, Any], *, seed: int = 1
) -> dict[str, Any]:
    """The figures of :func:`~vqapg.evaluation.human.compute_human` beside the paper's.

    Args:
        session: what was judged
        judgements: as :func:`~vqapg.annotation.judgements.read_judgements` gives them
        seed: of the bootstrap

    Raises:
        InputError: if nothing is judged yet
    """
    if seed < 0:
        raise InputError(f"--seed {seed}: must not be negative; give 0 or more")
    if session.plan is not None:
        raise InputError(
            f"{session.path}: was drawn --for consistency; use vqapg annotate estimate "
            f"{session.path}"
        )
    if not judgements:
        raise InputError(
            f"{session.path}: nothing is judged yet; judge with vqapg annotate serve {session.path}"
        )
    models = list(session.models)
    groups = sorted(session.groups, key=lambda group: models.index(group.model))
    inputs = {
        "session": session.path / "session.json",
        "judgements": session.path / "judgements.jsonl",
    }
    return compute_human(groups, judgements, len(session.images), seed=seed) | {
        "sources": session.models,
        "session_seed": session.seed,
        "paper_table_6": PAPER_TABLE_6,
        "provenance": provenance(seed=seed, inputs=inputs),
    }
