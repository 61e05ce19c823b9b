"""Scores of the consistency evaluator (section 4.6) for any image-question-answer triples."""

import numpy as np
import torch
from fairseq import checkpoint_utils
from tqdm import tqdm

from vqapg.data.consistency_dataset import collate_triples
from vqapg.tasks.checkpoints import load_model
from vqapg.tasks.vqapg_consistency import ConsistencyConfig, ConsistencyTask


def load_evaluator(checkpoint, data):
    """The evaluator of *checkpoint*, for the data directory *data*; with its task.

    Raises:
        InputError: as :func:`~vqapg.tasks.checkpoints.load_model`
    """
    task = ConsistencyTask(
        ConsistencyConfig(_name="vqapg_consistency", data=str(data.path), seed=1)
    )
    return load_model(checkpoint, task), task


def negatives_of_training(checkpoint, data):
    """The ``--negatives`` that an evaluator was trained with. Raises InputError as :func:`load_evaluator`."""
    load_evaluator(checkpoint, data)  # whose errors tell what the file is instead
    return str(checkpoint_utils.load_checkpoint_to_cpu(str(checkpoint))["cfg"]["task"]["negatives"])


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
    device = next(model.parameters()).device
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
