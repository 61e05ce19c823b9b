"""Scores of the consistency evaluator (section 4.6) for any image-question-answer triples."""

from pathlib import Path

import numpy as np
import torch
from fairseq import checkpoint_utils
from tqdm import tqdm

from vqapg.data.consistency_dataset import collate_triples
from vqapg.errors import InputError
from vqapg.tasks.consistency import ConsistencyConfig, ConsistencyTask


def load_evaluator(checkpoint, data):
    """The evaluator of *checkpoint*, for the data directory *data*; with its task.

    Raises:
        InputError: if there is no such file, it is no checkpoint, of another task, or trained on other data
    """
    if not Path(checkpoint).is_file():
        raise InputError(f"{checkpoint}: no such checkpoint; train one with --task vqapg_consistency")
    task = ConsistencyTask(ConsistencyConfig(_name="vqapg_consistency", data=str(data.path), seed=1))
    try:
        models, _ = checkpoint_utils.load_model_ensemble([str(checkpoint)], task=task)
    except InputError as error:
        raise InputError(f"{checkpoint}: {error}") from error
    except Exception as error:  # whatever unpickling, or fairseq, makes of a file that is no checkpoint
        raise InputError(
            f"{checkpoint}: not a whole checkpoint of --task vqapg_consistency ({type(error).__name__}); give another, "
            "or train it anew"
        ) from error
    return models[0].eval(), task


def score_triples(checkpoint, data, triples, batch_size=256):
    """The score s of equation 6 for each triple.

    Args:
        checkpoint: path of a checkpoint of task ``vqapg_consistency``
        data: :class:`~vqapg.data.directory.DataDirectory`, whose features hold the images
        triples: list of (image, question, answer), texts as space-joined tokens

    Returns:
        float array ``[len(triples)]`` in [0, 1], in the order of *triples*

    Raises:
        InputError: as :func:`load_evaluator`, or if an image has no features
    """
    model, task = load_evaluator(checkpoint, data)
    task.features.require(dict.fromkeys(image for image, _, _ in triples))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    scores = np.empty(len(triples))
    # Triples of an image side by side, so that a batch holds few images.
    order = sorted(range(len(triples)), key=lambda i: task.features.rows[triples[i][0]])
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    for batch in tqdm(batches, desc="scoring", unit="batch"):
        inputs = collate_triples([triples[i] for i in batch], task.dictionary, task.features)
        with torch.inference_mode():
            logits = model(**{name: tensor.to(device) for name, tensor in inputs.items()})
        scores[batch] = torch.sigmoid(logits.float()).cpu().numpy()
    return scores
