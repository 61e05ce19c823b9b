"""`vqapg reproduce` that is killed, or started twice, loses nothing."""

import contextlib
import os
import re
import signal
import subprocess
import time

from tests.support.study_programs import Programs
from tests.support.study_runs import EPOCHS, RUN, TABLE_4, assert_whole, epochs


def wait_for(condition, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, "never came"
        time.sleep(0.05)


def descendants(pid: int) -> list[int]:
    """The processes below *pid*."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    children: dict[int, list[int]] = {}
    for line in listed.stdout.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found, left = [], [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found


def at_work(programs: Programs) -> set[str]:
    """The folders whose training has begun, and has not come to its end since."""
    found: set[str] = set()
    for line in programs.calls():
        word, _, folder = line.partition(" ")
        if word == "begin":
            found.add(folder.split()[0])
        elif word == "end":
            found.discard(folder)
    return found


def test_killed_study_goes_on_and_loses_nothing(programs):
    """By turns the engine alone is killed, whose jobs then go on, and the engine with its jobs."""
    slow, cut_off = {"STAND_IN_EPOCH": "0.15"}, set()
    for kill, with_jobs in enumerate((False, True, False, True)):
        process = programs.start(*TABLE_4, "--cores", "3", **slow)
        before = len(programs.calls("epoch"))
        wait_for(lambda: len(programs.calls("epoch")) > before + kill, process)
        jobs = descendants(process.pid) if with_jobs else []
        for pid in (process.pid, *jobs):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        if with_jobs:
            cut_off |= at_work(programs)
    said = programs.run(*TABLE_4, "--cores", "3", **slow)
    assert "failed" not in said
    assert_whole(programs)
    # Only an epoch that was cut off is trained again, from the same checkpoint.
    for folder, trained in epochs(programs).items():
        assert trained == EPOCHS or folder in cut_off, folder


def test_orphan_is_waited_for_and_second_start_refused(programs):
    hold = programs.folder / "hold"
    hold.touch()
    words = (*TABLE_4, "--cores", "1")
    try:
        process = programs.start(*words, STAND_IN_HOLD=str(hold))
        wait_for(lambda: programs.calls("begin"), process)
        folder = programs.calls("begin")[0].split()[1]
        said = programs.run(*words, status=2)
        assert f"{RUN}: process {process.pid} on " in said
        assert said.endswith("wait for it to end\n")
        process.kill()
        process.wait()
        process = programs.start(*words)
        waits = next(line for line in process.stdout if "waits" in line)
        assert re.match(
            rf"{folder}/train: waits for process \d+ on \S+ to end, which a kill", waits
        )
    finally:
        hold.unlink()
    process.communicate(timeout=300)
    assert process.returncode == 0
    assert_whole(programs)
    assert set(map(tuple, epochs(programs).values())) == {tuple(EPOCHS)}
