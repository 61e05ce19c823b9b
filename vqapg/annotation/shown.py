"""What the pages are sent. Nothing of it tells which model a pair is of, or what a judge thinks."""

from typing import Any

from vqapg.annotation.judgements import JudgementLog
from vqapg.annotation.object_words import suggested_objects
from vqapg.annotation.session import Session
from vqapg.annotation.votes import needed_pairs
from vqapg.data.question_type import question_type


def session_for(session: Session, log: JudgementLog, annotator: str) -> dict[str, Any]:
    """What the page shows to *annotator*."""
    if session.plan is not None:
        return _pairs_for(session, log, annotator)
    return {
        "annotator": annotator,
        "groups": [
            {
                "id": group.id,
                "image": f"images/{session.image_path(group.image).name}",
                "pairs": [
                    {
                        **pair._asdict(),
                        "suggested_type": question_type(pair.question),
                        "suggested_objects": suggested_objects(pair.question, pair.answer),
                    }
                    for pair in group.pairs
                ],
            }
            for group in session.order(annotator)
        ],
        "judgements": log.of(annotator),
    }


def _pairs_for(session: Session, log: JudgementLog, annotator: str) -> dict[str, Any]:
    """The pairs that *annotator* is still needed for, with the marks that they gave."""
    judgements = log.copy()
    needed = set(needed_pairs(session, judgements, annotator))
    return {
        "annotator": annotator,
        "pairs": [
            {**pair._asdict(), "image": f"images/{session.image_path(group.image).name}"}
            for group in session.order(annotator)
            for pair in group.pairs
            if pair.id in needed
        ],
        "marks": {
            pair: fields["consistency"] for pair, fields in judgements.get(annotator, {}).items()
        },
    }
