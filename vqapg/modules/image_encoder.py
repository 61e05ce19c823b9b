"""The image encoder of section 4.1: grid features to region representations."""

import torch
from torch import nn


class ImageEncoder(nn.Module):
    """Standardise, linear to the embedding width, two-layer bidirectional LSTM over the regions (section 4.1).

    The CNN of the paper is frozen, so its last feature map is extracted once and read from disk. Each channel
    is standardised with the statistics of the training images, kept as buffers: a checkpoint brings its own.

    Args:
        feature_mean, feature_std: ``[C]`` statistics of the training images
        embed_dim: width the features are mapped to
        dim: width D of a region, both directions together; must be even

    Shape: features ``[U, R, C]`` of any floating type -> h ``[U, R, D]``.

    Raises:
        ValueError: if ``dim`` is odd
    """

    def __init__(self, feature_mean, feature_std, embed_dim, dim, dropout=0.0, layers=2):
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

    def _apply(self, function, recurse=True):
        """Half precision is for weights: statistics of raw features may lie outside its range."""
        statistics = self.feature_mean, self.feature_std
        super()._apply(function, recurse)
        self.feature_mean, self.feature_std = (x.to(self.feature_mean.device) for x in statistics)
        return self

    def forward(self, features):
        # In float32, whatever features are stored in, and in one piece of memory: nothing here is larger.
        standardised = (features - self.feature_mean).div_(self.feature_std)
        embedded = self.embed(standardised.to(self.embed.weight.dtype))
        return self.dropout(self.lstm(self.dropout(embedded))[0])
