"""Region representation scaling, section 4.5."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vqapg.modules.mlp import MLP


class ScaledRegions(NamedTuple):
    """The ``regions [B, R, D]`` after scaling, and the ``weights [B, R]`` they were scaled by."""

    regions: Tensor
    weights: Tensor


class RegionScaling(nn.Module):
    """w_i = min(1, R * softmax_i(M(z)^T h_i)), h_i <- w_i h_i: equation 5.

    A region keeps its representation when it gets at least its even share 1/R of the softmax.

    Shape: latent ``[B, Z]``, regions ``[B, R, D]`` -> scaled regions ``[B, R, D]``, weights
    ``[B, R]``.
    """

    def __init__(self, latent_dim: int, dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.mlp = MLP(latent_dim, dim, dim, dropout)

    def forward(self, latent: Tensor, regions: Tensor) -> ScaledRegions:
        # [B, R, D] x [B, D, 1] -> [B, R]
        scores = (regions @ self.mlp(latent).unsqueeze(2)).squeeze(2)
        shares = torch.softmax(scores, dim=-1, dtype=torch.float32).type_as(regions)
        weights = (regions.size(1) * shares).clamp(max=1)
        return ScaledRegions(weights.unsqueeze(2) * regions, weights)
