"""The exceptions that are shown to a user as one line: bad input, and a run that failed."""


class InputError(Exception):
    """Bad usage or bad input: shown to the user as one line, exit status 2, no traceback.

    The message names the file, the line or item, and the cure.
    """


class ExistsError(InputError):
    """An output exists, is ours, and ``--overwrite`` was not given."""


class RunError(Exception):
    """The run failed though the input is good, as on a full disk: shown as one line, exit status 1, no traceback."""
