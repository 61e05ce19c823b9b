"""The sequence encoder of section 4: a text to one vector, and to one for each of its tokens."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class TextEncoding(NamedTuple):
    """``sequence [B, D]``, the text as one vector; ``tokens [B, T, D]``, zero on padding; bool
    ``real [B, T]``.
    """

    sequence: Tensor
    tokens: Tensor
    real: Tensor


class TextEncoder(nn.Module):
    """Two-layer bidirectional LSTM over token embeddings; a text's vector is the last states of
    both directions.

    Texts are packed, so padding is never read.

    Args:
        embedding: token embedding, shared with the decoders; its ``padding_idx`` marks padding
        dim: width D of the encoding, both directions together; must be even

    Shape: tokens ``[B, T]``, padded on the right, at least one real token a row ->
    :class:`TextEncoding`.

    Raises:
        ValueError: if ``dim`` is odd, or the embedding has no ``padding_idx``
    """

    def __init__(
        self, embedding: nn.Embedding, dim: int, dropout: float = 0.0, layers: int = 2
    ) -> None:
        super().__init__()
        if dim % 2:
            raise ValueError(
                f"the hidden size is split over two directions and must be even, not {dim}"
            )
        if embedding.padding_idx is None:
            raise ValueError("the embedding has no padding_idx, so padding could not be told")
        self.embedding, self.padding = embedding, embedding.padding_idx
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(
            embedding.embedding_dim,
            dim // 2,
            layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout,
        )

    def forward(self, tokens: Tensor) -> TextEncoding:
        real = tokens.ne(self.padding)
        packed = pack_padded_sequence(
            self.dropout(self.embedding(tokens)),
            real.sum(dim=1).cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        states, (hidden, _) = self.lstm(packed)
        # hidden [layers * 2, B, D / 2]: the last two are the top layer's directions -> [B, D]
        sequence = torch.cat([hidden[-2], hidden[-1]], dim=-1)
        states, _ = pad_packed_sequence(states, batch_first=True, total_length=tokens.size(1))
        return TextEncoding(self.dropout(sequence), self.dropout(states), real)
