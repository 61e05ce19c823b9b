"""Runs fairseq-train and shows a line an epoch; all that it prints goes to ``SAVE_DIR/train.log``.

``scripts/train.sh`` ends with this:

    python -m vqapg.study.watched_training MODEL PRESET DATA fairseq-train DATA FLAGS

The exit status is that of the command. Signals reach it, and it ends when this process does.
"""

import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from vqapg.errors import printable
from vqapg.study.program_log import last_said
from vqapg.study.progress import SILENT_FOR
from vqapg.study.training_log import TrainingLog, collapse
from vqapg.study.watched_command import WatchedCommand, flag, not_started, say, show_failure


def main(argv: Sequence[str]) -> int:
    """Does what the module says.

    Args:
        argv: the model's name, the preset's, the data directory, and the command

    Returns:
        the exit status
    """
    model, preset, data, *command = argv
    folder = Path(flag(command, "--save-dir") or "checkpoints")
    rank = os.environ.get("NODE_RANK", "0")
    path = folder / ("train.log" if rank == "0" else f"train-{rank}.log")
    try:
        if {"--help", "-h"} & set(command):
            os.execvp(command[0], command)
        training = WatchedCommand(command, path)
    except OSError as error:
        return not_started(error, command, "--save-dir")
    say(f"Training {model}. The log is {printable(path)}")
    log = TrainingLog(path, training.begins)
    last = flag(command, "--max-epoch") or ""
    follow(training, log, int(last) if last.isdecimal() else None)
    status = training.status
    if status == 0:
        if not log.epochs:
            say(
                "Trained; the log has no line of an epoch (--log-format)"
                if log.started
                else "Nothing was left to train"
            )
        if warning := collapse(log.epochs, flag(command, "--free-bits-mode") == "train-prior"):
            print(warning, file=sys.stderr, flush=True)
        checkpoint = saved_checkpoint(folder)
        if checkpoint is None:
            return status
        part = flag(command, "--sub-model") in ("x", "y")
        say(f"The model is {printable(checkpoint)}. Next:")
        for line in next_commands(model, preset, data, checkpoint, part):
            say(f"    {printable(line)}")
    elif training.signals:
        print("Stopped. The same command goes on from the last checkpoint", file=sys.stderr)
    else:
        said = last_said(path, training.begins, "fairseq-train")
        show_failure("training", status, said, path)
    return status


def follow(training: WatchedCommand, log: TrainingLog, last: int | None) -> None:
    """Prints each epoch as it ends, until the training has ended.

    Args:
        training: at work
        log: what it prints
        last: the number of the last epoch; None where it is not known
    """
    began, said = None, time.monotonic()
    for _ in training.looks():
        epochs, now = log.read(), time.monotonic()
        if log.started and began is None:
            began = now
        for epoch in epochs:
            left = None
            if last is not None and began is not None:
                each = (now - began) / len(log.epochs)
                left = each * (last - epoch.number)
            say(epoch.line(last, left))
        if epochs:
            said = now
        elif log.update and now - said > SILENT_FOR:
            say(f"    {log.update}")
            log.update, said = "", now


def saved_checkpoint(folder: Path) -> Path | None:
    """The best weights in *folder*, or else the last; None where there are none."""
    names = ("checkpoint_best.pt", "checkpoint_last.pt")
    return next((folder / name for name in names if (folder / name).exists()), None)


def next_commands(
    model: str, preset: str, data: str, checkpoint: Path, part: bool = False
) -> list[str]:
    """What is done with a model: the first commands, to paste.

    Args:
        model: its name, as ``scripts/train.sh`` takes it
        preset: of its training
        data: the data directory
        checkpoint: the model
        part: whether it is one of the two sub-models of a pipeline
    """
    folder = checkpoint.parent
    if model == "consistency":
        output = ["--output", str(folder / "evaluator.json")]
        words = ["vqapg", "check-evaluator", data, "--evaluator", str(checkpoint), *output]
        return [shlex.join(words)]
    if model == "vqa":
        words = ["vqapg", "round-trip", data, "--answerer", str(checkpoint)]
        return [f"{shlex.join(words)} --pairs OUT/generate-test.txt --output round-trip.json"]
    if part:
        return [f"vqapg checkpoint X_DIR Y_DIR --weights best --output {folder.parent}/pipeline.pt"]
    words = ["bash", "scripts/generate.sh", str(checkpoint), data, str(folder / "out")]
    generate = shlex.join([*words, "--preset", preset])
    if model == "vqg":
        return [generate]
    sample = shlex.join(["vqapg", "sample", "--checkpoint", str(checkpoint)])
    return [generate, f"{sample} PHOTOS --output pairs.jsonl"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
