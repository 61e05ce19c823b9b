"""The sequence encoder of section 4: a text to one vector."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence


class TextEncoder(nn.Module):
    """Two-layer bidirectional LSTM over token embeddings; the last states of both directions, concatenated.

    Texts are packed, so padding is never read.

    Args:
        embedding: token embedding, shared with the decoders; its ``padding_idx`` marks padding
        dim: width D of the encoding, both directions together; must be even

    Shape: tokens ``[B, T]``, padded on the right, at least one real token a row -> ``[B, D]``.

    Raises:
        ValueError: if ``dim`` is odd
    """

    def __init__(self, embedding, dim, dropout=0.0, layers=2):
        super().__init__()
        if dim % 2:
            raise ValueError(f"the hidden size is split over two directions and must be even, not {dim}")
        self.embedding = embedding
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(
            embedding.embedding_dim, dim // 2, layers, batch_first=True, bidirectional=True, dropout=dropout
        )

    def forward(self, tokens):
        lengths = tokens.ne(self.embedding.padding_idx).sum(dim=1)
        packed = pack_padded_sequence(
            self.dropout(self.embedding(tokens)), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        _, (hidden, _) = self.lstm(packed)
        # hidden [layers * 2, B, D / 2]: the last two are the top layer's directions -> [B, D]
        return self.dropout(torch.cat([hidden[-2], hidden[-1]], dim=-1))
