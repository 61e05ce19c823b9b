"""What the steps of ``vqapg annotate`` say of how far every annotator is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # --help is instant
    from vqapg.annotation.judgements import Judgements
    from vqapg.annotation.session import Session


def progress_lines(session: "Session", judgements: "Judgements") -> str:
    """A line for every annotator."""
    from vqapg.annotation.votes import progress
    from vqapg.counted import counted

    if session.plan is None:
        pairs = sum(len(group.pairs) for group in session.groups)
        states = [
            (
                name,
                sum(all(f in fields for f in session.fields) for fields in judged.values()),
                pairs,
            )
            for name, judged in sorted(judgements.items())
        ]
    else:
        states = [
            (name, state.judged, state.needed)
            for name, state in sorted(progress(session, judgements).items())
        ]
    lines = [f"{name}: {done} of {counted(pairs, 'pair')} judged" for name, done, pairs in states]
    return "\n".join(lines or ["nothing judged yet"])
