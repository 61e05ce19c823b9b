"""vqapg: visual question-answer pair generation as a fairseq plugin.

The folder of this package is the ``--user-dir`` of the fairseq commands, which import ``tasks/``
and ``models/`` from it; importing the package alone stays cheap.

``from vqapg import load``: a trained model that makes pairs for pictures, see
:func:`vqapg.sampling.sampler.load`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vqapg.version import __version__ as __version__

if TYPE_CHECKING:
    from vqapg.sampling.sampler import load as load

__all__ = ["load"]


def __getattr__(name: str) -> Callable[..., Any]:
    # PEP 562: torch and fairseq are imported by whoever asks for them, not by every import of the
    # package.
    if name != "load":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import logging

    # One of fairseq's modules would set logging up, at its lowest level, unless somebody has: it is
    # the caller's.
    root, nobody = logging.getLogger(), logging.NullHandler()
    root.addHandler(nobody)
    try:
        from vqapg.sampling.sampler import load
    finally:
        root.removeHandler(nobody)
    return load
