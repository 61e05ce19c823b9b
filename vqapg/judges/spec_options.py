"""Options of a judge in its spec: ``NAME:ARGUMENT?option=value&option=value``."""

import re
from collections.abc import Mapping

from vqapg.errors import InputError

# A question mark that no option follows is part of a path.
_OPTIONS = re.compile(r"\?(?P<options>\w+=[^?&]*(&\w+=[^?&]*)*)$")


def split_options(
    judge: str, argument: str, choices: Mapping[str, tuple[str, ...]]
) -> tuple[str, dict[str, str]]:
    """The argument without its options, and the options that are given.

    Args:
        judge: its name, for messages
        argument: what stands after the judge's name and colon
        choices: each option with its values; no values: any text

    Raises:
        InputError: if there is no such option or value, or an option comes twice
    """
    found = _OPTIONS.search(argument)
    if found is None:
        return argument, {}
    given: dict[str, str] = {}
    for part in found["options"].split("&"):
        option, _, value = part.partition("=")
        if option not in choices:
            raise InputError(
                f"--judge {judge}: has no option {option!r}; its options are {', '.join(choices)}"
            )
        if option in given:
            raise InputError(f"--judge {judge}: {option} is given twice; give it once")
        if not value or (choices[option] and value not in choices[option]):
            allowed = " or ".join(choices[option]) or "a value"
            raise InputError(f"--judge {judge}: {option}={value} is not possible; give {allowed}")
        given[option] = value
    return argument[: found.start()], given
