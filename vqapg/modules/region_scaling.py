"""Region representation scaling, section 4.5."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vqapg.modules.mlp import MLP
from vqapg.modules.regions import Regions, dot, scale

# M of equation 5: the paper's "multi-layer perceptron", or the one linear map of its code.
MAPS = ("mlp", "linear")
# M(z)^T h_i as it is, or divided by sqrt(D) as in https://arxiv.org/abs/1706.03762, section 3.2.1.
SCORES = ("dot-product", "scaled-dot-product")


class ScaledRegions(NamedTuple):
    """The ``regions`` of B pairs after scaling, the ``weights [B, R]`` they were scaled by, and the
    ``scores [B, R]`` that the weights are a softmax of. ``real [B, R]`` is False on padding, where
    weights are 0 and scores -inf; None where there is none.
    """

    regions: Regions
    weights: Tensor
    scores: Tensor
    real: Tensor | None = None


class RegionScaling(nn.Module):
    """w_i = min(1, R * softmax_i(M(z)^T h_i)), h_i <- w_i h_i: equation 5.

    A region keeps its representation when it gets at least its even share 1/R of the softmax. R is
    the image's own number of regions, and padding has no part in the softmax.

    Args:
        latent_dim: width Z of z
        dim: width D of the regions
        factor: stands in the place of R; 0 is R itself
        scores: one of :data:`SCORES`
        map: M, one of :data:`MAPS`

    Shape: latent ``[B, Z]``, regions ``[B, R, D]`` or shared by B pairs, real ``[B, R]`` ->
    :class:`ScaledRegions`; real is False on padding, and None where there is none.
    """

    def __init__(
        self,
        latent_dim: int,
        dim: int,
        dropout: float = 0.0,
        factor: float = 0.0,
        scores: str = "dot-product",
        map: str = "mlp",
    ) -> None:
        super().__init__()
        self.mlp = (
            MLP(latent_dim, dim, dim, dropout)
            if map == "mlp"
            else nn.Linear(latent_dim, dim, bias=False)
        )
        self.factor = factor
        self.score_unit = math.sqrt(dim) if scores == "scaled-dot-product" else 1.0

    def forward(
        self, latent: Tensor, regions: Regions, real: Tensor | None = None
    ) -> ScaledRegions:
        # [B, 1, R] -> [B, R]
        scores = dot(self.mlp(latent).unsqueeze(1), regions).squeeze(1) / self.score_unit
        count: int | Tensor = scores.size(1)
        if real is not None:
            scores = scores.masked_fill(~real, -torch.inf)
            count = real.sum(dim=1, keepdim=True)
        shares = torch.softmax(scores, dim=-1, dtype=torch.float32).type_as(scores)
        weights = ((self.factor or count) * shares).clamp(max=1)
        return ScaledRegions(scale(regions, weights), weights, scores, real)
