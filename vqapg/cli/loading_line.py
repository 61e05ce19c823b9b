"""One line on the screen before the libraries load, which takes many seconds on a cold disk."""

import contextlib
import sys
from collections.abc import Iterator

# The first of these that a command imports. nltk imports SciPy.
SLOW = ("nltk", "scipy", "h5py", "torch", "fairseq")


class _Announcer:
    """Stands before Python's own finders and finds nothing; it sees what is about to be imported.

    A command that needs none of these libraries, or stops before it needs them, says nothing.
    """

    def __init__(self, command: str) -> None:
        self.command = command
        self.said = False

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in SLOW and not self.said:
            self.said = True
            print(f"vqapg {self.command}: loading libraries", file=sys.stderr, flush=True)


@contextlib.contextmanager
def announced_loading(command: str) -> Iterator[None]:
    """Within, the first import of a slow library prints a line to stderr.

    Args:
        command: the sub-command, for the line
    """
    announcer = _Announcer(command)
    sys.meta_path.insert(0, announcer)
    try:
        yield
    finally:
        sys.meta_path.remove(announcer)
