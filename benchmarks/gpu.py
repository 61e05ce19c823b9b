"""Speed on one GPU: training, generation, scoring and extraction, in under ten minutes.

    bash benchmarks/gpu.sh                      all of it, on a machine with a GPU
    bash benchmarks/gpu.sh --dry-run            the same at tiny sizes on a CPU: does it run?
    bash benchmarks/gpu.sh --only train beam10  some of it

Training has batches of 256 pairs, R = 100 regions of 2,048 channels and the paper's widths
(section 5.3), with all features on the GPU; "grouped" has eight pairs of an image. All data are
random and made here. Half precision is fairseq's: the weights are half, and the optimizer keeps a
copy of them in float32. fairseq trains in fp16 on a GPU only, so a dry run skips that. Extraction
in half precision is by autocast, which the command does not use. ``works.py`` says what a batch is.

Each figure is the median of the repeats, by the clock. "Of peak" is the rate of the products'
operations over the rate that this GPU reaches, in the same precision, in a product of two matrices
of 8,192 rows. Launches are what the CPU told the GPU to do in one batch. What no time is left for
is skipped, and the table says so.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from works import Sizes, Work

# Goals of one H100: pairs, seconds
GOALS = {"train grouped bf16": (70_600, 10), "beam10 bf16": (36_900, 20)}
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
WORKS = ("train", "beam10", "beam1", "score", "extract")
EXTRACTED = 64  # pictures at once
COLUMNS = ("s a batch", "batches/s", "pairs/s", "TFLOP/s", "of peak", "GiB", "launches")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", choices=WORKS, default=WORKS, help="default: all")
    parser.add_argument("--precision", nargs="*", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--repeats", type=int, default=10, help="default: %(default)s")
    parser.add_argument(
        "--seconds", type=float, default=500, help="begin nothing after so many (%(default)s)"
    )
    parser.add_argument("--dry-run", action="store_true", help="tiny sizes, on a CPU")
    parser.add_argument("--output", metavar="FILE", help="JSON to write")
    args = parser.parse_args()
    if not args.dry_run and not torch.cuda.is_available():
        parser.error("torch sees no GPU here; try it with --dry-run")
    begun = time.monotonic()
    device = "cpu" if args.dry_run else "cuda"
    results: dict[str, Any] = {
        "device": "CPU, a dry run" if args.dry_run else torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "repeats": args.repeats,
        "peaks": {name: peak(PRECISIONS[name], device) for name in args.precision},
        "works": {},
    }
    print(f"{results['device']}, torch {results['torch']}")
    for name, rate in results["peaks"].items():
        print(f"matrix product, {name}: {rate / 1e12:.3g} TFLOP/s")
    print(f"{'work':<20}", *(f"{column:>10}" for column in COLUMNS))
    for name, precision, prepare in cases(args.only, args.precision, device):
        if time.monotonic() - begun > args.seconds:
            results["works"][name] = {"skipped": "no time left"}
        else:
            try:
                results["works"][name] = measure(
                    *prepare(), args.repeats, device, results["peaks"][precision]
                )
            # One precision that a GPU lacks, or has no memory for, costs no other figure.
            except (RuntimeError, NotImplementedError) as error:
                results["works"][name] = {"skipped": str(error).splitlines()[0]}
        show(name, results["works"][name])
        if device == "cuda":
            torch.cuda.empty_cache()
    for name, (pairs, goal) in GOALS.items():
        rate = results["works"].get(name, {}).get("pairs_per_second")
        needed = "not measured" if rate is None or args.dry_run else f"{pairs / rate:.1f} s"
        print(f"{pairs:,} pairs, {name}: {needed} (goal on one H100: {goal} s)")
    if args.output:
        with open(args.output, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)
    if all("skipped" in result for result in results["works"].values()):
        sys.exit(1)


# What a case is measured by: the batch, how many pairs or pictures it has, and its operations
Prepared = tuple[Callable[[], Any], int, Callable[[], int]]


def cases(
    works: tuple[str, ...], precisions: list[str], device: str
) -> Iterator[tuple[str, str, Callable[[], Prepared]]]:
    """The name of each case, its precision, and what prepares it."""
    for work in works:
        for precision in precisions:
            if work == "extract":
                yield f"extract {precision}", precision, extraction(precision, device)
                continue
            for grouped in (False, True) if work == "train" else (True,):
                group = "" if work != "train" else "grouped " if grouped else "shuffled "
                yield (
                    f"{work} {group}{precision}",
                    precision,
                    of_pairs(work, grouped, precision, device),
                )


def of_pairs(work: str, grouped: bool, precision: str, device: str) -> Callable[[], Prepared]:
    def prepare() -> Prepared:
        sizes = Sizes(256, 1, resident=True, device=device, dtype=PRECISIONS[precision])
        if device == "cpu":
            sizes.pairs, sizes.widths, sizes.regions, sizes.channels = 8, "tiny", 4, 5
        if grouped:
            sizes.per_image = 8 if work == "train" else 9.8
        step = Work(work, sizes)
        return step, sizes.pairs, step.flops

    return prepare


def extraction(precision: str, device: str) -> Callable[[], Prepared]:
    """ResNet-50 at 299 px, with R = 100, as ``vqapg extract-features`` runs it."""

    def prepare() -> Prepared:
        from torch.utils.flop_counter import FlopCounterMode

        from vqapg.backbones import build_backbone
        from vqapg.data.feature_encoding import encode_images

        name, side, pictures = ("resnet50", 299, EXTRACTED)
        if device == "cpu":
            name, side, pictures = ("shufflenet_v2_x0_5", 64, 2)
        backbone = build_backbone(name, "none", side).to(device)
        backbone = backbone.to(memory_format=torch.channels_last)
        images = torch.randint(256, (pictures, 3, side, side), dtype=torch.uint8, device=device)
        half = precision != "fp32"

        def step() -> Any:
            with torch.inference_mode(), torch.autocast(device, PRECISIONS[precision], half):
                return encode_images(backbone, images)

        def flops() -> int:
            with FlopCounterMode(display=False) as counter:
                step()
            return int(counter.get_total_flops())

        return step, pictures, flops

    return prepare


def measure(
    step: Callable[[], Any],
    pairs: int,
    flops: Callable[[], int],
    repeats: int,
    device: str,
    peak_rate: float,
) -> dict[str, Any]:
    for _ in range(2):
        seconds(step, device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    spent = [seconds(step, device) for _ in range(repeats)]
    memory = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else None
    median = statistics.median(spent)
    rate = flops() / median
    return {
        "seconds": spent,
        "seconds_a_batch": median,
        "batches_per_second": 1 / median,
        "pairs_per_second": pairs / median,
        "flops_per_second": rate,
        "of_peak": rate / peak_rate,
        "peak_gib": memory,
        "launches": launches(step) if device == "cuda" else None,
    }


def seconds(step: Callable[[], Any], device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def launches(step: Callable[[], Any]) -> int:
    """Kernels that one batch launches."""
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profiler:
        step()
        torch.cuda.synchronize()
    return sum(e.count for e in profiler.key_averages() if "LaunchKernel" in e.key)


def peak(dtype: torch.dtype, device: str) -> float:
    """Operations a second of a large matrix product."""
    rows = 8192 if device == "cuda" else 128
    matrix = torch.randn(rows, rows, device=device).to(dtype)
    seconds(lambda: matrix @ matrix, device)
    return (
        2 * rows**3 / statistics.median(seconds(lambda: matrix @ matrix, device) for _ in range(10))
    )


def show(name: str, result: dict[str, Any]) -> None:
    if "skipped" in result:
        print(f"{name:<20} skipped: {result['skipped']}", flush=True)
        return
    memory, count = result["peak_gib"], result["launches"]
    cells = (
        f"{result['seconds_a_batch']:.4f}",
        f"{result['batches_per_second']:.2f}",
        f"{result['pairs_per_second']:.0f}",
        f"{result['flops_per_second'] / 1e12:.3g}",
        f"{result['of_peak']:.0%}",
        "-" if memory is None else f"{memory:.2f}",
        "-" if count is None else str(count),
    )
    print(f"{name:<20}", *(f"{cell:>10}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
