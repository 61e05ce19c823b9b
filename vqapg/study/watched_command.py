"""A command at work: its output goes to a log, signals reach it, and it ends with its starter."""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from vqapg.errors import printable

# Seconds between looks at the command.
POLL = 0.2
# A terminal sends Ctrl-C to the command too: it is sent again only if that did not end it.
GRACE = 2.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What a shell says of a command that it cannot start.
NOT_STARTED = 127
# Of prctl(2).
PR_SET_PDEATHSIG = 1


def flag(words: Sequence[str], name: str) -> str | None:
    """The value of a flag on a command line, of which the last counts; None where it has none."""
    found = None
    for number, word in enumerate(words):
        if word == name and number + 1 < len(words):
            found = words[number + 1]
        elif word.startswith(f"{name}="):
            found = word.partition("=")[2]
    return found


def say(line: str) -> None:
    """Prints *line*. Where nobody reads any more, as after ``| head``, the training goes on."""
    try:
        print(line, flush=True)
    except OSError:
        # Python would try once more at its end: https://docs.python.org/3/library/signal.html
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class WatchedCommand:
    """The command at work, which gets the signals that this process gets.

    Args:
        command: its words
        log: is appended to; its folder is made

    Attributes:
        begins: where in the log the command's own output begins
        signals: the numbers of those that this process got

    Raises:
        OSError: if it cannot be started, or its log not be written
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.signals: list[int] = []
        self.process: subprocess.Popen[bytes] | None = None
        self._interrupted = float("inf")
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as output:
            output.write(f"--- {time.strftime('%F %T')}\n{shlex.join(command)}\n---\n".encode())
            output.flush()
            self.begins = output.tell()
            for number in SIGNALS:
                # What nohup has this process pass over, the command passes over too.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, self._on_signal)
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, preexec_fn=_end_with_parent
            )
        for received in self.signals:
            self.process.send_signal(received)

    @property
    def status(self) -> int:
        """The exit status, as a shell has it, of a command that has ended."""
        assert self.process is not None
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def looks(self) -> Iterator[None]:
        """Comes back every so often while the command works, and once more when it has ended."""
        while not self._ended():
            yield
            if time.monotonic() - self._interrupted > GRACE:
                self._interrupted = float("inf")
                assert self.process is not None
                self.process.send_signal(signal.SIGINT)
        yield

    def _ended(self) -> bool:
        assert self.process is not None
        try:
            self.process.wait(POLL)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signals.append(number)
        if self.process is None:
            return
        if number == signal.SIGINT:
            self._interrupted = time.monotonic()
        else:
            self.process.send_signal(number)


def _end_with_parent() -> None:
    """In the command's process: it is told to end if this one is killed, which Linux can do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def not_started(error: OSError, command: Sequence[str], log_flag: str) -> int:
    """Says why a command could not be started; returns the exit status.

    Args:
        error: of WatchedCommand
        command: its words
        log_flag: that names the folder of the log
    """
    if error.filename in (command[0], None):
        cure, status = "is vqapg's environment entered?", NOT_STARTED
    else:
        cure, status = f"give another {log_flag}", 2
    said = f"error: {printable(error.filename or command[0])}: {error.strerror}; {cure}"
    print(said, file=sys.stderr)
    return status


def show_failure(what: str, status: int, last_lines: Sequence[str], log: Path) -> None:
    """Says on stderr that a command failed, and where the whole log is.

    Args:
        what: the work, such as "training"
        status: the exit status
        last_lines: of the log
        log: its path
    """
    print(f"The {what} failed (exit status {status}):", file=sys.stderr)
    for line in last_lines:
        print(f"    {printable(line)}", file=sys.stderr)
    print(f"The whole log is {printable(log)}", file=sys.stderr)
