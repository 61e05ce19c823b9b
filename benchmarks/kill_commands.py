"""Kills every command at random moments, runs it again, and compares what it ends with.

    python benchmarks/kill_commands.py --times 30
    python benchmarks/kill_commands.py --times 5 --commands train generate

Writes a small data set of coloured squares. Each time from the same folder: the command in a
process group of its own, SIGKILL to the group at a moment drawn between 0 and the length of an
undisturbed run; then the same command again, to the end. Every file must equal the undisturbed
run's byte by byte, a checkpoint in its weights, its place in training and its best figure; nothing
temporary may be left. The commands run in forks of this process, which has imported all they need,
so that the moments fall into their work, not into imports. Exit status 1 where one ends otherwise.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch
from fairseq_cli import generate as fairseq_generate
from fairseq_cli import train as fairseq_train
from PIL import Image

import vqapg
import vqapg.cli.main
import vqapg.data.feature_extraction
import vqapg.judges.evaluator
import vqapg.tasks.vqapg
import vqapg.tasks.vqapg_consistency
from vqapg.backbones import torchvision_networks  # noqa: F401
from vqapg.tasks.fairseq_patches import patch_fairseq

# As --user-dir does, which passes over a package that is imported.
patch_fairseq()

COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (30, 180, 30)}
IMAGES = {"train": 30, "valid": 10, "test": 10}
SMALL = [
    "--hidden-size",
    "32",
    "--embed-dim",
    "32",
    "--optimizer",
    "adam",
    "--lr",
    "1e-2",
    "--batch-size",
    "16",
    "--cpu",
]


def write_source(folder):
    lines = []
    for split, count in IMAGES.items():
        for number in range(count):
            name, colour = f"{split}{number}.png", list(COLOURS)[number % 3]
            # No two files are equal: a copy in another split would be refused.
            size = (200 + number, 200 + list(IMAGES).index(split))
            Image.new("RGB", size, COLOURS[colour]).save(folder / name)
            for question, answer in (
                ("What color is it?", colour),
                (f"Is it {colour}?", "yes"),
                ("Is it black?", "no"),
            ):
                lines.append(
                    {"image": name, "question": question, "answer": answer, "split": split}
                )
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, lines)))


def vqapg_command(*arguments):
    return lambda folder: vqapg.cli.main.main([str(argument) for argument in arguments])


def fairseq_command(module, *arguments):
    def run(folder):
        # As scripts/train.sh does: from the newest epoch's file
        newest = sorted(
            folder.glob("train/checkpoint[0-9]*.pt"), key=lambda path: path.stat().st_mtime
        )
        restore = ["--restore-file", newest[-1]] if newest and module is fairseq_train else []
        user = ["--user-dir", Path(vqapg.__file__).parent]
        sys.argv = [f"fairseq-{module.__name__}", *map(str, [*arguments, *user, *restore])]
        module.cli_main()

    return run


def commands(folder):
    """{name: what runs it}, in the order in which one needs another's outcome."""
    data, train, out = folder / "data", folder / "train", folder / "out"
    extract = ["extract-features", data, "--backbone", "efficientnet_lite0", "--image-size", 96]
    extract += ["--num-workers", 1, "--batch-size", 4]
    evaluator = [
        "--task",
        "vqapg_consistency",
        "--arch",
        "vqapg_consistency",
        "--criterion",
        "vqapg_consistency",
    ]
    generator = [
        "--task",
        "vqapg",
        "--arch",
        "vqapg_joint_variational",
        "--criterion",
        "vqapg_elbo",
        "--latent-dim",
        32,
    ]
    best = ["--best-checkpoint-metric", "elbo", "--maximize-best-checkpoint-metric"]
    pairs, checkpoint = out / "generate-test.txt", folder / "evaluator/checkpoint_last.pt"
    return {
        "prepare": vqapg_command(
            "prepare", "--dataset", "jsonl", "--source", folder / "pairs.jsonl", "--dest", data
        ),
        "extract-features": vqapg_command(*extract),
        "shard 1/2": vqapg_command(*extract, "--overwrite", "--shard", "1/2"),
        "extract-features --shard 2/2": vqapg_command(*extract, "--overwrite", "--shard", "2/2"),
        "train-evaluator": fairseq_command(
            fairseq_train,
            data,
            *evaluator,
            *SMALL,
            "--max-epoch",
            1,
            "--no-epoch-checkpoints",
            "--save-dir",
            folder / "evaluator",
        ),
        "fairseq-train": fairseq_command(
            fairseq_train,
            data,
            *generator,
            *SMALL,
            *best,
            "--max-epoch",
            4,
            "--no-last-checkpoints",
            "--keep-last-epochs",
            1,
            "--save-dir",
            train,
        ),
        "fairseq-generate": fairseq_command(
            fairseq_generate,
            data,
            "--task",
            "vqapg",
            "--path",
            train / "checkpoint_best.pt",
            "--gen-subset",
            "test",
            "--beam",
            10,
            "--max-len-b",
            12,
            "--batch-size",
            8,
            "--cpu",
            "--results-path",
            out,
        ),
        "evaluate": vqapg_command(
            "evaluate",
            data,
            "--pairs",
            pairs,
            "--evaluator",
            checkpoint,
            "--output",
            folder / "metrics.json",
            "--overwrite",
        ),
        "export": vqapg_command(
            "export",
            pairs,
            "--data",
            data,
            "--format",
            "jsonl",
            "--evaluator",
            checkpoint,
            "--output",
            folder / "pairs-out.jsonl",
            "--overwrite",
        ),
    }


