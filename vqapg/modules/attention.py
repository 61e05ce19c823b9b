"""Dot-product attention over regions, and the text-image attention f(q, h) of equation 1."""

import torch
from torch import nn

from vqapg.modules.mlp import MLP


def attend(queries, keys, real=None):
    """Dot-product attention, alpha of equation 1: keys are values too.

    Args:
        queries: ``[B, T, D]``
        keys: ``[B, R, D]``, regions or a text's tokens
        real: bool ``[B, R]``, False on padding; None where there is none (regions are never padded)

    Returns:
        attended ``[B, T, D]`` and the attention weights ``[B, T, R]``, each row a distribution over the real keys
    """
    # [B, T, D] x [B, D, R] -> [B, T, R]
    scores = queries @ keys.transpose(1, 2)
    if real is not None:
        scores = scores.masked_fill(~real.unsqueeze(1), -torch.inf)
    # The softmax in float32 whatever the precision of training
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).type_as(queries)
    return weights @ keys, weights


class TextImageAttention(nn.Module):
    """f(q, h) = MLP([q ; h']), h' = sum_i a_i h_i, a = softmax(q^T h): equation 1.

    Args:
        query_dim: width of q; where it is a concatenation (equations 3 and 6) it is projected to ``dim`` first,
            since a dot product needs equal widths
        dim: width D of the regions and of the result

    Shape: q ``[B, query_dim]``, h ``[B, R, D]`` -> ``[B, D]``.
    """

    def __init__(self, query_dim, dim, dropout=0.0):
        super().__init__()
        self.project = nn.Identity() if query_dim == dim else nn.Linear(query_dim, dim)
        self.mlp = MLP(2 * dim, dim, dim, dropout)

    def forward(self, query, regions):
        query = self.project(query)
        # [B, 1, D] -> [B, D]
        attended = attend(query.unsqueeze(1), regions)[0].squeeze(1)
        return self.mlp(torch.cat([query, attended], dim=-1))
