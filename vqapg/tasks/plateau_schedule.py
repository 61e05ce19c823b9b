"""What fairseq's ``reduce_lr_on_plateau`` forgets when training goes on from a checkpoint.

Two things, and without either the learning rate falls in a later epoch than in a run left alone:

- how many epochs were without gain, which its ``state_dict`` lacks
- the figure of the epoch just ended: fairseq saves the checkpoint before the schedule gets to know
  it
"""

from typing import Any

from fairseq.optim.lr_scheduler.reduce_lr_on_plateau import ReduceLROnPlateauLRSchedule
from fairseq.trainer import Trainer

# fairseq's own, whatever is put in their place.
_state_dict = ReduceLROnPlateauLRSchedule.state_dict
_load_state_dict = ReduceLROnPlateauLRSchedule.load_state_dict
EPOCHS_WITHOUT_GAIN = "num_bad_epochs"


def state_dict(schedule: ReduceLROnPlateauLRSchedule) -> dict[str, Any]:
    """fairseq's state of the schedule, and the count of epochs without gain."""
    state: dict[str, Any] = _state_dict(schedule)
    return state | {EPOCHS_WITHOUT_GAIN: schedule.lr_scheduler.num_bad_epochs}


def load_state_dict(schedule: ReduceLROnPlateauLRSchedule, state: dict[str, Any]) -> None:
    """Takes the state over; checkpoints of before it was saved have no count, which is then 0."""
    _load_state_dict(schedule, state)
    schedule.lr_scheduler.num_bad_epochs = state.get(EPOCHS_WITHOUT_GAIN, 0)


def give_figure_of_last_epoch(trainer: Trainer, extra_state: dict[str, Any]) -> None:
    """Tells the schedule the figure of the epoch at whose end the checkpoint was saved.

    Args:
        trainer: has just loaded a checkpoint, its schedule's state too
        extra_state: of that checkpoint
    """
    iterator, figure = extra_state["train_iterator"], extra_state.get("val_loss")
    # In the middle of an epoch fairseq validates without telling the schedule.
    ended = not iterator.get("iterations_in_epoch")
    if (
        ended
        and figure is not None
        and isinstance(trainer.lr_scheduler, ReduceLROnPlateauLRSchedule)
    ):
        trainer.lr_step(iterator["epoch"] - 1, figure)
