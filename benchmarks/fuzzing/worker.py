"""Cases run in forks of this process, watched from outside."""

import contextlib
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from fuzzing.case import Case
from fuzzing.targets import TARGETS
from fuzzing.traps import Traps
from fuzzing.watch import bad_outputs, tree, watch

FOUND = (
    "traceback",
    "unclear",
    "hang",
    "crash",
    "file changed",
    "code run",
    "secret read",
    "taken",
    "bad output",
)
# A fork runs some cases: what one of them leaves in the process should not grow.
CASES_A_FORK = 40
LARGEST_FILE = 1 << 30
MESSAGE = re.compile(r"^(vqapg|fairseq)[-\w ]*: (error|failed): ")


class Finding(NamedTuple):
    """``message`` is the last line said; ``sort`` is the same for findings that are alike."""

    kind: str
    number: int
    what: str
    label: str
    message: str
    sort: str
    kept: str


def in_fork(work: Callable[[], None], log: BinaryIO) -> int:
    """Run *work* in a fork that writes to *log*; its exit status."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    try:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def run_cases(
    kind: str,
    numbers: range,
    seed: int,
    place: Path,
    traps: Traps,
    *,
    limit: float,
    memory: float,
    keep: Path,
) -> Iterator[tuple[str, list[Finding]]]:
    """Yields, for every number, how the case ended and what was found.

    Args:
        kind: a key of TARGETS.
        numbers: of the cases.
        seed: of the mutations.
        place: holds the folder ``corpus``, and gets the cases'.
        traps: see hostile.py.
        limit: seconds a case.
        memory: GiB that a case may take beside what the process has.
        keep: where files are kept that led to something.
    """
    left = list(numbers)
    while left:
        batch = left[:CASES_A_FORK]
        reader, writer = os.pipe()
        process = os.fork()
        if process == 0:
            os.setsid()
            os.close(reader)
            _work(kind, batch, seed, place, traps, memory, keep, writer)
        os.close(writer)
        lines = _lines(reader, limit)
        for number in batch:
            try:
                result = json.loads(next(lines))
            except (TimeoutError, StopIteration) as error:
                result = None
                what = "hang" if isinstance(error, TimeoutError) else "crash"
            left.remove(number)
            if result is None:
                break
            yield result["outcome"], _findings(result, kind, number, keep)
        os.close(reader)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if result is None:
            label, _, file = (place / "label").read_text().partition("\n")
            _keep(Path(file), place, f"{kind}-{number}", keep)
            result = {"label": label, "what": {what: f"no answer; the process ended with {status}"}}
            yield "ended otherwise", _findings(result, kind, number, keep)


def _lines(reader, limit):
    """The lines that come through a pipe. Raises TimeoutError when one takes too long."""
    rest = b""
    while True:
        while b"\n" not in rest:
            if not select.select([reader], [], [], limit)[0]:
                raise TimeoutError
            block = os.read(reader, 65536)
            if not block:
                return
            rest += block
        line, _, rest = rest.partition(b"\n")
        yield line


def _findings(result, kind, number, keep):
    return [
        Finding(
            kind,
            number,
            what,
            result["label"],
            message[-300:],
            _sort(message),
            str(keep / f"{kind}-{number}"),
        )
        for what, message in result["what"].items()
    ]


def _keep(file, place, name, keep):
    """Keep the mutated file of a case, and what its command said."""
    keep.mkdir(parents=True, exist_ok=True)
    if file.is_file():
        shutil.copyfile(file, keep / name)
    shutil.copyfile(place / "case.log", keep / f"{name}.log")


def _sort(message):
    """*message* without what differs between cases that are alike."""
    message = re.sub(r"['\"].*?['\"]|\d+|/\S+", "_", message)
    return message[:90]


def _work(kind, numbers, seed, place, traps, memory, keep, writer):
    """The fork: runs cases and writes a line of JSON after each."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + int(memory * (1 << 30))
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        seen = watch(traps)
        log = os.open(place / "case.log", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        for descriptor in (1, 2):
            os.dup2(log, descriptor)
        for number in numbers:
            os.ftruncate(log, 0)
            os.lseek(log, 0, os.SEEK_SET)
            seen.clear()
            rng = random.Random(f"{seed} {kind} {number}")
            file, result = _run(kind, rng, place, traps, seen)
            if result["what"]:
                _keep(file, place, f"{kind}-{number}", keep)
            os.write(writer, json.dumps(result).encode() + b"\n")
    except BaseException:
        traceback.print_exc()
        os._exit(3)
    os._exit(0)


def _run(kind, rng, place, traps, seen):
    """One case: its file, and what is sent through the pipe."""
    case = place / "case"
    shutil.rmtree(case, ignore_errors=True)
    (case / "out").mkdir(parents=True)
    (case / "mine.jpg").write_text("the user's")
    (place / "outside").write_text("the user's")
    os.chdir(case)
    built = TARGETS[kind](place / "corpus", case, rng, traps)
    # For the process that watches, should this one die
    (place / "label").write_text(f"{built.label}\n{built.file}")
    before, path_before = tree(place), os.environ.get("PATH")
    seen.clear()  # what was done here does not count
    status, what = _command(built)
    done = dict(seen)  # before this looks at files itself
    sys.stdout.flush()
    sys.stderr.flush()
    log = (place / "case.log").read_bytes().decode(errors="replace")
    last = (log.strip().splitlines() or [""])[-1]
    if "Traceback (most recent call last)" in log:
        what["traceback"] = last
    elif status in (1, 2) and not MESSAGE.match(last):
        what["unclear"] = f"exit status {status}: {last}"
    if traps.canary.exists() or traps.canary.with_suffix(".jpg").exists():
        what["code run"] = f"the canary is there; {last}"
        traps.canary.unlink(missing_ok=True)
    if os.environ.get("PATH") != path_before:
        what["code run"] = "PATH was changed"
    what |= done
    allowed = [case / "out", *(built.may_change if status == 0 else ())]
    after = tree(place)
    changed = [
        path
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
        and not any(Path(path).is_relative_to(free) for free in allowed)
    ]
    if changed:
        what["file changed"] = ", ".join(os.path.relpath(path, place) for path in changed)[:200]
    if status == 0 and built.label.startswith("!"):
        what["taken"] = built.label
    what |= bad_outputs(case / "out", log)
    outcome = {0: "accepted", 1: "failed", 2: "refused"}.get(status, "failed")
    return built.file, {"outcome": outcome, "what": what, "label": built.label}


def _command(case: Case):
    """The exit status of a command, and what was found by running it."""
    try:
        return case.run() or 0, {}
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 1, {}
    except BaseException:
        # As Python does at the end of a program: fairseq's programs report bad input there.
        try:
            sys.excepthook(*sys.exc_info())
        except SystemExit as exit:
            return exit.code, {}
        return 1, {}
