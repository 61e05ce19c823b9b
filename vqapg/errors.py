"""What is shown to a user as one line: bad input, a run that failed, and what is left out."""

import contextlib
import errno
import os
import re
import warnings


class InputError(Exception):
    """Bad usage or bad input: shown to the user as one line, exit status 2, no traceback.

    The message names the file, the line or item, and the cure.
    """


class ExistsError(InputError):
    """An output exists, is ours, and ``--overwrite`` was not given."""


class RunError(Exception):
    """The run failed though the input is good, as on a full disk: one line, exit status 1."""


class LeftOut(UserWarning):
    """Python's warning of a file that is left out; the rest goes on.

    It is shown even under ``PYTHONWARNINGS=ignore``. To hide it, set a filter after the import.
    """


# scripts/environment.sh sets PYTHONWARNINGS=ignore for fairseq's sake. A filter that somebody sets
# after the import comes before this one.
warnings.simplefilter("always", LeftOut)


class in_python_terms(contextlib.ContextDecorator):
    """Makes a function's InputErrors name its arguments, where they name flags.

    Messages are written once, for the command line: ``--seed -1: must be 0 or more``. Somebody who
    calls the function from Python reads ``seed -1: must be 0 or more``.

    Args:
        arguments: of the function, each named as its flag, with underscores for hyphens
        renamed: the argument of each flag that has another name, by the flag's
    """

    def __init__(self, *arguments: str, **renamed: str) -> None:
        self._argument_of = {
            "--" + flag.replace("_", "-"): argument
            for flag, argument in ({name: name for name in arguments} | renamed).items()
        }

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InputError):
            flags = "|".join(self._argument_of)
            # Not inside of a path, nor at the beginning of a longer flag.
            error.args = (
                re.sub(
                    rf"(?<![\w/-])({flags})(?![\w-])",
                    lambda found: self._argument_of[found[1]],
                    str(error),
                ),
            )


def printable(text: object) -> str:
    """*text* on one line, without what a terminal would obey.

    Files of strangers bring names and words. A line break in one would make two lines of a message.
    An escape code could hide what was said before.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in str(text)
    )


# What torch and the system say when a machine runs short, and what to tell the user.
SHORTAGES = (
    (
        r"out of shared memory|shared memory object|allocate shared memory|bus error|/dev/shm",
        (
            "the machine's shared memory (/dev/shm) is full; give --num-workers 0, or more of it "
            "(docker run --shm-size 8g)"
        ),
    ),
    (
        r"DataLoader worker .*(killed|exited)",
        (
            "a data loader worker was killed, most likely as memory ran out; free some memory, or"
            " give --num-workers 0"
        ),
    ),
    (
        r"CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED",
        "the GPU's memory ran out; give a smaller --batch-size, or end what else runs on that GPU",
    ),
    (
        (
            r"can't allocate memory|not enough memory|Cannot allocate memory|failed to map"
            r" segment|std::bad_alloc|^MemoryError"
        ),
        "memory ran out; give a smaller --batch-size, or free some memory",
    ),
    (
        r"can't start new thread|Resource temporarily unavailable",
        "the system allows no further process or thread; end some, or raise the limit (ulimit -u)",
    ),
    (
        r"Too many open files|received 0 items of ancdata",
        "too many files are open; raise the limit (ulimit -n 65536), or give --num-workers 0",
    ),
    (
        (
            r"No space left on device|Disk quota exceeded|File too large|PytorchStreamWriter failed"
            r" writing"
        ),
        "the disk is full; make room and run the same command again",
    ),
)
SHORT_OF = (
    errno.ENOMEM,
    errno.EAGAIN,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
)


def shortage(error: BaseException | None) -> str | None:
    """What the machine ran short of, with the cure, if *error* or a cause of it says so.

    Only errors of torch and of the system count. The message of another kind proves nothing.
    """
    while error is not None:
        if isinstance(error, MemoryError):
            text = "MemoryError"
        elif isinstance(error, OSError) and error.errno in SHORT_OF:
            text = os.strerror(error.errno)
        elif (
            isinstance(error, (RuntimeError, ImportError))
            or type(error).__name__ == "ProcessRaisedException"
        ):
            text = str(error)
        else:
            text = ""
        for pattern, line in SHORTAGES:
            if re.search(pattern, text, re.IGNORECASE | re.MULTILINE):
                return line
        error = error.__cause__ or error.__context__
    return None
