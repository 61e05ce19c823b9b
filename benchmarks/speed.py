"""Speed of training, generation and scoring on one CPU thread, and on a GPU where there is one.

    python benchmarks/speed.py --output speed.json               all of it, about 25 minutes
    python benchmarks/speed.py --work beam10 --widths default    one figure
    python benchmarks/speed.py --against ../before               before and after, in turns

The work is that of a published implementation of these models, measured on one pinned thread
(``PUBLISHED`` below): R = 100 regions x 2048 float32, 9 to 13 decoding steps a pair, test pairs in
image order with 9.8 an image. ``works.py`` says what a batch is. "published" widths are LSTMs of
512 a direction, "default" ours.

Each work runs in a process of its own, with one thread pinned to one core. CPU seconds are medians
over repeats, after one that is not counted; peak memory is the process's. Beside each stands the
rate of floating-point operations, and the same thread's rate in a matrix product.

With ``--against`` another checkout's ``vqapg`` does the same in a second process on the same core.
The two take turns, one batch each, so that what else the machine does hits both. Each ratio is that
of two neighbours. Printed are their median, least and greatest, and how far first results differ.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# pairs per CPU-second, GiB
PUBLISHED = {
    "train": (11.6, 4.6),
    "beam10": (10.1, 3.4),
    "beam1": (39.9, 1.6),
    "score": (51.6, 5.6),
}
WIDTHS = ("published", "default", "tiny")
# work: (pairs a batch, pairs of an image in it, compared with)
WORK = {
    "train": (128, 1, "train"),
    "train-grouped": (128, 8, "train"),
    "beam10": (256, 9.8, "beam10"),
    "beam1": (256, 9.8, "beam1"),
    "score": (256, 9.8, "score"),
}
# What cost grows with: for each, the work, the option and its values
GROWTH = {
    "regions": ("train", "regions", (25, 49, 100, 196)),
    "batch": ("train", "batch", (32, 64, 128, 256)),
    "pairs an image": ("train", "per_image", (1, 2, 4, 8)),
    "beam": ("beam10", "beam", (1, 2, 5, 10, 20)),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", nargs="*", choices=WORK, default=list(WORK), help="default: all")
    parser.add_argument(
        "--widths",
        nargs="*",
        choices=WIDTHS,
        default=["published", "default"],
        help="default: published and default; tiny is for a try",
    )
    parser.add_argument(
        "--growth", action="store_true", help="also how cost grows with each size (default widths)"
    )
    parser.add_argument(
        "--repeats", type=int, default=5, help="counted runs of each (default: %(default)s)"
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="CHECKOUT",
        help="another checkout of this repository, whose code does the same in turns",
    )
    parser.add_argument("--output", metavar="FILE", help="JSON to write")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # what a process of its own is to do
    args = parser.parse_args()
    if args.one:
        serve(**json.loads(args.one))
        return
    if args.against and not (args.against / "vqapg").is_dir():
        parser.error(f"--against {args.against}: has no folder vqapg; name another checkout")
    before = {} if args.against is None else {"before": args.against.resolve()}
    sides = before | {"after": HERE.parent}
    results: dict[str, Any] = {
        "machine": platform.processor() or platform.machine(),
        "repeats": args.repeats,
        "work": [],
        "growth": [],
    }
    print(
        f"{'work':<14} {'widths':<10} {'device':<6} {'pairs/s':>8} {'ratio':>6} {'GiB':>5} "
        f"{'share':>6} {'GFLOP/s':>8} {'of matmul':>9}"
    )
    for device in devices():
        for widths in args.widths:
            for work in args.work:
                asked = {"work": work, "widths": widths, "device": device}
                measured = in_turns(sides, args.repeats, asked)
                results["work"].append(measured["after"])
                show(measured["after"])
                if "before" in measured:
                    compared = compare(measured["before"], measured["after"])
                    results["work"][-1] |= {"before": measured["before"], "compared": compared}
                    show_compared(measured["before"], compared)
    if args.growth:
        for name, (work, option, values) in GROWTH.items():
            for value in values:
                asked = {"work": work, "widths": "default", "device": "cpu", option: value}
                result = in_turns({"after": HERE.parent}, 3, asked)["after"]
                results["growth"].append({"grows_with": name, option: value, **result})
                print(
                    f"{name} {value}: {result['seconds_a_batch']:.2f} s a batch, "
                    f"{result['pairs_per_second']:.1f} pairs/s"
                )
    if args.output:
        with open(args.output, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)


def devices() -> list[str]:
    import torch

    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def in_turns(sides: dict[str, Path], repeats: int, asked: dict[str, Any]) -> dict[str, Any]:
    """What a process of each checkout measured, a batch in turns; see :func:`serve`."""
    processes = {side: start(checkout, asked) for side, checkout in sides.items()}
    try:
        results = {side: json.loads(answer(process)) for side, process in processes.items()}
        for turn in range(repeats):
            # Neither is always the first.
            for side in list(processes) if turn % 2 == 0 else reversed(processes):
                answer(processes[side], "batch")
        for side, process in processes.items():
            results[side] |= json.loads(answer(process, "end"))
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    return results


def start(checkout: Path, asked: dict[str, Any]) -> "subprocess.Popen[str]":
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
        # Before what is installed, so before an editable installation of another checkout
        "PYTHONPATH": str(checkout),
    }
    return subprocess.Popen(
        [sys.executable, __file__, "--one", json.dumps(asked)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(process: "subprocess.Popen[str]", request: str | None = None) -> str:
    """The next line of JSON that *process* prints, after a *request* if any."""
    assert process.stdin is not None and process.stdout is not None
    if request is not None:
        process.stdin.write(f"{request}\n")
        process.stdin.flush()
    for line in process.stdout:
        if line.startswith("{"):
            return line
    raise SystemExit(f"error: the measuring process ended with status {process.wait()}")


def compare(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Ratios of the seconds of neighbours, and how far the first results differ."""
    ratios = [old / new for old, new in zip(before["seconds"], after["seconds"], strict=True)]
    pairs = zip(before["result"], after["result"], strict=True)
    difference = max(abs(old - new) for old, new in pairs)
    ratio = statistics.median(ratios)
    return {"ratios": ratios, "ratio": ratio, "greatest_difference": difference}


