"""Errors under the stock fairseq commands: one line on stderr, and the exit status of ``vqapg``.

The status is 2 for bad input, and 1 where the machine ran short of something. Every other exception
is shown as before.
"""

import os
import re
import sys
import traceback
from typing import NamedTuple

from vqapg.errors import InputError, RunError, printable, shortage


class Told(NamedTuple):
    """What a user is told, and the exit status."""

    line: str
    status: int


def report_errors() -> None:
    """Hooks uncaught exceptions in a fairseq command, and in no other program."""
    folder, program = os.path.split(sys.argv[0])
    if not program.startswith("fairseq-") and os.path.basename(folder) != "fairseq_cli":
        return
    # Hydra would show an error in its own way and exit with 1 before anything here hears of it.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    others = sys.excepthook

    def report(kind, error, trace):
        told = tell(error)
        if told is None:
            return others(kind, error, trace)
        kind = "error" if told.status == 2 else "failed"
        print(f"{program}: {kind}: {printable(told.line)}", file=sys.stderr)
        raise SystemExit(told.status)

    sys.excepthook = report


def tell(error: BaseException | None) -> Told | None:
    """What is told of *error*; None for one that is no user's and no machine's."""
    first, cause = error, error
    while cause is not None:
        for kind, status in ((InputError, 2), (RunError, 1)):
            if isinstance(cause, kind):
                return Told(str(cause), status)
            # torch.multiprocessing hands on a worker's traceback as text.
            found = re.search(
                rf"^{kind.__module__}\.{kind.__name__}: (.*)$", str(cause), re.MULTILINE
            )
            if found:
                return Told(found[1], status)
        cause = cause.__cause__ or cause.__context__
    if line := shortage(first):
        return Told(line, 1)
    if isinstance(first, FloatingPointError):  # fairseq's, when a step gives no numbers
        return Told(f"{first}; give a smaller --lr, or another checkpoint to go on from", 1)
    line = _said_by_command(error)
    return line and Told(line, 2)


def _said_by_command(error: BaseException | None) -> str | None:
    """What fairseq's commands say of flags that they check by ``assert``, or evaluate."""
    frames = [frame for frame, _ in traceback.walk_tb(getattr(error, "__traceback__", None))]
    if not frames:
        return None
    if isinstance(error, (SyntaxError, ValueError)) and any(
        f.f_code.co_name == "literal_eval" for f in frames
    ):
        return (
            f"--model-overrides, or another flag that takes a Python value, has none ({error});"
            " correct it"
        )
    of_command = os.path.basename(os.path.dirname(frames[-1].f_code.co_filename)) == "fairseq_cli"
    if isinstance(error, AssertionError) and of_command and str(error):
        return str(error).splitlines()[0]
    return None
