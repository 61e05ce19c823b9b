"""Sampling from one decoder, token by token, batched over images."""

import torch
from torch import Tensor

from vqapg.generation.token_rules import CHECKS_EVERY, TokenRules, with_probability
from vqapg.models.hypothesis import Hypothesis
from vqapg.modules.noise import NoiseKeys, uniform
from vqapg.modules.text_decoder import DecoderOutput, LSTMState, Memory, TextDecoder


class Sampling:
    """Draws one text a row, token by token; the numbers come from the row's key, whatever the
    batch.

    Args:
        top_k: ``--sampling-topk``, only the k most probable tokens; -1: all
        top_p: ``--sampling-topp``, only the smallest set of tokens with this much probability; -1:
            all
    """

    def __init__(self, rules: TokenRules, top_k: int = -1, top_p: float = -1.0) -> None:
        self.rules = rules
        self.top_k = top_k
        self.top_p = top_p

    def __call__(
        self, decoder: TextDecoder, memory: Memory, state: LSTMState, noise_keys: NoiseKeys
    ) -> list[list[Hypothesis]]:
        """One hypothesis a row; see :class:`~vqapg.models.hypothesis.Search`.

        The random numbers are those of the decoder's ``stream``.
        """
        rows, end, device = memory.rows, self.rules.end, state[0].device
        draws = uniform(noise_keys, self.rules.max_len + 1, decoder.stream).to(device)
        tokens = torch.full((rows, 1), end, device=device)
        log_probs = torch.zeros(rows, 0, device=device)
        for step in range(self.rules.max_len + 1):
            decoded: DecoderOutput = decoder(tokens[:, -1:], memory, state)
            state = decoded.state
            allowed = self.rules.log_probs(decoded.logits.squeeze(1), step)
            token = self._draw(allowed, draws[:, step, None])
            tokens = torch.cat([tokens, token], dim=1)
            log_probs = torch.cat([log_probs, allowed.gather(1, token)], dim=1)
            if (step + 1) % CHECKS_EVERY.get(device.type, 1) == 0 and tokens[:, 1:].eq(end).any(
                dim=1
            ).all():
                break
        lengths = tokens[:, 1:].eq(end).int().argmax(dim=1) + 1
        totals = log_probs.masked_fill(
            torch.arange(log_probs.size(1), device=device) >= lengths.unsqueeze(1), 0
        ).sum(dim=1)
        return with_probability(
            [
                [Hypothesis(tokens[row, 1 : length + 1], log_probs[row, :length], total)]
                for row, (length, total) in enumerate(zip(lengths.tolist(), totals.tolist()))
            ]
        )

    def _draw(self, log_probs: Tensor, number: Tensor) -> Tensor:
        """Inverse of the cumulative distribution, most probable token first.

        Shape: ``[N, V], [N, 1] -> [N, 1]``.
        """
        probs, order = log_probs.double().exp().sort(dim=1, descending=True, stable=True)
        if self.top_k > 0:
            probs[:, self.top_k :] = 0
        if self.top_p > 0:
            # A token stays when those before it do not reach top_p: the set that just reaches it.
            probs = probs.masked_fill(probs.cumsum(dim=1) - probs >= self.top_p, 0)
        cumulative = probs.cumsum(dim=1)
        place = torch.searchsorted(cumulative, number * cumulative[:, -1:], right=True)
        # Rounding may carry the number to the very end: the last token that has any probability.
        last = (probs.gt(0).sum(dim=1, keepdim=True) - 1).clamp_min(0)
        return order.gather(1, torch.minimum(place, last))
