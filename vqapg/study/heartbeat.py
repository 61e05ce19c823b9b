"""How far the trainings at work are, between the lines that Snakemake gives reason for."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

# fairseq's line of an epoch that begins, and the flag that says how many there are.
EPOCH = re.compile(r"begin training epoch (\d+)")
LAST = re.compile(r"--max-epoch (\d+)")
# The end of a log that is read: an epoch is named every few hundred characters.
TAIL = 20_000


def epoch_of(log: Path) -> int | None:
    """The epoch that the training with this *log* is in; None where it has not begun one."""
    try:
        with open(log, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL))
            told = EPOCH.findall(file.read().decode(errors="replace"))
    except OSError:
        return None
    return int(told[-1]) if told else None


def last_epoch(command: str) -> int | None:
    """How many epochs the training by *command* has; None where it does not say."""
    told = LAST.findall(command)
    return int(told[-1]) if told else None


class Heartbeat(threading.Thread):
    """Calls *beat* every *seconds*, until the process ends."""

    def __init__(self, beat: Callable[[], None], seconds: float) -> None:
        super().__init__(daemon=True)
        self.beat = beat
        self.seconds = seconds
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(self.seconds):
            self.beat()
