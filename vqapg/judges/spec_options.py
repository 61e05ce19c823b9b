"""Options of a judge in its spec: ``NAME:ARGUMENT?option=value&option=value``."""

import re
from collections.abc import Mapping

from vqapg.errors import InputError

# A question mark that no option follows is part of a path.
_OPTIONS = re.compile(r"\?(?P<options>\w+=[^?&]*(&\w+=[^?&]*)*)$")


def split_options(
    judge: str, argument: str, choices: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[str, dict[str, str]]:
    """The argument without its options, and the options that are given.

    Args:
        judge: its name, for messages
        argument: what stands after the judge's name and colon
        choices: each option with its values, none for any text; None: nothing is checked

    Raises:
        InputError: if there is no such option or value, or an option comes twice
    """
    found = _OPTIONS.search(argument)
    if found is None:
        return argument, {}
    given: dict[str, str] = {}
    for part in found["options"].split("&"):
        option, _, value = part.partition("=")
        if choices is not None and option not in choices:
            raise InputError(
                f"--judge {judge}: has no option {option!r}; its options are {', '.join(choices)}"
            )
        if option in given:
            raise InputError(f"--judge {judge}: {option} is given twice; give it once")
        values = choices[option] if choices is not None else ()
        if not value or (values and value not in values):
            allowed = " or ".join(values) or "a value"
            raise InputError(f"--judge {judge}: {option}={value} is not possible; give {allowed}")
        given[option] = value
    return argument[: found.start()], given