def show_compared(before: dict[str, Any], compared: dict[str, Any]) -> None:
    print(
        f"  before {before['pairs_per_second']:.1f} pairs/s, {before['peak_gib']:.1f} GiB: now "
        f"{compared['ratio']:.2f}x [{min(compared['ratios']):.2f}, {max(compared['ratios']):.2f}]; "
        f"results differ by {compared['greatest_difference']:.1e}",
        flush=True,
    )


def show(result: dict[str, Any]) -> None:
    published, memory = PUBLISHED[WORK[result["work"]][2]]
    cpu_at_published_widths = result["device"] == "cpu"
    ratio = f"{result['pairs_per_second'] / published:.1f}x" if cpu_at_published_widths else "-"
    share = f"{result['peak_gib'] / memory:.0%}" if cpu_at_published_widths else "-"
    print(
        f"{result['work']:<14} {result['widths']:<10} {result['device']:<6} "
        f"{result['pairs_per_second']:>8.1f} {ratio:>6} "
        f"{result['peak_gib']:>5.1f} {share:>6} {result['gflops']:>8.1f} "
        f"{result['gflops'] / result['matmul_gflops']:>9.0%}",
        flush=True,
    )


def serve(
    work: str,
    widths: str,
    device: str,
    regions: int = 100,
    batch: int | None = None,
    per_image: float | None = None,
    beam: int = 10,
) -> None:
    """Does one batch of *work* for each line that it reads, until one says "end".

    It prints a line of JSON first, with the numbers of the first batch, and one in the end, with
    the medians: CPU seconds on a CPU, wall seconds on a GPU.
    """
    if hasattr(os, "sched_setaffinity") and device == "cpu":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import torch
    from works import Sizes, Work, numbers

    from vqapg.memory import keep_freed_memory

    keep_freed_memory()  # as the tasks do
    torch.set_num_threads(1)
    pairs, default_per_image, _ = WORK[work]
    sizes = Sizes(batch or pairs, per_image or default_per_image, widths, regions)
    if widths == "tiny":
        sizes = Sizes(8, min(sizes.per_image, 2), widths, regions=4, channels=5)
    sizes.beam, sizes.device = beam, device
    step = Work(work.removesuffix("-grouped"), sizes)
    print(json.dumps({"result": numbers(step())}), flush=True)
    spent = []
    while (request := sys.stdin.readline().strip()) == "batch":
        spent.append(seconds(step, device))
        print(json.dumps({"seconds": spent[-1]}), flush=True)
    if not request:
        return  # whoever asked is gone
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts in KiB
    if device == "cuda":
        memory = torch.cuda.max_memory_allocated() / 2**30
    matrix = torch.randn(2048, 2048, device=device)
    product = statistics.median(seconds(lambda: matrix @ matrix, device) for _ in range(5))
    median = statistics.median(spent)
    asked = {"work": work, "widths": widths, "device": device}
    report = asked | {
        "pairs": sizes.pairs,
        "beam": beam,
        "seconds": spent,
        "seconds_a_batch": median,
        "pairs_per_second": sizes.pairs / median,
        "peak_gib": memory,
        "gflops": step.flops() / median / 1e9,
        "matmul_gflops": 2 * 2048**3 / product / 1e9,
        "profile": profile(step),
    }
    print(json.dumps(report), flush=True)


def seconds(action: Callable[[], Any], device: str) -> float:
    """CPU seconds of *action* on a CPU, wall seconds on a GPU."""
    import torch

    if device == "cuda":
        torch.cuda.synchronize()
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    action()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def profile(step: Callable[[], Any], rows: int = 8) -> dict[str, float]:
    """The share of the time of one batch that each operation takes, without what it calls."""
    import torch

    with torch.profiler.profile() as profiler:
        step()
    events = sorted(
        profiler.key_averages(), key=lambda event: event.self_cpu_time_total, reverse=True
    )
    total = sum(event.self_cpu_time_total for event in events)
    return {event.key: round(event.self_cpu_time_total / total, 3) for event in events[:rows]}


if __name__ == "__main__":
    main()
