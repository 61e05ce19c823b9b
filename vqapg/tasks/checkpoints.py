"""Models from checkpoints, over the data of a task."""

import os

import torch

from vqapg.errors import InputError
from vqapg.models.vqapg_model import VQAPGModel
from vqapg.tasks.checkpoint_file import read_checkpoint
from vqapg.tasks.data_task import DataDirectoryTask


def load_model(checkpoint: str | os.PathLike, task: DataDirectoryTask) -> VQAPGModel:
    """The model of *checkpoint*, over the data of *task*, in evaluation mode, on a GPU if any.

    Raises:
        InputError: as :func:`~vqapg.tasks.checkpoint_file.read_checkpoint`, or if the model is of
            another task, or was trained on other data
    """
    state = read_checkpoint(checkpoint).state
    try:
        model = task.build_model(state["cfg"].model, from_checkpoint=True)
        model.load_state_dict(state["model"])
    except InputError as error:
        raise InputError(f"{checkpoint}: {error}") from error
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")
