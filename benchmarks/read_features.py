"""What reading features costs a training step, on a warm page cache.

    python benchmarks/read_features.py --output read_features.json
    python benchmarks/read_features.py --sizes paper --steps 4 --rounds 2

Trains the joint variational model by fairseq's own trainer on generated pairs and features. Each
way of loading (no worker, 2 forked, 2 spawned) takes turns with batches that lie finished in
memory. So the difference is all that loading costs: reading the features, tokens to numbers,
padding and the workers' hand-over. The start of a loader is left out. The figures are medians of
the steps. The CPU time of reading the features alone follows.

The target is under 5%. On a machine that has other work only the CPU time tells. It includes that
of the workers (Linux).

Sizes: "quickstart", easy-VQA's features (9 regions, 1,280 channels) and a model 128 wide; "paper",
ResNet-50's (100 regions, 2,048 channels) and a model 512 wide. 64 pairs a step.
"""

import argparse
import itertools
import json
import logging
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from fairseq import options, tasks
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.trainer import Trainer

import vqapg.tasks.vqapg  # noqa: F401  registers task, models and criterions, as --user-dir does
from vqapg.data.directory import DataDirectory
from vqapg.data.directory_writer import write_directory
from vqapg.data.feature_writer import FeatureWriter
from vqapg.datasets import Record, SourceData
from vqapg.files import atomic_write

SIZES = {
    "quickstart": ((3, 3), 1280, 128, 3000),
    "paper": ((10, 10), 2048, 512, 600),
}  # grid, C, D, images
PAIRS_AN_IMAGE = 8
BATCH_SIZE = 64
WARM_UP = 6  # steps; more than the batches that two workers have ready
WAYS = {"0 workers": (0, "fork"), "2 workers, fork": (2, "fork"), "2 workers, spawn": (2, "spawn")}


def write_data(folder, grid, channels, images):
    generator = np.random.default_rng(1)
    words = np.array([f"word{number}" for number in range(2000)])
    records = [
        Record(
            str(image),
            " ".join([*generator.choice(words, 6), "?"]),
            str(generator.choice(words)),
            {0: "valid", 1: "test"}.get(image, "train"),
        )
        for image in range(images)
        for _ in range(PAIRS_AN_IMAGE)
    ]
    write_directory(
        folder / "data", SourceData(folder, folder, records, []), dataset="jsonl", options={}
    )
    data = DataDirectory(folder / "data")
    source = {
        "backbone": "resnet50",
        "weights": "none",
        "weights_sha256": "0" * 64,
        "image_size": 32 * grid[0],
    }
    writer = FeatureWriter.create(
        data.features_path, data.image_ids(), grid, channels, source, data.images_digest()
    )
    for row in range(images):
        writer.write(
            row,
            generator.standard_normal((1, grid[0] * grid[1], channels), np.float32).astype(
                np.float16
            ),
        )
    writer.finish((np.zeros(channels, np.float32), np.ones(channels, np.float32)))
    return folder / "data"


def make_trainer(data, width):
    flags = [
        str(data),
        "--task",
        "vqapg",
        "--arch",
        "vqapg_joint_variational",
        "--criterion",
        "vqapg_elbo",
        "--optimizer",
        "adam",
        "--lr",
        "1e-3",
        "--batch-size",
        str(BATCH_SIZE),
        "--clip-norm",
        "5",
        "--hidden-size",
        str(width),
        "--latent-dim",
        str(width),
        "--embed-dim",
        str(min(width, 300)),
        *([] if torch.cuda.is_available() else ["--cpu"]),
    ]
    cfg = convert_namespace_to_omegaconf(
        options.parse_args_and_arch(options.get_training_parser(), flags)
    )
    task = tasks.setup_task(cfg.task)
    trainer = Trainer(cfg, task, task.build_model(cfg.model), task.build_criterion(cfg.criterion))
    task.load_dataset("train")
    trainer.get_train_iterator(1)
    trainer.begin_epoch(1)
    return trainer


