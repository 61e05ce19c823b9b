"""A guess at the name that was meant, for messages about one that there is not."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, names: Iterable[str], then: str = "") -> str:
    """``did you mean small? There are paper, small``, or *then* alone where nothing is close.

    Args:
        name: that there is not
        names: that there are
        then: a clause to go on with
    """
    close = get_close_matches(name, list(names), n=1)
    if not close:
        return then
    guess = f"did you mean {close[0]}?"
    return f"{guess} {then[:1].upper()}{then[1:]}" if then else guess
