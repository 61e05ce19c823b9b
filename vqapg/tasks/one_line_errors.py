"""Bad input under the stock fairseq commands: one line on stderr and exit status 2, as under ``vqapg``."""

import os
import sys

from vqapg.errors import InputError


def report_input_errors():
    """Hooks uncaught :class:`InputError`; every other exception is shown as before."""
    others = sys.excepthook

    def report(kind, error, traceback):
        if not issubclass(kind, InputError):
            return others(kind, error, traceback)
        print(f"{os.path.basename(sys.argv[0])}: error: {error}", file=sys.stderr)
        raise SystemExit(2)

    sys.excepthook = report
