"""Which fairseq this package needs, one line for whoever has another, and what its import does."""

import contextlib
import logging
from collections.abc import Iterator

from vqapg.errors import InputError

VERSION = "0.12.3"
CURE = (
    f"install it: pip install ve-fairseq=={VERSION} (PyPI's own fairseq does not install on Python"
    " 3.11 and later)"
)


def no_fairseq(error: ModuleNotFoundError) -> str | None:
    """What to tell the user if *error* says that fairseq is missing; None for another module."""
    return f"fairseq is missing; {CURE}" if error.name == "fairseq" else None


def check_version(version: str) -> None:
    """Refuses any fairseq but the one that :mod:`vqapg.tasks.fairseq_patches` was written for.

    Raises:
        InputError: The version is another one.
    """
    if version != VERSION:
        raise InputError(f"fairseq {version} is installed, and vqapg needs {VERSION}; {CURE}")


@contextlib.contextmanager
def callers_logging() -> Iterator[None]:
    """Leaves logging as the caller has it, while fairseq may be imported.

    One of fairseq's modules sets logging up at its lowest level, unless somebody has. From then on
    h5py logs each conversion.
    """
    root = logging.getLogger()
    if root.handlers or logging.lastResort is None:
        yield
        return
    # What Python does with warnings where nobody has set logging up.
    stand_in = logging.lastResort
    root.addHandler(stand_in)
    try:
        yield
    finally:
        root.removeHandler(stand_in)
