"""Mutate the files that strangers bring, and see that vqapg refuses them in one line.

    python benchmarks/fuzz.py --times 1000
    python benchmarks/fuzz.py --only checkpoints --start 17 --times 1    # one case again

The script makes a tiny corpus of good files with the package itself. Each case changes one file.
It runs one command over that file, in a fork of this process and a folder of its own.
A case is drawn from --seed, its kind and its number alone.
What counts as found:

- a traceback, or an exit status 1 or 2 whose last line is no error message
- a hang: a case that takes longer than --limit; a crash: a fork that died
- a file changed that the command may not write
- code run, or a program started, or a secret file read
- a file taken that must be refused, or output that is no strict JSON

Exit status 1 when something was found. The mutated file is then kept under --keep.
"""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
# The plugin reports errors of fairseq's programs only in fairseq's programs.
sys.argv[0], PROGRAM = "fairseq-generate", sys.argv[0]

import fairseq_cli.generate
import fairseq_cli.train  # noqa: F401
import torch
from fuzzing.corpus import build, fake_ghostscript
from fuzzing.targets import TARGETS
from fuzzing.traps import Traps
from fuzzing.worker import FOUND, Finding, in_fork, run_cases
from tqdm import tqdm

import vqapg.data.feature_extraction
import vqapg.sampling.run
import vqapg.tasks.vqapg
import vqapg.tasks.vqapg_consistency  # noqa: F401
from vqapg.tasks.fairseq_patches import patch_fairseq

# As --user-dir does, which passes over a package that is imported.
patch_fairseq()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog=f"python {PROGRAM}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--times", type=int, default=1000, help="cases of each kind (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="of all mutations (default: %(default)s)"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=sorted(TARGETS),
        metavar="KIND",
        help="default: all of %(choices)s",
    )
    parser.add_argument(
        "--start", type=int, default=0, metavar="N", help="number of the first case (default: 0)"
    )
    parser.add_argument(
        "--limit", type=float, default=60, metavar="S", help="seconds a case (default: %(default)s)"
    )
    parser.add_argument(
        "--memory", type=float, default=4, metavar="GIB", help="of each case (default: %(default)s)"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        default=Path("fuzz-findings"),
        metavar="DIR",
        help="default: %(default)s",
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    table, findings = {}, []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        place = Path(place)
        corpus = place / "corpus"
        with open(place / "corpus.log", "wb") as log:
            if in_fork(lambda: build(corpus), log) != 0:
                sys.exit(
                    f"the corpus cannot be made:\n{(place / 'corpus.log').read_text()[-3000:]}"
                )
        traps = Traps(place / "canary", place / "secret", corpus / "bomb.zip")
        # Bytes that are also good float32 statistics
        traps.secret.write_bytes(b"SECRET??" * 4096)
        fake_ghostscript(place / "programs", traps.canary)
        with contextlib.suppress(KeyboardInterrupt):  # what is known by then is shown
            for kind in args.only or TARGETS:
                table[kind] = Counter()
                for finding in fuzz(kind, table[kind], args, place, traps):
                    findings.append(finding)
    print(format_table(table))
    if findings:
        print(format_findings(findings, args))
    return 1 if findings else 0


def fuzz(
    kind: str, counts: Counter, args: argparse.Namespace, place: Path, traps: Traps
) -> Iterator[Finding]:
    """Yields what is found by the cases of a *kind*; how they end is added to *counts*."""
    numbers = range(args.start, args.start + args.times)
    cases = run_cases(
        kind,
        numbers,
        args.seed,
        place,
        traps,
        limit=args.limit,
        memory=args.memory,
        keep=args.keep.resolve(),
    )
    bar, found_in = tqdm(cases, desc=kind, total=args.times, mininterval=1, disable=None), 0
    for outcome, found in bar:
        counts.update([outcome, *(finding.what for finding in found)])
        found_in += bool(found)
        bar.set_postfix(found=found_in)
        yield from found


def format_table(table: dict[str, Counter]) -> str:
    """One line a kind: how its cases ended, and what was found."""
    columns = ("refused", "failed", "accepted", *FOUND)
    rows = [("kind", "cases", *columns)]
    for kind, counts in table.items():
        cases = (
            counts["refused"] + counts["failed"] + counts["accepted"] + counts["ended otherwise"]
        )
        rows.append((kind, str(cases), *(str(counts[column]) for column in columns)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )


def format_findings(findings: list[Finding], args: argparse.Namespace) -> str:
    """Each sort of finding once, the most frequent first, with the command that shows it again."""
    sorts = {}
    for finding in findings:
        sorts.setdefault((finding.kind, finding.what, finding.sort), []).append(finding)
    lines = []
    for (kind, what, _), alike in sorted(
        sorts.items(), key=lambda item: (item[0][0], -len(item[1]))
    ):
        first = alike[0]
        lines.append(
            f"\n{kind}: {what}, {len(alike)} times; first {first.number} ({first.label})\n"
            f"  {first.message}\n"
            f"  kept: {first.kept}\n"
            f"  python {PROGRAM} --only {kind} --seed {args.seed} --start {first.number} --times 1"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
