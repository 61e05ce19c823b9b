"""Runs fairseq-generate and shows how far it is; what it says goes to ``OUT/generate-SPLIT.log``.

``scripts/generate.sh`` ends with this:

    python -m vqapg.study.watched_generation fairseq-generate DATA FLAGS

The exit status is that of the command. Signals reach it, and it ends when this process does.
"""

import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from vqapg.errors import printable
from vqapg.study.program_log import last_said, read_from
from vqapg.study.watched_command import WatchedCommand, flag, not_started, say, show_failure

# fairseq's line of a batch, in its log format "simple".
BATCH = re.compile(rb"\b(\d+) / (\d+) wps=")
# Bytes at the log's end, which hold several lines of batches.
LOOKED_AT = 4096


def main(argv: Sequence[str]) -> int:
    """Does what the module says.

    Args:
        argv: the command, its data directory first

    Returns:
        the exit status
    """
    command = list(argv)
    folder = Path(flag(command, "--results-path") or ".")
    split = flag(command, "--gen-subset") or "test"
    log = folder / f"generate-{split}.log"
    try:
        if {"--help", "-h"} & set(command):
            os.execvp(command[0], command)
        generation = WatchedCommand(command, log)
    except OSError as error:
        return not_started(error, command, "OUT")
    show_batches(generation, log)
    if generation.status == 0:
        pairs = folder / f"generate-{split}.txt"
        say(f"The pairs are {printable(pairs)}. Next:")
        say(f"    {printable(next_command(command[1], split, pairs))}")
    elif generation.signals:
        print("Stopped. The same command begins anew", file=sys.stderr)
    else:
        said = last_said(log, generation.begins, command[0])
        show_failure("generation", generation.status, said, log)
    return generation.status


def show_batches(generation: WatchedCommand, log: Path) -> None:
    """A bar over the batches, until the command has ended."""
    with tqdm(desc="generating", unit="batch") as bar:
        for _ in generation.looks():
            batches = BATCH.findall(read_from(log, generation.begins, most=LOOKED_AT))
            if batches:
                done, bar.total = map(int, batches[-1])
                bar.update(done - bar.n)


def next_command(data: str, split: str, pairs: Path) -> str:
    """What is done with generated pairs: the command, to paste."""
    of_split = [] if split == "test" else ["--split", split]
    words = ["vqapg", "evaluate", data, *of_split, "--pairs", str(pairs)]
    return f"{shlex.join(words)} --evaluator CKPT --output metrics.json"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
