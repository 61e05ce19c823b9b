"""Runs fairseq-train and shows a line an epoch; all that it prints goes to ``SAVE_DIR/train.log``.

``scripts/train.sh`` ends with this:

    python -m vqapg.study.watched_training MODEL PRESET DATA fairseq-train DATA FLAGS

The exit status is that of the command. Signals reach it, and it ends when this process does.
"""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from vqapg.errors import printable
from vqapg.study.progress import SILENT_FOR
from vqapg.study.training_log import TrainingLog, collapse

# Seconds between looks at the log.
POLL = 0.2
# A terminal sends Ctrl-C to the command too: it is sent again only if that did not end it.
GRACE = 2.0
# How much of the log is shown where a training failed.
LAST_LINES = 10
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What a shell says of a command that it cannot start.
NOT_STARTED = 127
# Of prctl(2).
PR_SET_PDEATHSIG = 1


def flag(words: Sequence[str], name: str) -> str | None:
    """The value of a flag on a command line, of which the last counts; None where it has none."""
    found = None
    for number, word in enumerate(words):
        if word == name and number + 1 < len(words):
            found = words[number + 1]
        elif word.startswith(f"{name}="):
            found = word.partition("=")[2]
    return found


def main(argv: Sequence[str]) -> int:
    """Does what the module says.

    Args:
        argv: the model's name, the preset's, the data directory, and the command

    Returns:
        the exit status
    """
    model, preset, data, *command = argv
    if {"--help", "-h"} & set(command):
        try:
            os.execvp(command[0], command)
        except OSError as error:
            return not_started(command, error)
    folder = Path(flag(command, "--save-dir") or "checkpoints")
    rank = os.environ.get("NODE_RANK", "0")
    path = folder / ("train.log" if rank == "0" else f"train-{rank}.log")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        output = open(path, "ab")  # noqa: SIM115  it is the command's
    except OSError as error:
        print(f"error: {path}: {error.strerror}; give another --save-dir", file=sys.stderr)
        return 2
    say(f"The log is {printable(path)}")
    with output:
        output.write(f"--- {time.strftime('%F %T')}\n{shlex.join(command)}\n---\n".encode())
        output.flush()
        log = TrainingLog(path, output.tell())
        try:
            training = Training(command, output.fileno())
        except OSError as error:
            return not_started(command, error)
    last = flag(command, "--max-epoch") or ""
    status = training.follow(log, int(last) if last.isdecimal() else None)
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
        print(f"The training failed (exit status {status}):", file=sys.stderr)
        for line in log.end(LAST_LINES):
            print(f"    {printable(line)}", file=sys.stderr)
        print(f"The whole log is {printable(path)}", file=sys.stderr)
    return status


def say(line: str) -> None:
    """Prints *line*. Where nobody reads any more, as after ``| head``, the training goes on."""
    try:
        print(line, flush=True)
    except OSError:
        # Python would try once more at its end: https://docs.python.org/3/library/signal.html
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def not_started(command: Sequence[str], error: OSError) -> int:
    """Says why the command could not be started; returns the exit status."""
    print(
        f"error: {printable(command[0])}: {error.strerror}; is vqapg's environment entered?",
        file=sys.stderr,
    )
    return NOT_STARTED


class Training:
    """The command at work, which gets the signals that this process gets.

    Args:
        command: its words
        output: the descriptor that it prints to
    """

    def __init__(self, command: Sequence[str], output: int) -> None:
        self.signals: list[int] = []
        self.process: subprocess.Popen[bytes] | None = None
        self._interrupted = float("inf")
        for number in SIGNALS:
            # What nohup has this process pass over, the command passes over too.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        self.process = subprocess.Popen(
            command, stdout=output, stderr=output, preexec_fn=_end_with_parent
        )
        for received in self.signals:
            self.process.send_signal(received)

    def follow(self, log: TrainingLog, last: int | None) -> int:
        """Prints each epoch as it ends.

        Args:
            log: what the command prints
            last: the number of the last epoch; None where it is not known

        Returns:
            the exit status, as a shell has it
        """
        assert self.process is not None
        began, said = None, time.monotonic()
        while True:
            ended = self._ended()
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
            if ended:
                code = self.process.returncode
                return code if code >= 0 else 128 - code
            if now - self._interrupted > GRACE:
                self._interrupted = float("inf")
                self.process.send_signal(signal.SIGINT)

    def _ended(self) -> bool:
        assert self.process is not None
        try:
            self.process.wait(POLL)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signals.append(number)
        if self.process is None:
            return
        if number == signal.SIGINT:
            self._interrupted = time.monotonic()
        else:
            self.process.send_signal(number)


def _end_with_parent() -> None:
    """In the command's process: it is told to end if this one is killed, which Linux can do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


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
