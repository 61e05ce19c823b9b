"""How a loader's worker hands its batch over."""

from typing import Any

from torch import Tensor
from torch.utils.data import get_worker_info


def share(batch: Any) -> Any:
    """The batch, its tensors in shared memory where a loader's worker made it.

    torch would move them there in a thread. When /dev/shm is full, as in a container with Docker's
    64 MB, that thread dies and the loader waits for the batch for ever. Here it is an error.

    Raises:
        RuntimeError: from torch, if shared memory does not suffice
    """
    if get_worker_info() is not None:
        _share(batch)
    return batch


def _share(value: Any) -> None:
    if isinstance(value, Tensor):
        value.share_memory_()
    elif isinstance(value, dict):
        _share(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for part in value:
            _share(part)
