"""Loading one model of a checkpoint for measuring, with errors that say what is wrong with it."""

from pathlib import Path

import torch
from fairseq import checkpoint_utils

from vqapg.errors import InputError


def load_model(checkpoint, task):
    """The model of *checkpoint*, over the data of *task*, in evaluation mode and on the GPU where there is one.

    Raises:
        InputError: if there is no such file, it is no checkpoint, of another task, or trained on other data
    """
    name = task.cfg._name
    if not Path(checkpoint).is_file():
        raise InputError(f"{checkpoint}: no such checkpoint; train one with --task {name}")
    try:
        models, _ = checkpoint_utils.load_model_ensemble([str(checkpoint)], task=task)
    except InputError as error:
        raise InputError(f"{checkpoint}: {error}") from error
    except Exception as error:  # whatever unpickling, or fairseq, makes of a file that is no checkpoint
        raise InputError(
            f"{checkpoint}: not a whole checkpoint of --task {name} ({type(error).__name__}); give another, "
            "or train it anew"
        ) from error
    return models[0].eval().to("cuda" if torch.cuda.is_available() else "cpu")
