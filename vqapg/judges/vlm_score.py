"""How a vision-language model's probabilities become the score of a triple.

Two questions can be asked, whichever the model:

- ``answer``: how probable is this answer to this question? Answers differ in length, so the score
  is the geometric mean of the probabilities of the answer's tokens, times the probability that the
  answer ends there. For an answer of one token this is the probability of the answer.
- ``yes``: is this answer right? The score is P(yes) / (P(yes) + P(no)), so that 0.5 stands between
  the two. VQAScore (Lin et al., 2024, https://arxiv.org/abs/2404.01291) is P(yes) alone, which is
  below 0.5 for a model that would rather say something else.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

# Rises where the same model gives the same triple another score than before.
VERSION = 2


class Asked(NamedTuple):
    """A triple as a model is asked about it: texts as people write them.

    Attributes:
        picture: the number of its picture in the batch
    """

    picture: int
    question: str
    answer: str


class Scorer(Protocol):
    """A vision-language model that scores triples."""

    def score(self, pictures: Sequence[Image], asked: Sequence[Asked]) -> NDArray[np.float64]:
        """The score of each triple, in [0, 1]; NaN where the model cannot tell.

        Args:
            pictures: RGB
            asked: triples, each about one of *pictures*

        Shape:
            - returns ``[M]``
        """


def answer_probability(token_log_probs: Tensor, counts: Tensor) -> NDArray[np.float64]:
    """The geometric mean of the tokens' probabilities, times the probability of the end.

    Args:
        token_log_probs: of each answer's tokens, the end last, then padding
        counts: how many tokens each answer has, with the end

    Shape:
        - token_log_probs: ``[M, T]``
        - counts: ``[M]``, each 2 or more
        - returns ``[M]``
    """
    place = torch.arange(token_log_probs.size(1), device=counts.device)
    end = place == counts[:, None] - 1
    words = place < counts[:, None] - 1
    log_probs = token_log_probs.double()
    mean = log_probs.masked_fill(~words, 0).sum(1) / words.sum(1).clamp(min=1)
    return _numbers((mean + log_probs.masked_fill(~end, 0).sum(1)).exp())


def share_of_yes(yes: Tensor, no: Tensor) -> NDArray[np.float64]:
    """P(yes) / (P(yes) + P(no)) of two log-probabilities, ``[M]`` each."""
    return _numbers(torch.sigmoid(yes.double() - no.double()))


def _numbers(values: Tensor) -> NDArray[np.float64]:
    # Rounding may lead a little beyond 1.
    return np.asarray(values.clamp(0, 1).cpu().numpy(), dtype=np.float64)
