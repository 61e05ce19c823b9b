"""The decoder of section 4: two-layer LSTM with attention over the regions."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vqapg.modules.attention import attend
from vqapg.modules.lstm_step import LSTMState as LSTMState
from vqapg.modules.lstm_step import can_step, lstm_step
from vqapg.modules.noise import NoiseKeys, Stream
from vqapg.modules.regions import Regions, count_rows, mean_region, select_real, select_rows
from vqapg.modules.text import drop_words, shift_right


class SpecialTokens(NamedTuple):
    """Indices in the dictionary: ``end``, which also starts a text (fairseq's convention),
    ``padding``, ``unknown``, and the ``separator`` between question and answer.
    """

    end: int
    padding: int
    unknown: int
    separator: int


class Memory(NamedTuple):
    """What B texts are decoded from: their ``regions``, scaled where there is region scaling; in a
    Y-model also the encodings of X's tokens ``text [B, T, D]`` and bool ``text_real [B, T]``,
    False on padding. So is ``regions_real [B, R]``, which is None where no region is padding.
    """

    regions: Regions
    text: Tensor | None = None
    text_real: Tensor | None = None
    regions_real: Tensor | None = None

    @property
    def rows(self) -> int:
        """B."""
        return count_rows(self.regions)

    def select(self, rows: Tensor) -> "Memory":
        """The memory of the given rows."""
        text = None if self.text is None else self.text[rows]
        text_real = select_real(self.text_real, rows)
        regions_real = select_real(self.regions_real, rows)
        return Memory(select_rows(self.regions, rows), text, text_real, regions_real)


class DecoderOutput(NamedTuple):
    """``logits [M, T, V]``, ``attention [M, T, R]`` over regions, LSTM ``state`` (h, c), each
    ``[layers, M, D]``.
    """

    logits: Tensor
    attention: Tensor
    state: LSTMState


class TextDecoder(nn.Module):
    """Two-layer LSTM, dot-product attention alike equation 1, output from [state ; attended].

    There is no input feeding, so one call covers any number of steps: a whole teacher-forced text,
    or one step of generation with the state of the step before. As in fairseq's LSTM decoder,
    [state ; attended] is brought back to the state's width before the dictionary: tanh(W [state ;
    attended]), Luong et al. 2015, equation 5, https://arxiv.org/abs/1508.04025.

    Args:
        text: what it says, "question", "answer" or "pair": selects the random numbers it draws
        special: :class:`SpecialTokens`
        embedding: token embedding, shared with the text encoder; its size is the dictionary's
        memory_dim: width of regions, and of the text attended to
        dim: width of the LSTM's states
        latent_dim: width Z of the latent variable, None without one
        reads_text: attend, separately, over the tokens of a text too, and start from its encoding
            (the Y-model)
        word_dropout: probability that an input token is hidden from it in training
    """

    def __init__(
        self,
        text: str,
        special: SpecialTokens,
        embedding: nn.Embedding,
        memory_dim: int,
        dim: int,
        latent_dim: int | None = None,
        reads_text: bool = False,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        layers: int = 2,
    ) -> None:
        super().__init__()
        self.stream, self.words_stream = Stream[text.upper()], Stream[f"{text.upper()}_WORDS"]
        self.special = special
        self.word_dropout = word_dropout
        self.embedding = embedding
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(embedding.embedding_dim, dim, layers, batch_first=True, dropout=dropout)
        # A dot product needs equal widths. Of a text it asks something else than of the regions.
        self.query = nn.Identity() if memory_dim == dim else nn.Linear(dim, memory_dim, bias=False)
        self.text_query = nn.Linear(dim, memory_dim, bias=False) if reads_text else None
        self.combine = nn.Linear(dim + (2 if reads_text else 1) * memory_dim, dim)
        self.output = nn.Linear(dim, embedding.num_embeddings)
        # h and c of every layer, from the mean region, from z, and from the text read
        self.state_from_image = nn.Linear(memory_dim, 2 * layers * dim)
        self.state_from_latent = (
            None if latent_dim is None else nn.Linear(latent_dim, 2 * layers * dim, bias=False)
        )
        self.state_from_text = (
            nn.Linear(memory_dim, 2 * layers * dim, bias=False) if reads_text else None
        )

    def initial_state(
        self,
        regions: Regions,
        latent: Tensor | None = None,
        text: Tensor | None = None,
        real: Tensor | None = None,
    ) -> LSTMState:
        """The LSTM's state before the first token: a linear map of the mean region, plus one of z
        (section 4.5).

        Args:
            regions: of the image, as a rule unscaled (``Conditioning.start``)
            latent: z, None in a model without latent variable
            text: the encoding of the text read, None where none is
            real: False on padding among the regions, None where there is none

        Shape:
            regions ``[B, R, D]`` or shared by B pairs, latent ``[B, Z]``, text ``[B, D]``, real
            ``[B, R]`` -> h and c, each ``[layers, B, dim]``
        """
        state = self.state_from_image(mean_region(regions, real))
        if self.state_from_latent is not None:
            state = state + self.state_from_latent(latent)
        if self.state_from_text is not None:
            state = state + self.state_from_text(text)
        # [B, 2 * layers * dim] -> 2 x [layers, B, dim]
        state = state.view(state.size(0), 2, self.lstm.num_layers, self.lstm.hidden_size)
        hidden, cell = state.permute(1, 2, 0, 3).unbind(0)
        return hidden.contiguous(), cell.contiguous()

    def forward(
        self,
        previous_tokens: Tensor,
        memory: Memory,
        state: LSTMState,
        parents: Tensor | None = None,
    ) -> DecoderOutput:
        """One step, or all steps of a text.

        Args:
            previous_tokens: the tokens before those to predict
            memory: of B rows
            state: before the first of these steps
            parents: the row of *state* that each row goes on from; None where it is its own

        Shape:
            previous_tokens ``[M, T]``, where M is B, or B * K with the K beams of a row side by
            side; state h and c, each ``[layers, M, dim]``, or of any number of rows where there
            are parents ``[M]``
        """
        rows, steps = previous_tokens.shape
        if can_step(self.lstm, previous_tokens):
            hidden, state = lstm_step(
                self.lstm, self.embedding, previous_tokens.squeeze(1), state, parents
            )
        else:
            if parents is not None:
                state = state[0].index_select(1, parents), state[1].index_select(1, parents)
            hidden, state = self.lstm(self.dropout(self.embedding(previous_tokens)), state)
        # All beams and steps of a row ask its memory in one product: [M, T, dim] -> [B, K * T, dim]
        asked = hidden.reshape(memory.rows, -1, hidden.size(-1))
        attended, attention = attend(self.query(asked), memory.regions, memory.regions_real)
        parts = [asked, attended]
        if self.text_query is not None:
            if memory.text is None:
                raise ValueError("this decoder reads a text, and the memory has none")
            parts.append(attend(self.text_query(asked), memory.text, memory.text_real).attended)
        combined = torch.tanh(self.combine(self.dropout(torch.cat(parts, dim=-1))))
        # [B, K * T, dim] -> [M, T, V]
        logits = self.output(self.dropout(combined.reshape(rows, steps, -1)))
        return DecoderOutput(logits, attention.reshape(rows, steps, -1), state)

    def teacher_forced(
        self, text: Tensor, memory: Memory, state: LSTMState, noise_keys: NoiseKeys
    ) -> DecoderOutput:
        """All steps of a given text at once.

        Args:
            text: ended and padded
            memory: what it is decoded from
            state: before its first token
            noise_keys: of word dropout

        Shape: text ``[B, T]``, noise_keys ``[B, 3]``.
        """
        previous = shift_right(text, self.special.end, self.special.padding)
        if self.training and self.word_dropout > 0:
            previous = drop_words(
                previous,
                noise_keys,
                self.words_stream,
                self.word_dropout,
                self.special.unknown,
                self.special.padding,
            )
        decoded: DecoderOutput = self(previous, memory, state)
        return decoded
