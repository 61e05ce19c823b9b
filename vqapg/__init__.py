"""vqapg: visual question-answer pair generation as a fairseq plugin.

The folder of this package is the ``--user-dir`` of the fairseq commands, which import ``tasks/``
and ``models/`` from it. Importing the package alone stays cheap.

From Python:

- :func:`vqapg.load`: a trained model. Its ``sample`` makes pairs for a picture, ``sample_folder``
  for many, and ``score`` judges a pair of one's own
- :func:`vqapg.evaluate`: what ``vqapg evaluate`` writes of generated pairs
- :func:`vqapg.score`: what a judge says of pairs
- :class:`vqapg.InputError`: what is wrong with the input, in one line
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vqapg.errors import InputError as InputError
from vqapg.version import __version__ as __version__

if TYPE_CHECKING:
    from vqapg.evaluation.evaluate import evaluate as evaluate
    from vqapg.evaluation.score import score as score
    from vqapg.sampling.picture_sampler import load as load

__all__ = ["InputError", "evaluate", "load", "score"]

HOMES = {
    "evaluate": "vqapg.evaluation.evaluate",
    "load": "vqapg.sampling.picture_sampler",
    "score": "vqapg.evaluation.score",
}


def __getattr__(name: str) -> Callable[..., Any]:
    # PEP 562: whoever asks for them imports torch and fairseq, not every import of the package.
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import inspect

    from vqapg.errors import in_python_terms
    from vqapg.fairseq_package import callers_logging

    with callers_logging():
        function: Callable[..., Any] = getattr(importlib.import_module(HOMES[name]), name)
    # Some calls are the first to import fairseq.
    guarded = callers_logging()(function)
    public = in_python_terms(*inspect.signature(function).parameters)(guarded)
    globals()[name] = public
    return public
