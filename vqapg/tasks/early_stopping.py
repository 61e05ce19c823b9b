"""What fairseq's ``--patience`` forgets when training goes on from a checkpoint.

fairseq counts the validations without gain on its function ``should_stop_early``, and saves neither
the count nor the best figure that it compares with. A run resumed in time would never stop. One
that had just stopped would train another epoch.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any

from fairseq.trainer import Trainer

from vqapg.errors import InputError

logger = logging.getLogger(__name__)

# In a checkpoint's extra_state, and the names of the function's attributes.
KEY = "early_stopping"
BEST, WITHOUT_GAIN = "best", "num_runs"


def state() -> dict[str, Any]:
    """What a checkpoint's ``extra_state`` holds of it; nothing before the first validation."""
    function = _function()
    counted = {} if function is None else vars(function)
    if BEST not in counted:
        return {}
    # A metric may be a tensor or of numpy, and a checkpoint holds plain numbers.
    return {KEY: {BEST: float(counted[BEST]), WITHOUT_GAIN: counted[WITHOUT_GAIN]}}


def restore(trainer: Trainer, extra_state: dict[str, Any], filename: str) -> None:
    """Counts on from the checkpoint *filename*; where that was the end, no epoch is begun.

    Args:
        trainer: has just loaded the checkpoint
        extra_state: of it; one of before the count was saved has none
        filename: for messages

    Raises:
        InputError: if the best figure is no number, or the count no count
    """
    stored, function = extra_state.get(KEY), _function()
    if stored is None or function is None:
        return
    if not _is_state(stored):
        raise InputError(
            f"{filename}: its count of validations without gain cannot be; give --reset-meters, or "
            "another checkpoint"
        )
    vars(function).update({name: stored[name] for name in (BEST, WITHOUT_GAIN)})
    if 0 < trainer.cfg.checkpoint.patience <= stored[WITHOUT_GAIN]:
        logger.info(
            "early stop since valid performance had not improved for %d runs when training ended",
            stored[WITHOUT_GAIN],
        )
        # fairseq trains while an epoch is no later than this, which it reads after the checkpoint.
        # 0 would stand for no limit.
        trainer.cfg.optimization.max_epoch = -1


def _function() -> Callable[..., bool] | None:
    """fairseq's ``should_stop_early``; None in programs that do not train by fairseq's loop."""
    for module in ("__main__", "fairseq_cli.train"):
        function: Callable[..., bool] | None
        function = getattr(sys.modules.get(module), "should_stop_early", None)
        if function is not None:
            return function
    return None


def _is_state(stored: object) -> bool:
    if not isinstance(stored, dict):
        return False
    best, count = stored.get(BEST), stored.get(WITHOUT_GAIN)
    return type(best) in (int, float) and type(count) is int and count >= 0
