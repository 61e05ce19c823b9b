"""The one exception that means "the user's input is wrong"."""


class InputError(Exception):
    """Bad usage or bad input: shown to the user as one line, exit status 2, no traceback.

    The message names the file, the line or item, and the cure.
    """
