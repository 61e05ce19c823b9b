"""A machine that runs short of memory, disk or workers: one line and exit status 1, no hang."""

import errno
import os
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fairseq.data import FairseqDataset
from fairseq.data.iterators import EpochBatchIterator
from torch.utils.data import DataLoader

from vqapg.cli import main
from vqapg.data import feature_encoding
from vqapg.data.consistency_dataset import ConsistencyDataset
from vqapg.data.directory import Pair
from vqapg.data.pair_dataset import PairDataset
from vqapg.errors import InputError, RunError, shortage
from vqapg.sampling.image_stream import collate_pictures
from vqapg.tasks.one_line_errors import tell


class Killed(FairseqDataset):
    """Items whose loader's worker is killed, as the kernel does when memory runs out."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        os.kill(os.getpid(), signal.SIGKILL)

    def collater(self, samples):
        return samples


def raised(function, *arguments):
    try:
        function(*arguments)
    except BaseException as error:
        return error


def loads_with_torch():
    return list(DataLoader(Killed(), num_workers=1))


def loads_with_fairseq():
    dataset = Killed()
    batches = [np.array([0, 1]), np.array([2, 3])]
    iterator = EpochBatchIterator(dataset, dataset.collater, batches, num_workers=1, buffer_size=2)
    return list(iterator.next_epoch_itr(shuffle=False))


@pytest.mark.parametrize("load", [loads_with_torch, loads_with_fairseq])
def test_killed_worker_is_told_and_never_waited_for(load):
    told = tell(raised(load))
    assert told.status == 1 and "a data loader worker was killed" in told.line


def test_memory_that_torch_cannot_have_is_told():
    assert "memory ran out" in tell(raised(torch.empty, 2**60)).line
    assert "memory ran out" in tell(raised(bytearray, 2**60)).line


# Texts of torch 2.15, of its loaders, its file system strategy and its writer.
@pytest.mark.parametrize(
    "error, expected",
    [
        (
            RuntimeError(
                "DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that"
                " dataloader's workers are out of shared memory."
            ),
            "shared memory (/dev/shm) is full",
        ),
        (
            RuntimeError(
                "unable to allocate shared memory(shm) for file </torch_1>: No space left on device"
                " (28)"
            ),
            "shared memory (/dev/shm) is full",
        ),
        (
            RuntimeError("DataLoader worker (pid(s) 7, 8) exited unexpectedly"),
            "a data loader worker was killed",
        ),
        (
            torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
            "the GPU's memory ran out",
        ),
        (
            RuntimeError(
                "[enforce fail at inline_container.cc:664] . PytorchStreamWriter failed writing"
                " file data/1"
            ),
            "the disk is full",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EMFILE, "Too many open files"), "too many files are open"),
        (RuntimeError("can't start new thread"), "no further process or thread"),
        (
            ImportError("libtorch_cuda.so: failed to map segment from shared object"),
            "memory ran out",
        ),
    ],
)
def test_each_shortage_names_its_cure(error, expected):
    assert expected in shortage(error)
    wrapped = raised(lambda: (_ for _ in ()).throw(Exception("while training")))
    wrapped.__cause__ = error
    assert tell(wrapped) == (shortage(error), 1)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("the disk is full: No space left on device"),
        RuntimeError("shape '[2]' is invalid for input of size 3"),
        OSError(errno.ENOENT, "No such file"),
        KeyError("memory"),
        None,
    ],
)
def test_other_errors_are_shown_as_before(error):
    assert shortage(error) is None and tell(error) is None


def test_bad_input_goes_before_a_shortage_that_it_came_from():
    error = raised(lambda: (_ for _ in ()).throw(InputError("x.jpg: too large; leave it out")))
    error.__cause__ = MemoryError()
    assert tell(error) == ("x.jpg: too large; leave it out", 2)
    assert tell(RunError("the GPU's memory is full")) == ("the GPU's memory is full", 1)


def test_program_ends_in_one_line_and_status_1(monkeypatch, capsys):
    def run(args):
        raise MemoryError

    monkeypatch.setattr("vqapg.cli.user_dir.run", run)
    assert main.main(["user-dir"]) == 1
    assert (
        capsys.readouterr().err
        == "vqapg user-dir: failed: memory ran out; give a smaller --batch-size, or free some"
        " memory\n"
    )


@pytest.mark.parametrize("kind", ["generator", "evaluator", "extraction", "sampling"])
def test_full_shared_memory_is_an_error_and_no_hang(monkeypatch, dictionary, kind):
    """torch's own move to shared memory happens in a thread, where an error ends in a hang."""

    def full(tensor):
        raise RuntimeError(
            "unable to allocate shared memory(shm) for file </torch_1>: No space left on device"
            " (28)"
        )

    features = SimpleNamespace(
        rows={"a.jpg": 0},
        skipped=(),
        require=lambda images: None,
        read=lambda rows: np.zeros((len(rows), 2, 5), np.float16),
    )
    pairs = [Pair("a.jpg", "what color ?", answer) for answer in ("red", "blue")]
    image = torch.zeros(3, 4, 4, dtype=torch.uint8)
    items, collate = {
        "generator": ([0], PairDataset(pairs, dictionary, features, 1, True).collater),
        "evaluator": (
            [0],
            ConsistencyDataset(pairs, dictionary, features, 1, True, "paper").collater,
        ),
        "extraction": ([image], feature_encoding.collate),
        "sampling": ([image], lambda items: collate_pictures([(item, 0) for item in items])),
    }[kind]
    list(DataLoader(items, collate_fn=collate))  # no worker, no shared memory
    monkeypatch.setattr(torch.Tensor, "share_memory_", full)
    told = tell(
        raised(lambda: list(DataLoader(items, num_workers=1, collate_fn=collate, timeout=60)))
    )
    assert told.status == 1 and "/dev/shm" in told.line
