"""Runs fairseq-generate and shows how far it is; what it says goes to ``OUT/generate-SPLIT.log``.

``scripts/generate.sh`` ends with this:

    python -m vqapg.study.watched_generation fairseq-generate DATA FLAGS

fairseq empties its output as it starts. So it writes into ``OUT/generate-SPLIT.partial``, and the
pairs get their name when they are whole. What is there is replaced with ``--overwrite`` alone. The
exit status is that of the command. Signals reach it, and it ends when this process does.
"""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from vqapg.errors import printable
from vqapg.study.program_log import last_said, read_from
from vqapg.study.watched_command import WatchedCommand, flag, not_started, say, show_failure

OVERWRITE = "--overwrite"
# fairseq's line of a batch, in its log format "simple".
BATCH = re.compile(rb"\b(\d+) / (\d+) wps=")
# Bytes at the log's end, which hold several lines of batches.
LOOKED_AT = 4096


def main(argv: Sequence[str]) -> int:
    """Does what the module says.

    Args:
        argv: the command, its data directory first; ``--overwrite`` may stand anywhere

    Returns:
        the exit status
    """
    command = [word for word in argv if word != OVERWRITE]
    folder = Path(flag(command, "--results-path") or ".")
    split = flag(command, "--gen-subset") or "test"
    pairs = folder / f"generate-{split}.txt"
    log, partial = pairs.with_suffix(".log"), pairs.with_suffix(".partial")
    if pairs.exists() and OVERWRITE not in argv:
        cure = f"give another OUT, or {OVERWRITE} to replace it"
        print(f"error: {printable(pairs)}: is there already; {cure}", file=sys.stderr)
        return 2
    try:
        if {"--help", "-h"} & set(command):
            os.execvp(command[0], command)
        generation = WatchedCommand([*command, "--results-path", str(partial)], log)
    except OSError as error:
        return not_started(error, command, "OUT")
    show_batches(generation, log)
    if generation.status == 0:
        os.replace(partial / pairs.name, pairs)
    shutil.rmtree(partial, ignore_errors=True)
    if generation.status == 0:
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
    bar: tqdm | None = None
    for _ in generation.looks():
        batches = BATCH.findall(read_from(log, generation.begins, most=LOOKED_AT))
        if batches:
            done, of = map(int, batches[-1])
            # Before the first batch there is nothing to show.
            bar = bar or tqdm(desc="generating", unit="batch", total=of)
            bar.update(done - bar.n)
    if bar is not None:
        bar.close()


def next_command(data: str, split: str, pairs: Path) -> str:
    """What is done with generated pairs: the command, to paste."""
    of_split = [] if split == "test" else ["--split", split]
    words = ["vqapg", "evaluate", data, *of_split, "--pairs", str(pairs)]
    return f"{shlex.join(words)} --evaluator CKPT --output metrics.json"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
