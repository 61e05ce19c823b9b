"""Bad input under the stock fairseq commands: one line on stderr and exit status 2, as under ``vqapg``."""

import os
import re
import sys

from vqapg.errors import InputError


def report_input_errors():
    """Hooks uncaught :class:`InputError` in a fairseq command; every other exception is shown as before."""
    program = os.path.basename(sys.argv[0])
    if "fairseq" not in sys.argv[0]:
        return
    # Hydra would show an error in its own way and exit with 1 before anything here hears of it.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    others = sys.excepthook

    def report(kind, error, traceback):
        line = input_error_line(error)
        if line is None:
            return others(kind, error, traceback)
        print(f"{program}: error: {line}", file=sys.stderr)
        raise SystemExit(2)

    sys.excepthook = report


def input_error_line(error):
    """The message of the InputError that *error* is, was raised from, or brings from a worker process; or None."""
    while error is not None:
        if isinstance(error, InputError):
            return str(error)
        # torch.multiprocessing hands on a worker's traceback as text, several workers' at times.
        found = re.search(rf"^{InputError.__module__}\.{InputError.__name__}: (.*)$", str(error), re.MULTILINE)
        if found:
            return found[1]
        error = error.__cause__ or error.__context__
    return None
