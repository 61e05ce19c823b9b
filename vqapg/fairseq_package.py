"""Which fairseq this package needs, and one line for whoever has none or another."""

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
