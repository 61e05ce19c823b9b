"""Losses that ask which answer is right, beside the score of one answer (not in the paper)."""

import torch
from torch import Tensor


def contrastive_loss(scores: Tensor, gold: Tensor, right: Tensor) -> Tensor:
    """-log softmax of the gold answer among the batch's answers, summed over pairs.

    Other answers that are right as well are left out: they are no negatives.

    Args:
        scores: of each distinct answer of the batch with a pair's image and question
        gold: which answer is the pair's own
        right: True where an answer is right for the pair, its own or another

    Shape:
        scores ``[P, A]``, gold ``[P]``, right ``[P, A]``, bool -> a scalar

    Source: InfoNCE, https://arxiv.org/abs/1807.03748, equation 4
    """
    own = torch.zeros_like(right).scatter(1, gold.unsqueeze(1), True)
    # In float32: half loses the small probabilities.
    kept = scores.float().masked_fill(right & ~own, -torch.inf)
    return torch.nn.functional.cross_entropy(kept, gold, reduction="sum")


def answer_prediction_loss(logits: Tensor, ranks: Tensor) -> tuple[Tensor, Tensor]:
    """-log softmax of the gold answer among the most frequent ones, summed over pairs.

    Args:
        logits: of the K most frequent answers, by pair
        ranks: place of the pair's answer by frequency, from 0; negative where it has none

    Shape:
        logits ``[P, K]``, ranks ``[P]`` -> a scalar, a scalar

    Returns:
        The loss, and how many pairs have one of the K answers. The others take no part.
    """
    known = (ranks >= 0) & (ranks < logits.size(1))
    loss = torch.nn.functional.cross_entropy(logits[known].float(), ranks[known], reduction="sum")
    return loss, known.sum()
