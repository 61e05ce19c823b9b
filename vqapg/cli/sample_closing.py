"""What ``vqapg sample`` says when it is done: what was made, what was not, and what to do."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from vqapg import demo
from vqapg.errors import printable
from vqapg.sampling.counts import Counts
from vqapg.sampling.options import SamplingOptions
from vqapg.sampling.passed_over import Reason, describe


def print_closing(
    counts: Counts,
    options: SamplingOptions,
    checkpoint: str,
    passed_over: Counter[Reason],
    files: Sequence[str | Path],
) -> None:
    """Prints the counts to stdout, and before them each warning to stderr.

    Args:
        counts: of the run
        options: of the run
        checkpoint: of the model, for what its owner can do
        passed_over: how many files gave no image
        files: that were written
    """
    is_demo = demo.name_of(checkpoint) == demo.NAME
    if counts.repetition is not None:
        cure = cure_of_repetition(options, is_demo)
        print(f"warning: {counts.repetition}; {cure}", file=sys.stderr)
    for error in counts.skipped:
        print(f"left out: {printable(error)}", file=sys.stderr)
    told = [
        counts.describe(options.min_consistency, options.keep, cure_of_cut(options, is_demo)),
        describe(passed_over),
    ]
    print(f"{', '.join(map(str, files))}: {'; '.join(filter(None, told))}")


def cure_of_repetition(options: SamplingOptions, is_demo: bool) -> str:
    """What makes a model ask more that differs."""
    drawn = "a higher --temperature" if options.sampling else "--sampling"
    cures = f"give {drawn}" if is_demo else f"give {drawn}, or train longer"
    return f"{cures}: docs/sample.md, Too few questions"


def cure_of_cut(options: SamplingOptions, is_demo: bool) -> str:
    """What makes a model end its texts."""
    cures = [] if is_demo else ["train the model longer"]
    if options.sampling:
        cures.append("give a lower --temperature" if is_demo else "leave out --sampling")
    return ", or ".join(cures)
