"""The image encoder of section 4.1: grid features to region representations."""

from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class ImageEncoder(nn.Module):
    """Standardise, linear to the embedding width, two-layer bidirectional LSTM over the regions
    (section 4.1).

    The CNN of the paper is frozen, so its last feature map is extracted once and read from disk.
    Each channel is standardised with the statistics of the training images, kept as buffers: a
    checkpoint brings its own.

    Args:
        feature_mean, feature_std: ``[C]`` statistics of the training images
        embed_dim: width the features are mapped to
        dim: width D of a region, both directions together; must be even

    Shape: features ``[U, R, C]`` of any floating type, real ``[U, R]`` -> h ``[U, R, D]``; real is
    False on padding, behind an image's own regions, and None where there is none. h is 0 on
    padding, whatever the features are there.

    Raises:
        ValueError: if ``dim`` is odd
    """

    feature_mean: Tensor
    feature_std: Tensor

    def __init__(
        self,
        feature_mean: Tensor | NDArray[np.float32],
        feature_std: Tensor | NDArray[np.float32],
        embed_dim: int,
        dim: int,
        dropout: float = 0.0,
        layers: int = 2,
    ) -> None:
        super().__init__()
        if dim % 2:
            raise ValueError(
                f"the hidden size is split over two directions and must be even, not {dim}"
            )
        self.register_buffer(
            "feature_mean", torch.as_tensor(feature_mean, dtype=torch.float32).clone()
        )
        self.register_buffer(
            "feature_std", torch.as_tensor(feature_std, dtype=torch.float32).clone()
        )
        self.embed = nn.Linear(self.feature_mean.numel(), embed_dim)
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(
            embed_dim, dim // 2, layers, batch_first=True, bidirectional=True, dropout=dropout
        )

    def _apply(self, function: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Half precision is for weights: statistics of raw features may lie outside its range."""
        statistics = self.feature_mean, self.feature_std
        super()._apply(function, recurse)
        self.feature_mean, self.feature_std = (x.to(self.feature_mean.device) for x in statistics)
        return self

    def forward(self, features: Tensor, real: Tensor | None = None) -> Tensor:
        # In float32, whatever features are stored in, and in one piece of memory: nothing here is
        # larger.
        standardised = (features - self.feature_mean).div_(self.feature_std)
        if real is not None:
            # Before the product: in the weights' gradient 0 times a NaN of padding would be NaN.
            standardised.masked_fill_(~real.unsqueeze(2), 0)
        embedded = self.dropout(self.embed(standardised.to(self.embed.weight.dtype)))
        states: Tensor = self.lstm(embedded)[0] if real is None else self._packed(embedded, real)
        regions: Tensor = self.dropout(states)
        return regions

    def _packed(self, embedded: Tensor, real: Tensor) -> Tensor:
        """The states, neither direction of which reads padding: ``[U, R, E] -> [U, R, D]``."""
        packed = pack_padded_sequence(
            embedded, real.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False
        )
        states: Tensor
        states, _ = pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=embedded.size(1)
        )
        return states
