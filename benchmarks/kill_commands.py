"""Kills vqapg prepare and vqapg extract-features at random moments, runs them again, and compares what they end with.

    python benchmarks/kill_commands.py --source shapes.jsonl --times 30
    python benchmarks/kill_commands.py --dataset easy-vqa --times 30

Each time a fresh directory; SIGKILL to the whole process group at a moment drawn between 0 and the length of an
undisturbed run; then the same command again, to the end. Every file must equal the undisturbed run's, byte by byte.
Exit status 1 where one does not.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VQAPG = [sys.executable, "-m", "vqapg.cli.main"]


def start(command):
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def finish(command):
    """Runs to the end; its seconds."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def checksums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def try_command(name, command, before, data, times, generator):
    """Kills *command* *times* times, each time from a copy of the folder *before* (None: from nothing)."""

    def reset():
        shutil.rmtree(data, ignore_errors=True)
        if before is not None:
            shutil.copytree(before, data)

    reset()
    seconds = finish(command)
    expected, killed, wrong = checksums(data), 0, 0
    for _ in range(times):
        reset()
        process = start(command)
        time.sleep(generator.uniform(0, seconds))
        killed += process.poll() is None
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        finish(command)
        wrong += checksums(data) != expected
    print(f"{name}: killed {killed} of {times} times at work, {wrong} ended otherwise (undisturbed: {seconds:.1f} s)", flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="jsonl")
    parser.add_argument("--source")
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--image-size", default="96")
    args = parser.parse_args()
    generator = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        data, prepared = Path(folder, "data"), Path(folder, "prepared")
        source = ["--source", args.source] if args.source else []
        prepare = [*VQAPG, "prepare", "--dataset", args.dataset, *source, "--dest", str(data)]
        extract = [
            *VQAPG, "extract-features", str(data), "--backbone", "efficientnet_lite0", "--image-size", args.image_size,
            "--num-workers", "1",
        ]
        wrong = try_command("prepare", prepare, None, data, args.times, generator)
        shutil.copytree(data, prepared)
        wrong += try_command("extract-features", extract, prepared, data, args.times, generator)
        first, second = ([*extract, "--shard", f"{number}/2"] for number in (1, 2))
        shutil.rmtree(data)
        shutil.copytree(prepared, data)
        finish(first)
        shutil.rmtree(prepared)
        shutil.copytree(data, prepared)
        wrong += try_command("extract-features --shard 2/2", second, prepared, data, args.times, generator)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
