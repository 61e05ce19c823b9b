"""Embeddings that start from word vectors (section 5.3: GloVe)."""

import logging

import numpy as np
import torch
from torch import nn

from vqapg.data.word_vectors import coverage, read_vectors
from vqapg.errors import InputError
from vqapg.tokens import SEPARATOR

logger = logging.getLogger(__name__)


def start_from_vectors(model, dictionary, path, embed_dim):
    """Puts the vectors of *path* into every embedding of *model*; words without one start at
    random, as large as the others. Logs how much of the dictionary, and of the training tokens, has
    vectors.

    Raises:
        InputError: when the vectors are not *embed_dim* wide, or no word of the dictionary has one
    """
    words = {
        word: index for index, word in enumerate(dictionary.symbols) if index >= dictionary.nspecial
    }
    del words[SEPARATOR]
    vectors, width = read_vectors(path, words.keys(), embed_dim)
    if width != embed_dim:
        raise InputError(
            f"--embed-path {path}: its vectors are {width} wide; give --embed-dim {width}"
        )
    if not vectors:
        raise InputError(
            f"--embed-path {path}: has a vector of no word of the dictionary; is it of another "
            "language?"
        )
    covered = coverage({word: dictionary.count[index] for word, index in words.items()}, vectors)
    logger.info(f"embeddings: {covered}, start from {path}; the others at random")
    rows = torch.tensor([words[word] for word in vectors])
    values = torch.from_numpy(np.stack(list(vectors.values())))
    for part in model.modules():
        if isinstance(part, nn.Embedding):
            with torch.no_grad():
                part.weight.normal_(std=values.std().item())
                part.weight[rows] = values
                part.weight[part.padding_idx] = 0
