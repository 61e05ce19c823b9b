"""What a person reads while Snakemake works on a study: one line a finished job, and the time left.

The Snakefile puts :class:`Progress` in the place of Snakemake's own output, which has ten lines a
job. The whole of that stands in ``.snakemake/log``.
"""

import logging
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from vqapg.study.heartbeat import Heartbeat, epoch_of, last_epoch

# Seconds until a line says what is at work, where there is no terminal that shows it.
SILENT_FOR = 60
# How much of a failed job's log is shown.
LAST_LINES = 5
# What Snakemake says of a job that failed, beside its event.
TOLD_BEFORE = (
    "RuleException:\nCalledProcessError",
    "Exiting because a job",
    "WorkflowError:\nAt least one job",
)
# Around the script of a job, see the Snakefile.
SCRIPT_BEGINS, SCRIPT_ENDS = "<<'END'\n", "\nEND"


def script_of(command: str) -> str:
    """The script in the shell command of a job, without what starts it."""
    return command.partition(SCRIPT_BEGINS)[2].rpartition(SCRIPT_ENDS)[0] or command


def duration(seconds: float) -> str:
    """Such as ``40 s``, ``12 min`` or ``3 h 20 min``."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 100 else f"{minutes} min"


class Job:
    """A job at work: its rule, its place (``FOLDER/NAME``), when it began, and its epochs."""

    def __init__(self, rule: str, place: str, began: float, epochs: int | None = None) -> None:
        self.rule = rule
        self.place = Path(place)
        self.began = began
        self.epochs = epochs

    @property
    def log(self) -> Path:
        """The file with what it prints."""
        return self.place.with_name(f"{self.place.name}.log")

    def how_far(self) -> str:
        """Its name, and the epoch that it is in."""
        epoch = epoch_of(self.log)
        return str(self) if epoch is None else f"{self} (epoch {epoch} of {self.epochs or '?'})"

    def __str__(self) -> str:
        folder = self.place.parent.as_posix()
        return self.place.name if folder == "log" else f"{self.place.name} {folder}"


class Clock:
    """How long is left, by the jobs of each rule that have ended."""

    def __init__(self) -> None:
        self.jobs: Counter[str] = Counter()
        self.seconds: dict[str, list[float]] = {}
        self.side_by_side = 1

    def left(self, at_work: list[Job], now: float) -> float | None:
        """Seconds; None while no training has ended that others can be judged by."""
        left = 0.0
        for rule, count in self.jobs.items():
            took = self.seconds.get(rule, [])
            if count > len(took) and not took and rule == "train":
                return None
            left += (count - len(took)) * (sum(took) / len(took) if took else 0)
        for job in at_work:
            if ended := self.seconds.get(job.rule):
                left -= min(now - job.began, sum(ended) / len(ended))
        return left / self.side_by_side


class Progress(logging.Handler):
    """Says in a line each which job has ended or failed, of how many, and how long is left.

    Args:
        dry_run: print the script of each job instead
        stream: where to
        clock: seconds, in tests another
    """

    def __init__(
        self,
        dry_run: bool = False,
        stream: TextIO = sys.stdout,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.dry_run = dry_run
        self.stream = stream
        self.now = clock
        self.clock = Clock()
        self.at_work: dict[int, Job] = {}
        self.done, self.total, self.failed = 0, 0, 0
        if not dry_run:
            Heartbeat(self.beat, 2 if stream.isatty() else SILENT_FOR).start()

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        method = getattr(self, f"on_{event}", None)
        if method is not None:
            method(record.__dict__)
        elif record.levelno >= logging.ERROR and not record.getMessage().startswith(TOLD_BEFORE):
            self.say(record.getMessage())

    def say(self, text: str) -> None:
        """Print *text*, and on a terminal below it what is at work."""
        terminal = self.stream.isatty()
        self.stream.write(("\r\x1b[K" if terminal else "") + text + ("\n" if text else ""))
        if terminal and self.at_work:
            self.stream.write(f"at work: {self.working()}"[:100])
        self.stream.flush()

    def working(self) -> str:
        """The jobs at work, and how far they are."""
        return ", ".join(job.how_far() for job in list(self.at_work.values()))

    def beat(self) -> None:
        """Says what is at work, where nothing has ended for a while."""
        if not self.at_work:
            return
        self.say("" if self.stream.isatty() else f"    at work: {self.working()}")

    def on_run_info(self, said: dict[str, Any]) -> None:
        """Before all jobs: how many there are of each rule."""
        if stats := said.get("stats"):
            self.clock.jobs = Counter({rule: n for rule, n in stats.items() if rule != "total"})
            self.total = sum(n for rule, n in self.clock.jobs.items() if rule != "all")
            del self.clock.jobs["all"]

    def on_job_info(self, said: dict[str, Any]) -> None:
        """A job begins."""
        script = script_of(said["shellcmd"] or "")
        job = Job(said["rule_name"], said["rule_msg"] or "", self.now(), last_epoch(script))
        if job.rule == "all":
            return
        if self.dry_run:
            self.say(f"# {job}\n{script}\n")
            return
        self.at_work[said["jobid"]] = job
        self.clock.side_by_side = max(self.clock.side_by_side, len(self.at_work))
        self.say("")

    def on_job_finished(self, said: dict[str, Any]) -> None:
        """A job has ended well."""
        job = self.at_work.pop(said["job_id"], None)
        if job is None:
            return
        now = self.now()
        self.clock.seconds.setdefault(job.rule, []).append(now - job.began)
        self.done += 1
        line = f"[{self.done}/{self.total}] {job}: {duration(now - job.began)}"
        left = self.clock.left(list(self.at_work.values()), now)
        if left and self.done < self.total:
            line += f"; about {duration(left)} left"
        self.say(line)

    def on_job_error(self, said: dict[str, Any]) -> None:
        """A job has failed; the others go on."""
        job = self.at_work.pop(said["jobid"], None)
        if job is None:
            return
        self.failed += 1
        log = job.log
        try:
            lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        except OSError:
            lines = [str(said.get("aux") or "it has left no log")]
        self.say(f"failed: {job}; the end of {log.resolve()}:")
        for line in lines:
            self.say(f"    {line}")

    def on_progress(self, said: dict[str, Any]) -> None:
        """Told by the lines of finished jobs."""

    on_workflow_started = on_job_started = on_shellcmd = on_resources_info = on_progress

    def on_error(self, said: dict[str, Any]) -> None:
        """The study could not begin, or ended with jobs that failed."""
        text = str(said["msg"])
        if text.startswith(TOLD_BEFORE):
            if text.startswith(TOLD_BEFORE[-1]):
                jobs = "1 job" if self.failed == 1 else f"{self.failed} jobs"
                # The report of the study waits for all of its jobs.
                report = shlex.join(["vqapg", "report", str(Path.cwd()), "--overwrite"])
                self.say(f"{report} reports what is there")
                self.say(f"{jobs} failed; mend what the log says, and run the same command again")
            return
        self.say(text)
