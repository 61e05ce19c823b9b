"""What beam search and sampling share: which tokens may come, and how texts are scored."""

import math
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from vqapg.errors import InputError
from vqapg.models.hypothesis import Hypothesis

Scores = TypeVar("Scores", float, Tensor)

# After how many steps a search asks which rows are done. The host waits for a GPU to answer; a CPU
# knows.
CHECKS_EVERY = {"cpu": 1, "cuda": 4}


@dataclass(frozen=True)
class TokenRules:
    """Which tokens may come when, and how their probabilities are made: stock fairseq's flags.

    Attributes:
        end: end-of-sentence, which also starts a text (fairseq's convention)
        forbidden: tokens that never come (padding and other special symbols)
        unknown, unknown_penalty: ``--unkpen``, taken off the unknown word's log-probability
        min_len, max_len: ``--min-len`` and ``--max-len-b``, in tokens without end-of-sentence
        temperature: ``--temperature``
    """

    end: int
    forbidden: tuple[int, ...]
    unknown: int
    unknown_penalty: float = 0.0
    min_len: int = 1
    max_len: int = 200
    temperature: float = 1.0

    def log_probs(self, logits: Tensor, step: int) -> Tensor:
        """Log-probabilities of the token after *step* others, -inf where it is not allowed.

        Shape: logits ``[..., V] -> [..., V]``, float32.
        """
        log_probs = torch.log_softmax(logits.float() / self.temperature, dim=-1)
        log_probs[..., list(self.forbidden)] = -torch.inf
        log_probs[..., self.unknown] -= self.unknown_penalty
        if step < self.min_len:
            log_probs[..., self.end] = -torch.inf
        if step >= self.max_len:
            log_probs[..., : self.end] = -torch.inf
            log_probs[..., self.end + 1 :] = -torch.inf
        return log_probs


def normalised_score(log_prob: Scores, length: int, length_penalty: float) -> Scores:
    """Log-probability / length ** penalty, stock fairseq's score. Penalty 0 changes nothing."""
    return log_prob / float(length**length_penalty)


def with_probability(found: list[list[Hypothesis]]) -> list[list[Hypothesis]]:
    """What was found for each row.

    Raises:
        InputError: where a row has no text with a probability. Weights that are finite, but huge,
            give such logits
    """
    for hypotheses in found:
        if not hypotheses or not all(math.isfinite(text.total) for text in hypotheses):
            raise InputError(
                "the model gives no text a probability, since its weights are too large; give "
                "another checkpoint, or train it anew with --clip-norm"
            )
    return found
