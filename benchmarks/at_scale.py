"""What a million photographs cost: the rates of `vqapg sample`, and its memory, from one long run.

    python benchmarks/at_scale.py photos/ --checkpoint joint.pt --evaluator evaluator.pt \\
        --images 50000 --price 0.05 --output at_scale.json

It samples the photographs in one process, again and again under other names until there are
--images of them, as the command does: journal, JSON lines, everything. Four stages are timed on the
way: decoding a picture, the CNN, the draws, and the judge's scores. The rest is journal and output.

An hour's price gives the price of a million images. CPU time counts beside the clock: on a machine
that has other work only the former tells (with OMP_NUM_THREADS=1: waiting threads spin).

Memory is the process's own (RSS) after each tenth of the images. It should not grow.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

from vqapg.data.input_image import InputImage
from vqapg.export.outputs import Destination
from vqapg.files import atomic_write
from vqapg.judges.judge import evaluator_spec
from vqapg.memory import keep_freed_memory
from vqapg.sampling import run as sampling_run
from vqapg.sampling import sampler as sampler_module
from vqapg.sampling.images import find_images
from vqapg.sampling.options import SamplingOptions
from vqapg.sampling.picture_reader import Pictures
from vqapg.sampling.picture_sampler import load

STAGES = ("decode", "CNN", "draws", "scoring")
HOUR = 3600
POINTS = 10  # at which memory is read


class Clocks:
    """Seconds that each stage took, by the clock and of CPU time."""

    def __init__(self):
        self.wall = dict.fromkeys(STAGES, 0.0)
        self.cpu = dict.fromkeys(STAGES, 0.0)

    def timed(self, stage, function):
        """*function*, which adds what it takes to *stage*."""

        def call(*arguments, **options):
            started, used = time.perf_counter(), time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                self.wall[stage] += time.perf_counter() - started
                self.cpu[stage] += time.process_time() - used

        return call


def watch(sampler, clocks):
    """Time the stages of *sampler*, and of the pictures that are read for it."""
    sampler.features = clocks.timed("CNN", sampler.features)
    # It yields one draw after the other.
    draw = sampler_module.draw_pairs
    sampler_module.draw_pairs = clocks.timed("draws", lambda *given: list(draw(*given)))
    sampler._consistency = clocks.timed("scoring", sampler._consistency)
    Pictures.__getitem__ = clocks.timed("decode", Pictures.__getitem__)


def copies(found, count):
    """*count* images: those that were *found*, again and again under other names."""
    return [
        InputImage(f"{number // len(found)}/{image.name}", *image[1:])
        for number, image in ((number, found[number % len(found)]) for number in range(count))
    ]


def resident_mib():
    """The process's memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


def note_memory(journal_class, count, memory):
    """Read the memory after each tenth of *count* images."""
    add, done = journal_class.add, [0]

    def adding(journal, entry):
        add(journal, entry)
        done[0] += 1
        if done[0] * POINTS // count > (done[0] - 1) * POINTS // count:
            memory.append(round(resident_mib(), 1))

    journal_class.add = adding


def measure(args):
    """Run, and return what was measured."""
    judge = evaluator_spec(args.evaluator) if args.evaluator else None
    sampler = load(args.checkpoint, judge=judge, weights=args.weights, device=args.device)
    options = SamplingOptions(num_samples=args.num_samples, beam=args.beam)
    images = copies(find_images(args.photos), args.images)
    clocks, memory = Clocks(), []
    watch(sampler, clocks)
    note_memory(sampling_run.Journal, len(images), memory)
    keep_freed_memory()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        destination = Destination(Path(folder) / "pairs.jsonl", "jsonl")
        started, used = time.perf_counter(), time.process_time()
        counts = sampling_run.run(
            sampler,
            images,
            images,
            options,
            destination,
            # Decoding in this process, so that its time counts.
            num_workers=0,
            batch_size=args.batch_size,
        )
        wall, cpu = time.perf_counter() - started, time.process_time() - used
    return SimpleNamespace(
        counts=counts,
        clocks=clocks,
        memory=memory,
        wall=wall,
        cpu=cpu,
        on_gpu=sampler.device != "cpu",
    )


def table(found, price, on_gpu):
    """The lines to print, and the same as JSON."""
    images = found.counts.images
    rows = [(stage, found.clocks.wall[stage], found.clocks.cpu[stage]) for stage in STAGES]
    rest = [found.wall - sum(row[1] for row in rows), found.cpu - sum(row[2] for row in rows)]
    rows += [("journal, output", *rest), ("all", found.wall, found.cpu)]
    lines = ["| stage | images/s | images/CPU s | share of CPU time |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {images / max(wall, 1e-9):,.1f} | {images / max(cpu, 1e-9):,.1f} | "
        f"{cpu / found.cpu:.0%} |"
        for name, wall, cpu in rows
    ]
    hourly, hourly_cpu = images / found.wall * HOUR, images / found.cpu * HOUR
    lines.append(f"images/hour: {hourly:,.0f} by the clock, {hourly_cpu:,.0f} by CPU time")
    million = price / hourly_cpu * 1e6
    lines.append(
        f"a million images: {1e6 / hourly_cpu:,.0f} CPU hours, ${million:,.2f} at ${price}"
    )
    first, last = found.memory[0], found.memory[-1]
    lines.append(f"memory, MiB: {first:,.0f} after the first tenth, {last:,.0f} after the last")
    content = {
        "images": images,
        "pairs": found.counts.pairs,
        "wall_s": found.wall,
        "cpu_s": found.cpu,
        "stages_wall_s": found.clocks.wall,
        "stages_cpu_s": found.clocks.cpu,
        "images_per_hour": hourly,
        "images_per_cpu_hour": hourly_cpu,
        "dollars_a_million": million,
        "memory_mib": found.memory,
    }
    return lines, content


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--evaluator")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--num-samples", type=int, default=10)
    parser.add_argument("--beam", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--price", type=float, default=0.05, help="dollars an hour of core or GPU")
    parser.add_argument("--folder", help="where the run writes to (default: a temporary folder)")
    parser.add_argument("--output", help="JSON file")
    args = parser.parse_args()
    found = measure(args)
    lines, content = table(found, args.price, found.on_gpu)
    print("\n".join(lines))
    if args.output:
        with atomic_write(args.output) as file:
            json.dump(content, file, indent=1)


if __name__ == "__main__":
    main()
