"""How long annotators take, from the times in their judgements."""

import datetime
from itertools import pairwise

from vqapg.annotation.judgements import judgement_records
from vqapg.annotation.session import Session

# Seconds. Who takes longer has been away.
LONGEST = 60


def seconds_per_pair(session: Session) -> dict[str, float]:
    """Each annotator's mean time from one judgement to the next, without pauses of over a minute.

    Args:
        session: whose judgements have been read without an error

    Returns:
        by name, of those with two judgements or more
    """
    times: dict[str, list[datetime.datetime]] = {}
    for record in judgement_records(session):
        try:
            time = datetime.datetime.fromisoformat(record["time"])
        except (KeyError, TypeError, ValueError):
            continue  # a line that somebody wrote by hand
        times.setdefault(record["annotator"], []).append(time.replace(tzinfo=datetime.UTC))
    found = {}
    for name, of_annotator in times.items():
        steps = [(later - earlier).total_seconds() for earlier, later in pairwise(of_annotator)]
        kept = [step for step in steps if 0 <= step <= LONGEST]
        if kept:
            found[name] = sum(kept) / len(kept)
    return found
