"""Random numbers that depend on a pair's key only, never on the batch it stands in.

That makes training resumable and the same over any number of processes, validation comparable
between epochs, and generation independent of the batch size.

A key is (seed, draw, pair): the run's seed; the epoch in training, 0 in validation, the number of
the draw in generation; the number of the pair in its split.
"""

from collections.abc import Iterator
from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Integers [B, 3]: a key a row.
NoiseKeys = NDArray[np.int64]


class Stream(IntEnum):
    """What the numbers are for; different streams of one key are independent.

    The tokens that are drawn of a question, an answer, or a sequential model's pair; the latent
    variable (in a pipeline each sub-model's); the words that word dropout takes away.
    """

    LATENT = 0
    QUESTION = 1
    ANSWER = 2
    LATENT_OF_Y = 3
    PAIR = 4
    QUESTION_WORDS = 5
    ANSWER_WORDS = 6
    PAIR_WORDS = 7


def _generators(keys: NoiseKeys, stream: Stream) -> Iterator[np.random.Generator]:
    for seed, draw, pair in np.asarray(keys).tolist():
        # A counter-based generator: the key and the upper counter words select an own sequence for
        # each row.
        yield np.random.Generator(
            np.random.Philox(key=[seed, int(stream)], counter=[0, 0, draw, pair])
        )


def standard_normal(keys: NoiseKeys, dim: int, stream: Stream) -> Tensor:
    """Standard normal noise, one row a key.

    Shape:
        ``[B, 3] -> [B, dim]``, float32, on the CPU
    """
    noise = np.empty((len(keys), dim), dtype=np.float32)
    for row, generator in zip(noise, _generators(keys, stream)):
        generator.standard_normal(dtype=np.float32, out=row)
    return torch.from_numpy(noise)


def uniform(keys: NoiseKeys, dim: int, stream: Stream) -> Tensor:
    """Uniform numbers in [0, 1), one row a key.

    Shape:
        ``[B, 3] -> [B, dim]``, float64, on the CPU
    """
    numbers = np.empty((len(keys), dim))
    for row, generator in zip(numbers, _generators(keys, stream)):
        generator.random(out=row)
    return torch.from_numpy(numbers)
