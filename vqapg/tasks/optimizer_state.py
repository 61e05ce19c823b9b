"""What a checkpoint says of the optimizer is checked when training goes on from it.

fairseq takes it over as it is. A state that does not fit would end the first step in a traceback,
or make the weights NaN without a word.
"""

import math
from typing import Any

import torch
from fairseq.optim.adam import Adam
from torch import Tensor

from vqapg.errors import InputError

MISSING = object()
# What every step of Adam reads of each weight, and what has the weight's own shape.
ADAM = {"step", "exp_avg", "exp_avg_sq"}
MOMENTS = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}


def check_optimizer(optimizer: torch.optim.Optimizer, filename: str) -> None:
    """Compares what *optimizer* took over from the checkpoint *filename* with its parameters.

    Raises:
        InputError: where a moment has another shape or no finite numbers, or a state is missing;
            where a setting has another form than the optimizer's own
    """
    cure = "give --reset-optimizer, or another checkpoint"
    needed = ADAM if isinstance(optimizer, (Adam, torch.optim.Adam)) else set()
    for parameter, state in optimizer.state.items():
        if (
            not isinstance(state, dict)
            or not needed <= set(state)
            or not all(_fits(name, value, parameter) for name, value in state.items())
        ):
            raise InputError(
                f"{filename}: its state of the optimizer does not fit the weights; {cure}"
            )
    for group in optimizer.param_groups:
        for name, own in optimizer.defaults.items():
            # Those that are off by default may be of a newer torch than the checkpoint.
            missing = own if own is None or own is False else MISSING
            if not _alike(own, group.get(name, missing)):
                raise InputError(
                    f"{filename}: its setting {name} of the optimizer cannot be; {cure}"
                )


def _fits(name: str, value: Any, parameter: Tensor) -> bool:
    if name in MOMENTS:
        return (
            isinstance(value, Tensor)
            and value.shape == parameter.shape
            and value.is_floating_point()
            and bool(value.isfinite().all())
        )
    return value is None or isinstance(value, (bool, Tensor)) or _is_number(value)


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