def start(run, folder):
    """Runs it in a fork, the leader of a process group; its process id."""
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        os.setsid()
        log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        status = run(folder) or 0
    finally:
        os._exit(status)


def finish(run, folder):
    """Runs it to the end; its seconds."""
    started = time.perf_counter()
    _, status = os.waitpid(start(run, folder), 0)
    if status:
        raise RuntimeError(
            f"ended with {os.waitstatus_to_exitcode(status)}: "
            f"{folder.with_suffix('.log').read_text()[-2000:]}"
        )
    return time.perf_counter() - started


def outcome(folder):
    """{file: what it holds}"""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix == ".pt":
            state = torch.load(path)
            weights = [
                value.numpy().tobytes()
                for value in state["model"].values()
                if torch.is_tensor(value)
            ]
            extra = state["extra_state"]
            place = (extra["train_iterator"]["epoch"], extra["best"], extra["val_loss"])
            content = (hashlib.sha256(b"".join(weights)).hexdigest(), *place)
        else:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(folder))] = content
    return found


def try_command(run, folder, times, generator):
    """Kills the command *times* times; leaves *folder* as an undisturbed run does.

    Each time the command starts from the folder as it is.
    """
    before = folder.with_name("before")
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(folder, before)

    def reset():
        shutil.rmtree(folder)
        shutil.copytree(before, folder)

    seconds = finish(run, folder)
    expected, killed, wrong = outcome(folder), 0, []
    for _ in range(times):
        reset()
        process = start(run, folder)
        time.sleep(generator.uniform(0, seconds))
        killed += os.waitpid(process, os.WNOHANG) == (0, 0)
        try:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        finish(run, folder)
        found = outcome(folder)
        if found != expected:
            wrong.append(
                sorted(
                    name for name in {*found, *expected} if found.get(name) != expected.get(name)
                )
            )
    return seconds, killed, wrong


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--times", type=int, default=30, help="of each command (default: %(default)s)"
    )
    parser.add_argument("--commands", nargs="+", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    generator, failed = random.Random(args.seed), False
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "folder")
        folder.mkdir()
        write_source(folder)
        for name, run in commands(folder).items():
            asked = args.commands is None or name in args.commands
            if not asked or name in ("shard 1/2", "train-evaluator"):  # which only others need
                finish(run, folder)
                continue
            seconds, killed, wrong = try_command(run, folder, args.times, generator)
            failed |= bool(wrong)
            print(
                f"{name:<29} {seconds:5.1f} s undisturbed; killed at work {killed:>2} of "
                f"{args.times} times; "
                f"{len(wrong)} ended otherwise {wrong or ''}",
                flush=True,
            )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
