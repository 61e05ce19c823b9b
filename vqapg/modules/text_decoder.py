"""The decoder of section 4: two-layer LSTM with attention over the regions."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vqapg.modules.attention import attend


class DecoderOutput(NamedTuple):
    """``logits [M, T, V]``, ``attention [M, T, R]`` over regions, LSTM ``state`` (h, c), each ``[layers, M, D]``."""

    logits: Tensor
    attention: Tensor
    state: tuple[Tensor, Tensor]


class TextDecoder(nn.Module):
    """Two-layer LSTM, dot-product attention over the regions alike equation 1, output from [state ; attended].

    There is no input feeding, so one call covers any number of steps: a whole teacher-forced text, or one step of
    generation with the state of the step before.

    Args:
        embedding: token embedding, shared with the text encoder; its size is the dictionary's
        dim: width D
        latent_dim: width Z of the latent variable, None without one
    """

    def __init__(self, embedding, dim, latent_dim=None, dropout=0.0, layers=2):
        super().__init__()
        self.embedding = embedding
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(embedding.embedding_dim, dim, layers, batch_first=True, dropout=dropout)
        self.output = nn.Linear(2 * dim, embedding.num_embeddings)
        # h and c of every layer, from the mean region and from z
        self.state_from_image = nn.Linear(dim, 2 * layers * dim)
        self.state_from_latent = None
        if latent_dim is not None:
            self.state_from_latent = nn.Linear(latent_dim, 2 * layers * dim, bias=False)

    def initial_state(self, regions, latent=None):
        """The LSTM's state before the first token: a linear map of the mean region, plus one of z (section 4.5).

        Args:
            regions: ``[B, R, D]``, scaled where there is region scaling
            latent: ``[B, Z]``, or None in a model without latent variable

        Returns:
            (h, c), each ``[layers, B, D]``
        """
        state = self.state_from_image(regions.mean(dim=1))
        if self.state_from_latent is not None:
            state = state + self.state_from_latent(latent)
        # [B, 2 * layers * D] -> 2 x [layers, B, D]
        state = state.view(state.size(0), 2, self.lstm.num_layers, self.lstm.hidden_size)
        hidden, cell = state.permute(1, 2, 0, 3).unbind(0)
        return hidden.contiguous(), cell.contiguous()

    def forward(self, previous_tokens, regions, state):
        """
        Args:
            previous_tokens: ``[M, T]``, the tokens before those to predict; M = B, or B * K with the K beams of a
                row side by side
            regions: ``[B, R, D]``
            state: (h, c), each ``[layers, M, D]``
        """
        rows, steps = previous_tokens.shape
        hidden, state = self.lstm(self.dropout(self.embedding(previous_tokens)), state)
        # All beams and steps of a row ask its regions in one product: [M, T, D] -> [B, K * T, D]
        attended, attention = attend(hidden.reshape(regions.size(0), -1, hidden.size(2)), regions)
        attended = attended.reshape(hidden.shape)
        logits = self.output(self.dropout(torch.cat([hidden, attended], dim=-1)))
        return DecoderOutput(logits, attention.reshape(rows, steps, -1), state)


def shift_right(target, first_token, padding):
    """Decoder input for teacher forcing: *first_token*, then the target without its last token.

    Args:
        target: ``[B, T]``, each row ends in an end-of-sentence token, then padding
        first_token: what stands before the text; fairseq's convention is end-of-sentence
        padding: index of padding; the end-of-sentence token is never an input again

    Shape: ``[B, T] -> [B, T]``.
    """
    previous = target.roll(1, dims=1)
    previous[:, 0] = first_token
    # Behind a shorter text stands its end-of-sentence token, which belongs to no prediction: make it padding too.
    return previous.masked_fill(target.eq(padding), padding)
