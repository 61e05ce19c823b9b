"""Dot-product attention over regions, and the text-image attention f(q, h) of equation 1."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vqapg.modules.mlp import MLP
from vqapg.modules.regions import Regions, dot, weighted_sum


class Attention(NamedTuple):
    """What queries found: ``attended [B, T, D]``, by the ``weights [B, T, R]`` over the keys."""

    attended: Tensor
    weights: Tensor


def attend(queries: Tensor, keys: Regions, real: Tensor | None = None) -> Attention:
    """Dot-product attention, alpha of equation 1. The keys are the values too.

    Args:
        queries: what asks
        keys: regions, or a text's tokens
        real: bool, False on padding; None where no key is padding

    Shape:
        queries ``[B, T, D]``, keys ``[B, R, D]`` or shared by B rows, real ``[B, R]`` -> attended
        ``[B, T, D]``, weights ``[B, T, R]``

    Returns:
        the attended keys, and the weights; each row of weights is a distribution over the real keys
    """
    scores = dot(queries, keys)
    if real is not None:
        scores = scores.masked_fill(~real.unsqueeze(1), -torch.inf)
    # The softmax in float32 whatever the precision of training
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).type_as(queries)
    return Attention(weighted_sum(weights, keys), weights)


class TextImageAttention(nn.Module):
    """f(q, h) = MLP([q ; h']), h' = sum_i a_i h_i, a = softmax(q^T h): equation 1.

    Args:
        query_dim: width of q; where it is a concatenation (equations 3 and 6) it is projected to
            ``dim`` first, since a dot product needs equal widths
        dim: width D of the regions and of the result

    Shape: q ``[B, query_dim]``, h ``[B, R, D]`` or shared by B pairs, real ``[B, R]`` ->
    ``[B, D]``; real is False on padding among the regions, and None where there is none.
    """

    def __init__(self, query_dim: int, dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.project = nn.Identity() if query_dim == dim else nn.Linear(query_dim, dim)
        self.mlp = MLP(2 * dim, dim, dim, dropout)

    def forward(self, query: Tensor, regions: Regions, real: Tensor | None = None) -> Tensor:
        query = self.project(query)
        # [B, 1, D] -> [B, D]
        attended = attend(query.unsqueeze(1), regions, real).attended.squeeze(1)
        fused: Tensor = self.mlp(torch.cat([query, attended], dim=-1))
        return fused
