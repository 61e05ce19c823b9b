"""What a grouped update costs with and without what makes it fast, and how its memory grows.

    python benchmarks/training.py --widths default published     time, about 10 minutes
    python benchmarks/training.py --memory --updates 60          memory, about 10 minutes

The work is that of speed.py: 128 pairs, eight of an image, R = 100, joint variational model. Time:
each variant takes its turn in one process and on one thread; CPU seconds of an update, and the
ratio of each turn to the variant "copies" of the same turn. Memory: each way to deal with freed
memory in a process of its own; MiB that are resident after updates whose texts differ in length.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

from works import WIDTHS, Sizes, Work

from vqapg import memory

# name: (regions copied for each pair, fused Adam)
VARIANTS = {
    "copies": (True, False),
    "shared": (False, False),
    "shared, fused Adam": (False, True),
}
# The choices of --freed-memory
MEMORY = ("kept", "given-back")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--widths", nargs="*", choices=WIDTHS, default=["default"])
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--memory", action="store_true", help="measure memory, not time")
    parser.add_argument("--updates", type=int, default=60, help="of each, for memory")
    parser.add_argument("--copies", action="store_true", help="memory with a copy for each pair")
    parser.add_argument("--one", choices=MEMORY, help=argparse.SUPPRESS)
    args = parser.parse_args()
    for widths in args.widths:
        if args.one:
            print(json.dumps(resident_after(args.one, widths, args.updates, args.copies)))
        elif args.memory:
            show_memory(widths, args)
        else:
            show_time(widths, args.turns)


def show_time(widths, turns):
    import torch

    torch.set_num_threads(1)
    memory.keep_freed_memory()
    steps = {
        name: with_regions(copied, update(widths, fused))
        for name, (copied, fused) in VARIANTS.items()
    }
    spent = {name: [] for name in steps}
    for _ in range(turns + 1):
        for name, step in steps.items():
            start = time.process_time()
            step()
            spent[name].append(time.process_time() - start)
    for name, all_seconds in spent.items():
        seconds = all_seconds[1:]  # the first begins with an empty heap
        ratios = [b / a for a, b in zip(seconds, spent["copies"][1:])]
        print(
            f"{widths:<10} {name:<20} {statistics.median(seconds):.3f} s "
            f"({min(seconds):.3f} to {max(seconds):.3f}), {statistics.median(ratios):.2f}x "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )


def update(widths, fused_adam=False, question_steps=(11,)):
    optimizer = "vqapg_fused_adam" if fused_adam else "adam"
    sizes = Sizes(128, 8, widths, optimizer=optimizer, question_steps=question_steps)
    return Work("train", sizes)


def with_regions(copied, step):
    import vqapg.models.joint as joint

    share = joint.share_regions

    def stepped():
        joint.share_regions = (lambda image, index: image[index]) if copied else share
        try:
            step()
        finally:
            joint.share_regions = share

    return stepped


def show_memory(widths, args):
    for how in MEMORY:
        command = [sys.executable, __file__, "--one", how, "--widths", widths]
        command += ["--updates", str(args.updates), *(["--copies"] if args.copies else [])]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found = json.loads(output.splitlines()[-1])
        print(
            f"{widths:<10} {how:<10} {found['seconds']:.2f} s an update; MiB after updates: "
            + ", ".join(f"{n}: {mib:.0f}" for n, mib in found["resident"].items())
            + f"; peak {found['peak']:.0f}",
            flush=True,
        )


def resident_after(how, widths, updates, copied):
    """MiB resident after 1, 2, 5, 10, 20 and so on updates, the peak, and CPU seconds an update."""
    import resource

    import torch

    torch.set_num_threads(1)
    if how == "kept":
        memory.keep_freed_memory()
    # Texts of other lengths: pieces of other sizes
    step = with_regions(copied, update(widths, question_steps=(11, 8, 10, 7, 9)))
    resident, begun = {}, time.process_time()
    for number in range(1, updates + 1):
        step()
        if number in (1, 2, 5, 10, 20, 50, 100, 200, 500, updates):
            with open("/proc/self/statm", encoding="ascii") as file:
                resident[number] = int(file.read().split()[1]) * 4096 / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = (time.process_time() - begun) / updates
    return {"resident": resident, "peak": peak, "seconds": seconds}


if __name__ == "__main__":
    main()
