"""What a checkpoint says of the optimizer is checked when training goes on from it.

fairseq takes it over as it is. A state that does not fit would end the first step in a traceback,
or make the weights NaN without a word.
"""

import math
from typing import Any

import torch
from torch import Tensor

from vqapg.errors import InputError


def check_optimizer(optimizer: torch.optim.Optimizer, filename: str) -> None:
    """Compares what *optimizer* took over from the checkpoint *filename* with its parameters.

    Raises:
        InputError: where a state has another shape, other entries, or is no finite number; where a
            setting has another form than the optimizer's own
    """
    cure = "give --reset-optimizer, or another checkpoint"
    entries = None
    for parameter, state in optimizer.state.items():
        entries = set(state) if entries is None else entries  # the same for all
        if (
            not isinstance(state, dict)
            or set(state) != entries
            or not all(_fits(value, parameter) for value in state.values())
        ):
            raise InputError(
                f"{filename}: its state of the optimizer does not fit the weights; {cure}"
            )
    for group in optimizer.param_groups:
        for name, own in optimizer.defaults.items():
            if not _alike(own, group.get(name)):
                raise InputError(
                    f"{filename}: its setting {name} of the optimizer cannot be; {cure}"
                )


def _fits(value: Any, parameter: Tensor) -> bool:
    if isinstance(value, Tensor):
        right_shape = value.dim() == 0 or value.shape == parameter.shape
        return right_shape and value.is_floating_point() and bool(value.isfinite().all())
    return _is_number(value)


def _alike(own: Any, stored: Any) -> bool:
    if _is_number(own):
        return _is_number(stored)
    if isinstance(own, (list, tuple)):
        return (
            isinstance(stored, (list, tuple))
            and len(own) == len(stored)
            and all(map(_alike, own, stored))
        )
    return own is None or isinstance(stored, type(own))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
