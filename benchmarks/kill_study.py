"""Kills a study at random moments, starts it again each time, and lets it end.

    python benchmarks/kill_study.py --kills 10 --every 120 600 -- \\
        bash scripts/reproduce.sh easy-vqa --preset small --seeds 1

Each kill is SIGKILL: by turns of everything, of the engine alone (its jobs live on as orphans), and
of one job at work. It prints a line for each kill. At the end it prints how long the study took,
and what a last start would still run.
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

KINDS = ("everything", "the engine alone", "one job")


def descendants(pid: int) -> list[int]:
    """The processes below *pid*, itself left out, parents first."""
    try:
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []
    return [below for child in children for below in (child, *descendants(child))]


def told(pid: int) -> str:
    """The command of *pid*, in short."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return "gone"
    return " ".join(Path(word).name for word in words[:6] if word)[:80]


def kill_all(pids: list[int]) -> None:
    """SIGKILL to each of *pids* that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill(process: subprocess.Popen[bytes], kind: str, rng: random.Random) -> str:
    """Kill *kind* of the study *process*, and say what was killed."""
    below = descendants(process.pid)
    # The deepest processes are those that work; the command itself has become the engine.
    workers = [pid for pid in below if not descendants(pid)]
    victims = {
        "everything": [process.pid, *below],
        "the engine alone": [process.pid],
        "one job": [rng.choice(workers)] if workers else [],
    }[kind]
    names = ", ".join(told(pid) for pid in victims[:1])
    kill_all(victims)
    return f"{len(victims)} killed: {names}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument(
        "--every", type=float, nargs=2, default=(60, 400), metavar="S", help="seconds between kills"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="after --")
    args = parser.parse_args()
    rng, begun = random.Random(args.seed), time.time()
    for number in range(args.kills + 1):
        kind = KINDS[number % len(KINDS)]
        process = subprocess.Popen(args.command)
        wait = rng.uniform(*args.every) if number < args.kills else None
        try:
            status = process.wait(wait)
            print(f"ended by itself with status {status}", flush=True)
            if status:
                sys.exit(f"start {number + 1} failed")
            break
        except subprocess.TimeoutExpired:
            said = kill(process, kind, rng)
            status = process.wait() if kind != "one job" else wait_after_a_job(process)
            clock = (time.time() - begun) / 60
            print(f"kill {number + 1} after {clock:.1f} min, {kind}: {said}; status {status}")
            sys.stdout.flush()
    print(f"{(time.time() - begun) / 60:.1f} minutes in all, {number} kills")
    again = subprocess.run([*args.command, "--dry-run"], capture_output=True, text=True)
    print(again.stdout.strip().splitlines()[-1])


def wait_after_a_job(process: subprocess.Popen[bytes]) -> str:
    """Let the engine go on for a while without the killed job, then kill it too."""
    try:
        return str(process.wait(20))
    except subprocess.TimeoutExpired:
        kill_all([process.pid, *descendants(process.pid)])
        return f"others at work, killed after it: {process.wait()}"


if __name__ == "__main__":
    main()
