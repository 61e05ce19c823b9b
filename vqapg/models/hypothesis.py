"""A generated text, and what a model asks of a search. The searches are in ``generation/``."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vqapg.modules.noise import NoiseKeys
from vqapg.modules.text_decoder import LSTMState, Memory, TextDecoder


class Hypothesis(NamedTuple):
    """A generated text: ``tokens [T]``, ending in end-of-sentence, each token's ``log_probs [T]``
    in nats, their sum.
    """

    tokens: Tensor
    log_probs: Tensor
    total: float

    def split(self, separator: int, end: int) -> "tuple[Hypothesis, Hypothesis] | None":
        """A pair's text as its two texts; None when it has not exactly one separator.

        The first text ends where the separator stood, and with the separator's probability.
        """
        (places,) = self.tokens.eq(separator).nonzero(as_tuple=True)
        if len(places) != 1:
            return None
        length = int(places) + 1
        first, second = self.tokens[:length].clone(), self.tokens[length:]
        first[-1] = end
        first_total = self.log_probs[:length].sum().item()
        return (
            Hypothesis(first, self.log_probs[:length], first_total),
            Hypothesis(second, self.log_probs[length:], self.total - first_total),
        )


def best_texts(found: Sequence[Sequence[Hypothesis]], padding: int) -> Tensor:
    """The best hypothesis of each row, as a text that an encoder reads: ``[B, T]``, padded."""
    return pad_sequence(
        [hypotheses[0].tokens for hypotheses in found], batch_first=True, padding_value=padding
    )


# What a model generates for one row: the hypothesis of each text.
Texts = dict[str, Hypothesis]


class Search(Protocol):
    """Finds texts by a decoder."""

    def __call__(
        self, decoder: TextDecoder, memory: Memory, state: LSTMState, noise_keys: NoiseKeys
    ) -> list[list[Hypothesis]]:
        """For each row its hypotheses, best first.

        Args:
            decoder: says the text
            memory: of B rows; never copied for the beams
            state: the decoder's before the first token
            noise_keys: what random numbers a row draws

        Shape: state h and c, each ``[layers, B, D]``; noise_keys ``[B, 3]``.
        """