def batches_by(trainer, workers, method):
    """Batches without end, epoch after epoch where one is not enough."""
    multiprocessing.set_start_method(method, force=True)
    for epoch in itertools.count(1):
        loader = trainer.task.get_batch_iterator(
            trainer.task.dataset("train"),
            max_sentences=BATCH_SIZE,
            seed=1,
            num_workers=workers,
            epoch=epoch,
        )
        yield from loader.next_epoch_itr(shuffle=True)


def cpu_seconds():
    """Of this process and its living workers."""
    ticks = 0
    for worker in multiprocessing.active_children():
        fields = Path(f"/proc/{worker.pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])  # utime, stime
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def step_seconds(trainer, batches, steps):
    """Wall seconds of each step, and the mean CPU seconds of a step.

    Workers report CPU time in clock ticks, too coarse for one step.
    """
    seconds, used = [], cpu_seconds()
    for _ in range(steps):
        started = time.perf_counter()
        trainer.train_step([next(batches)])
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return np.array(seconds), np.array([(cpu_seconds() - used) / steps])


def measure(size, steps, rounds):
    grid, channels, width, images = SIZES[size]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        data = write_data(Path(folder), grid, channels, images)
        trainer = make_trainer(data, width)
        trainer.task.features.read(range(images))  # into the page cache
        for way, (workers, method) in WAYS.items():
            loaded = batches_by(trainer, workers, method)
            in_memory = itertools.cycle(
                list(itertools.islice(batches_by(trainer, 0, "fork"), steps))
            )
            step_seconds(trainer, loaded, WARM_UP)
            turns = [
                (step_seconds(trainer, in_memory, steps), step_seconds(trainer, loaded, steps))
                for _ in range(rounds)
            ]
            loaded.close()
            clock, cpu = (
                [
                    float(np.median(np.concatenate([turn[side][kind] for turn in turns])))
                    for side in (0, 1)
                ]
                for kind in (0, 1)
            )
            results.append(
                {
                    "sizes": size,
                    "way": way,
                    "steps": steps * rounds,
                    "seconds_in_memory": clock[0],
                    "seconds_loaded": clock[1],
                    "adds": clock[1] / clock[0] - 1,
                    "cpu_in_memory": cpu[0],
                    "cpu_loaded": cpu[1],
                    "adds_cpu": cpu[1] / cpu[0] - 1,
                }
            )
        dataset, generator, read = trainer.task.dataset("train"), np.random.default_rng(1), []
        for _ in range(20):
            rows = np.unique(dataset.image_rows[generator.integers(0, len(dataset), BATCH_SIZE)])
            used = time.process_time()
            trainer.task.features.read(rows)
            read.append(time.process_time() - used)
        cpu = results[0]["cpu_in_memory"]
        results.append(
            {
                "sizes": size,
                "way": "reading alone",
                "cpu_in_memory": cpu,
                "adds_cpu": float(np.median(read)) / cpu,
            }
        )
    return results


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--steps", type=int, default=12, help="of a turn (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="turns of each way (default: %(default)s)"
    )
    parser.add_argument("--output", metavar="FILE", help="JSON file to write")
    args = parser.parse_args()
    logging.getLogger().setLevel(logging.WARNING)  # fairseq has set it to tell of everything
    results = []
    for size in args.sizes:
        for row in measure(size, args.steps, args.rounds):
            if not results:
                print(
                    f"{'sizes':<12} {'loading':<18} {'in memory, s':>13} {'loaded, s':>10} "
                    f"{'adds':>7} {'adds, CPU time':>15}"
                )
            results.append(row)
            clock = f"{'':>32}"
            if "adds" in row:
                seconds = f"{row['seconds_in_memory']:>13.3f} {row['seconds_loaded']:>10.3f}"
                clock = f"{seconds} {row['adds']:>7.1%}"
            print(
                f"{row['sizes']:<12} {row['way']:<18} {clock} {row['adds_cpu']:>15.1%}", flush=True
            )
    if args.output:
        with atomic_write(args.output) as file:
            json.dump({"threads": torch.get_num_threads(), "results": results}, file, indent=2)


if __name__ == "__main__":
    main()
