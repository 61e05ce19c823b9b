"""What the log of fairseq-train says of each epoch, in a line for people.

epoch 3 of 8: loss 12.34; on dev ELBO -11.20, KL 4.91, 7.3 distinct draws; about 4 min left
"""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from vqapg.study.program_log import read_from
from vqapg.study.progress import duration

# fairseq's line of an epoch that has ended: on the dev split, then on the train split.
ENDED = re.compile(r"\| INFO \| (?P<tag>\S+) \| epoch (?P<epoch>\d+) \| (?P<figures>.*)")
ENDED_JSON = re.compile(r'\| INFO \| (?P<tag>\S+) \| (?P<figures>\{"epoch": .*\})\s*$')
UPDATE = re.compile(r"\| INFO \| train_inner \| epoch (\d+):\s+(\d+) / (\d+) ")
BEGINS = re.compile(r"\| begin training epoch \d+")
# z is not used where each of the last epochs has less KL divergence than that, in nats, or gives
# one pair for all draws of an image.
LEAST_KL = 0.1
ONE_DRAW = 1.005
LAST_EPOCHS = 2


class Epoch(NamedTuple):
    """An epoch that has ended.

    Attributes:
        number: from 1
        train: its figures by name
        dev: those on the dev split; empty where nothing was validated
    """

    number: int
    train: Mapping[str, float]
    dev: Mapping[str, float]

    @property
    def kl(self) -> float | None:
        """The KL divergence in nats, of all latent variables; None for a model without any."""
        return sum(self.kl_of_each.values()) if self.kl_of_each else None

    @property
    def one_pair(self) -> bool:
        """Whether all draws of an image give one pair."""
        return self.dev.get("distinct_draws", math.inf) < ONE_DRAW

    @property
    def kl_of_each(self) -> dict[str, float]:
        """The KL divergence in nats of each latent variable, by its figure's name."""
        figures = self.dev or self.train
        return {
            name: value
            for name, value in figures.items()
            if re.fullmatch(r"kl(_(?!clamped).*)?", name)
        }

    def line(self, last: int | None, seconds_left: float | None) -> str:
        """What is printed of it.

        Args:
            last: the number of the last epoch; None where it is not known
            seconds_left: alike
        """
        figures, place = (self.dev, "on dev ") if self.dev else (self.train, "")
        shown = []
        if "accuracy" in figures:
            shown.append(f"accuracy {figures['accuracy']:.1f}%")
        if "elbo" in figures:
            shown.append(f"ELBO {figures['elbo']:.2f}")
        if self.kl is not None:
            shown.append(f"KL {self.kl:.2f}")
        if "distinct_draws" in self.dev:
            shown.append(f"{self.dev['distinct_draws']:.1f} distinct draws")
        parts = [f"loss {self.train['loss']:.4g}"] if "loss" in self.train else []
        parts += [place + ", ".join(shown)] if shown else []
        parts += [f"about {duration(seconds_left)} left"] if seconds_left else []
        of = f" of {last}" if last else ""
        return f"epoch {self.number}{of}: {'; '.join(parts)}"


class TrainingLog:
    """Reads the log of a training as it grows.

    Args:
        path: of the log
        offset: where what this training writes begins
    """

    def __init__(self, path: Path, offset: int) -> None:
        self.path = path
        self.offset = offset
        self.epochs: list[Epoch] = []
        self.started = False
        self.update = ""
        self._dev: dict[int, Mapping[str, float]] = {}

    def read(self) -> list[Epoch]:
        """The epochs that have ended since the last call."""
        lines = read_from(self.path, self.offset).splitlines(keepends=True)
        known = len(self.epochs)
        for line in lines:
            # The rest of a line that is being written comes with the next call.
            if not line.endswith(b"\n"):
                break
            self.offset += len(line)
            self._take(line.decode(errors="replace"))
        return self.epochs[known:]

    def _take(self, line: str) -> None:
        if update := UPDATE.search(line):
            epoch, done, updates = map(int, update.groups())
            self.update = f"epoch {epoch}: update {done} of {updates}"
        self.started = self.started or BEGINS.search(line) is not None
        found = ENDED.search(line) or ENDED_JSON.search(line)
        if found is None or found["tag"] == "train_inner":
            return
        tag = found["tag"]
        figures = _figures(found["figures"], tag)
        if not figures:
            return
        epoch = int(found.groupdict().get("epoch") or figures.get("epoch", 0))
        if tag == "train":
            self.epochs.append(Epoch(epoch, figures, self._dev.pop(epoch, {})))
        else:
            self._dev.setdefault(epoch, figures)


def _figures(text: str, tag: str) -> dict[str, float]:
    """The numbers of a line by name, as fairseq's log formats ``simple`` and ``json`` have them.

    None of a line that two processes have written at once.
    """
    if text.startswith("{"):
        try:
            content = json.loads(text)
        except ValueError:
            return {}
        named = {name.removeprefix(f"{tag}_"): str(value) for name, value in content.items()}
    else:
        named = dict(part.split(" ", 1) for part in text.split(" | ") if " " in part)
    found = {}
    for name, value in named.items():
        try:
            found[name] = float(value)
        except ValueError:
            continue
    return found


def collapse(epochs: list[Epoch], trains_prior: bool) -> str | None:
    """A warning where z went unused in the last epochs; None where it did not, or they are too few.

    Args:
        epochs: that have ended
        trains_prior: whether free bits leave the prior to be trained (``--free-bits-mode``)
    """
    last = epochs[-LAST_EPOCHS:]
    if len(last) < LAST_EPOCHS:
        return None
    if all(epoch.one_pair for epoch in last):
        figures = [f"KL {last[-1].kl:.2f} nats"] if last[-1].kl is not None else []
        figures.append(f"{last[-1].dev['distinct_draws']:.1f} distinct draws")
        what = f"every draw of an image gives the same pair ({', '.join(figures)})"
    else:
        silent = [
            name
            for name in last[-1].kl_of_each
            if all(epoch.kl_of_each.get(name, math.inf) < LEAST_KL for epoch in last)
        ]
        if not silent:
            return None
        what = " and ".join(
            f"the latent variable{_of_text(name)} says nothing "
            f"(KL {last[-1].kl_of_each[name]:.2f} nats)"
            for name in silent
        )
    other = "" if trains_prior else ", or from the start with --free-bits-mode train-prior"
    return f"warning: {what}. Train longer (--max-epoch){other}"


def _of_text(figure: str) -> str:
    """Of which text the latent variable of ``kl_question`` is; a joint ``kl`` is of both."""
    text = figure.removeprefix("kl").removeprefix("_")
    return f" of the {text}" if text else ""
