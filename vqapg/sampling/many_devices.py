"""One run on several GPUs of a machine: a process each, and one journal.

Each process loads the model once. It is given some images at a time, and sends back what it found.
This process alone writes the journal, so a run that was stopped can go on with any number of GPUs.
"""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tqdm import tqdm

from vqapg.data.directory import DataDirectory
from vqapg.data.input_image import InputImage
from vqapg.denormals import flush_denormals
from vqapg.errors import InputError, RunError, shortage
from vqapg.sampling.entries import Entries
from vqapg.sampling.journal import Journal
from vqapg.sampling.options import SamplingOptions
from vqapg.sampling.picture_sampler import load
from vqapg.sampling.run import sample_images
from vqapg.sampling.sampler import PairSampler
from vqapg.sampling.stored_features import StoredSampler

# Enough for a few batches, and few enough that the processes end together.
IMAGES_AT_ONCE = 256
PATIENCE = 1.0  # seconds between two looks at whether all processes are alive


class Recipe(NamedTuple):
    """What each process loads.

    Attributes:
        checkpoint, judge, weights: as :func:`~vqapg.sampling.picture_sampler.load` takes them
        data: whose stored features are read; None: pictures are
    """

    checkpoint: str
    judge: Any
    weights: str
    data: DataDirectory | None = None

    def load(self, device: str) -> PairSampler:
        """The sampler on *device*.

        Raises:
            InputError: as ``load``, or :class:`~vqapg.sampling.stored_features.StoredSampler`
        """
        if self.data is not None:
            return StoredSampler(self.checkpoint, self.data, self.judge, device)
        return load(self.checkpoint, judge=self.judge, weights=self.weights, device=device)


class Sent(NamedTuple):
    """What a process sends.

    Attributes:
        kind: entry, skipped, input error, run error, or end
        content: the entry or text
    """

    kind: str
    content: Any = None


def gpus(device: str) -> list[str]:
    """The devices that *device* asks for: all GPUs for ``auto`` and ``cuda``, if there are several.

    Other devices are one.
    """
    import torch

    count = torch.cuda.device_count() if device in ("auto", "cuda") else 0
    return [f"cuda:{number}" for number in range(count)] if count > 1 else [device]


def sample_on_devices(
    recipe: Recipe,
    devices: Sequence[str],
    options: SamplingOptions,
    journal: Journal,
    **how: Any,
) -> list[str]:
    """As :func:`~vqapg.sampling.run.sample_images`, on all *devices* at once.

    Args:
        recipe: of the sampler
        devices: a process each
        options: checked
        journal: is added to, in whatever order images are done
        how: arguments of ``sample_images``

    Returns:
        what was wrong with each image left out, in the order of the images

    Raises:
        InputError: when an image cannot be read
        RunError: when a process dies, or runs short of something
    """
    left = journal.left()
    start = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
    tasks, results = start.Queue(), start.Queue()
    size = max(1, min(IMAGES_AT_ONCE, -(-len(left) // len(devices))))
    for first in range(0, len(left), size):
        tasks.put((first, left[first : first + size]))
    workers = []
    for device in devices:
        tasks.put(None)  # the end, once for each
        workers.append(
            start.Process(target=_work, args=(recipe, device, options, how, tasks, results))
        )
    skipped: dict[int, list[str]] = {}
    total = len(journal.images)
    bar = tqdm(total=total, initial=total - len(left), desc="sampling", unit="image", leave=False)
    try:
        for worker in workers:
            worker.start()
        with bar:
            for sent in _until_all_end(workers, results):
                if sent.kind == "input error":
                    raise InputError(sent.content)
                if sent.kind == "run error":
                    raise RunError(sent.content)
                if sent.kind == "entry":
                    journal.add(sent.content)
                    bar.update()
                else:
                    first, errors = sent.content
                    skipped[first] = errors
                    bar.update(len(errors))
    finally:
        for worker in workers:
            if worker.pid is not None:
                worker.terminate()
                worker.join()
        for one in (tasks, results):
            one.cancel_join_thread()
            one.close()
    return [error for first in sorted(skipped) for error in skipped[first]]


def _until_all_end(workers: Sequence[Any], results: Any) -> Iterator[Sent]:
    """Yields what the processes send, until each has sent that it is at its end."""
    running = len(workers)
    while running:
        try:
            sent = results.get(timeout=PATIENCE)
        except queue.Empty:
            for worker in workers:
                if worker.exitcode not in (None, 0):
                    # A signal is negative; after another status its traceback stands above.
                    raise RunError(
                        f"the process of a GPU ended with status {worker.exitcode}; where that is "
                        "negative it was killed, most likely as memory ran out"
                    ) from None
            continue
        if sent.kind == "end":
            running -= 1
        else:
            yield sent


class _Sending(Entries):
    """Entries that are sent on as they come."""

    def __init__(self, images: Sequence[InputImage], results: Any) -> None:
        super().__init__(images)
        self.results = results

    def add(self, entry: dict[str, Any]) -> None:
        self.results.put(Sent("entry", entry))


def _work(
    recipe: Recipe,
    device: str,
    options: SamplingOptions,
    how: dict[str, Any],
    tasks: Any,
    results: Any,
) -> None:
    # A terminal sends Ctrl-C to all; the first process ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        flush_denormals()
        sampler = recipe.load(device)
        while (task := tasks.get()) is not None:
            first, images = task
            errors = sample_images(sampler, options, _Sending(images, results), quiet=True, **how)
            if errors:
                results.put(Sent("skipped", (first, errors)))
    except InputError as error:
        results.put(Sent("input error", str(error)))
    except Exception as error:
        short = str(error) if isinstance(error, RunError) else shortage(error)
        if short is None:
            raise
        results.put(Sent("run error", short))
    results.put(Sent("end"))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
