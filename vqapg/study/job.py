"""Runs one job's script, read from the standard input: ``python -m vqapg.study.job FOLDER/NAME``.

It makes a job safe to start again after a kill at any moment:

- It holds the job's lock, and so do the processes of the script. What a killed study has left at
  work on the job is waited for, never fought with.
- Where that has made the outputs meanwhile, nothing is left to do.
- Checkpoints are continued only where what they began from is what it was.
- Each training has GPUs of its own, by locks on their numbers.

It ends by becoming the script's shell, with all output in ``FOLDER/NAME.log``.
"""

import argparse
import fcntl
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from vqapg.files import atomic_write, sha256

STARTED_FROM = ".started-from.json"


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the module says. The process becomes the shell, or ends with status 0."""
    parser = argparse.ArgumentParser(prog="python -m vqapg.study.job")
    parser.add_argument("job", type=Path, help="its folder, and its name in it")
    parser.add_argument("--outputs", nargs="+", type=Path, default=[])
    parser.add_argument("--started-from", nargs="+", type=Path, default=[])
    parser.add_argument("--gpus", type=int, help="how many to choose; where not given, none")
    args = parser.parse_args(argv)
    script = sys.stdin.read()
    args.job.parent.mkdir(parents=True, exist_ok=True)
    take_lock(args.job)
    # The study's engine has removed the outputs before it started this job.
    if args.outputs and all(path.exists() for path in args.outputs):
        print(f"{args.job}: done by what an earlier start of the study had at work")
        return
    for path in args.outputs:
        path.parent.mkdir(parents=True, exist_ok=True)
    if args.started_from:
        check_started_from(args.job.parent, args.started_from)
    if args.gpus is not None:
        gpus = choose_gpus(args.gpus)
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    become_shell(script, args.job.with_name(f"{args.job.name}.log"))


def take_lock(job: Path) -> None:
    """Waits for the lock of *job*, which this process and its children then hold."""
    descriptor = os.open(job.with_name(f".{job.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
    os.set_inheritable(descriptor, True)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 100, 0).decode(errors="replace") or "another process"
        print(
            f"{job}: waits for {holder} to end, which a killed study left at work on it",
            file=sys.stderr,
            flush=True,
        )
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {os.uname().nodename}".encode(), 0)


def check_started_from(folder: Path, files: Sequence[Path]) -> None:
    """Removes checkpoints that began from other data or weights than *files* hold now.

    fairseq would continue them, and end with the weights of what is no longer there.
    """
    record = folder / STARTED_FROM
    now = {str(path): sha256(path) for path in files}
    try:
        before = json.loads(record.read_bytes())
    except (OSError, ValueError):
        before = None
    if before == now:
        return
    for path in sorted(folder.glob("checkpoint*.pt")):
        path.unlink()
    with atomic_write(record) as file:
        json.dump(now, file)


def visible_gpus() -> list[str]:
    """The GPUs of this machine that this process may use, as ``CUDA_VISIBLE_DEVICES`` has them."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [word.strip() for word in given.split(",") if word.strip()]
    from torch.cuda import device_count

    return [str(number) for number in range(device_count())]


def choose_gpus(count: int) -> list[str]:
    """Waits until *count* of the visible GPUs are free, and holds locks on them.

    The locks are of the machine, for studies side by side; the children hold them too.
    """
    if count == 0:
        return []
    gpus = visible_gpus()
    if len(gpus) < count:
        sys.exit(f"{count} GPUs are wanted, and {len(gpus)} are there")
    locks = Path(tempfile.gettempdir()) / f"vqapg-gpus-{os.getuid()}"
    locks.mkdir(mode=0o700, exist_ok=True)
    while True:
        # One process chooses at a time: two that want all would each hold half.
        with open(locks / "choosing", "w") as choosing:
            fcntl.flock(choosing, fcntl.LOCK_EX)
            held = dict(_free(locks, gpus, count))
        if len(held) == count:
            return list(held)
        for descriptor in held.values():
            os.close(descriptor)
        time.sleep(1)


def _free(locks: Path, gpus: Sequence[str], count: int) -> Iterator[tuple[str, int]]:
    """The first *count* free ones, with the descriptors that hold them."""
    for gpu in gpus:
        if count == 0:
            return
        path = locks / gpu.replace("/", "-")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        os.set_inheritable(descriptor, True)
        count -= 1
        yield gpu, descriptor


def become_shell(script: str, log: Path) -> None:
    """Replaces this process by bash with *script*; its output is appended to *log*."""
    programs = str(Path(sys.executable).parent)
    # The commands of this very installation, where nobody has entered its environment.
    if programs not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = programs + os.pathsep + os.environ["PATH"]
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.write(output, f"--- {time.strftime('%Y-%m-%d %H:%M:%S')}\n{script}---\n".encode())
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)
    os.execvp("bash", ["bash", "-euo", "pipefail", "-c", script])


if __name__ == "__main__":
    main()
