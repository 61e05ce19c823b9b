"""Errors under the stock fairseq commands: one line on stderr and the exit status that ``vqapg`` gives.

Bad input: 2. A machine that ran short of memory, disk, workers: 1. Every other exception is shown as before.
"""

import os
import re
import sys
from typing import NamedTuple

from vqapg.errors import InputError, RunError, shortage


class Told(NamedTuple):
    """What a user is told, and the exit status."""

    line: str
    status: int


def report_errors() -> None:
    """Hooks uncaught exceptions in a fairseq command."""
    program = os.path.basename(sys.argv[0])
    if "fairseq" not in sys.argv[0]:
        return
    # Hydra would show an error in its own way and exit with 1 before anything here hears of it.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    others = sys.excepthook

    def report(kind, error, traceback):
        told = tell(error)
        if told is None:
            return others(kind, error, traceback)
        print(f"{program}: {'error' if told.status == 2 else 'failed'}: {told.line}", file=sys.stderr)
        raise SystemExit(told.status)

    sys.excepthook = report


def tell(error: BaseException | None) -> Told | None:
    """What is told of *error*; None for one that is no user's and no machine's."""
    asserted = _asserted_by_command(error)
    first, cause = error, error
    while cause is not None:
        for kind, status in ((InputError, 2), (RunError, 1)):
            if isinstance(cause, kind):
                return Told(str(cause), status)
            # torch.multiprocessing hands on a worker's traceback as text, several workers' at times.
            found = re.search(rf"^{kind.__module__}\.{kind.__name__}: (.*)$", str(cause), re.MULTILINE)
            if found:
                return Told(found[1], status)
        cause = cause.__cause__ or cause.__context__
    if line := shortage(first):
        return Told(line, 1)
    return asserted and Told(asserted, 2)


def _asserted_by_command(error: BaseException | None) -> str | None:
    """fairseq's commands check their flags by ``assert``: its message, such as "--path required for generation!"."""
    trace = getattr(error, "__traceback__", None)
    if not isinstance(error, AssertionError) or not str(error) or trace is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "")
    script = os.path.basename(os.path.dirname(trace.tb_frame.f_code.co_filename))
    return str(error).splitlines()[0] if "fairseq_cli" in (module.split(".")[0], script) else None
