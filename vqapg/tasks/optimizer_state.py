"""What a checkpoint says of the optimizer, and of its learning rate's schedule, is checked when
training goes on from it.

fairseq takes it over as it is. A state that does not fit would end the first step in a traceback,
or make the weights NaN without a word.
"""

import math
from typing import Any

import torch
from fairseq.optim.adam import Adam
from fairseq.optim.lr_scheduler import FairseqLRScheduler
from fairseq.optim.lr_scheduler.reduce_lr_on_plateau import ReduceLROnPlateauLRSchedule
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


def check_schedule(
    schedule: FairseqLRScheduler, extra_state: dict[str, Any], filename: str
) -> None:
    """Checks what ``reduce_lr_on_plateau`` took over from the checkpoint *filename*; other
    schedules have no state that could be wrong.

    Args:
        schedule: of the training that goes on
        extra_state: of the checkpoint, which has the figure of the epoch just ended
        filename: for messages

    Raises:
        InputError: if a figure is no number, or the count of epochs without gain is no count
    """
    if not isinstance(schedule, ReduceLROnPlateauLRSchedule):
        return
    best, count = schedule.lr_scheduler.best, schedule.lr_scheduler.num_bad_epochs
    figure = extra_state.get("val_loss")
    # The best is infinite before the first epoch, and NaN is no better than anything.
    numbers = [best] if figure is None else [best, figure]
    if any(type(number) not in (int, float) for number in numbers) or not (
        type(count) is int and count >= 0
    ):
        raise InputError(
            f"{filename}: its state of the learning rate's schedule cannot be; give "
            "--reset-lr-scheduler, or another checkpoint"
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
