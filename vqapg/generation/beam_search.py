"""Beam search from one decoder, batched over images and beams."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from vqapg.generation.token_rules import (
    CHECKS_EVERY,
    TokenRules,
    normalised_score,
    with_probability,
)
from vqapg.models.hypothesis import Hypothesis
from vqapg.modules.noise import NoiseKeys
from vqapg.modules.text_decoder import DecoderOutput, LSTMState, Memory, TextDecoder


class BeamSearch:
    """Beam search. As in fairseq, an end among the K best candidates of a row finishes a
    hypothesis.

    fairseq is done with a row at its first K hypotheses, however improbable they are, and so may
    lose a text of probability 0.99 that is longer than K improbable ones. Here the best K are kept,
    and a row is done when none of its beams would be better than the worst of them if it ended with
    the next token, at no cost. Without length normalisation that loses nothing, since
    log-probabilities only fall; with it, a beam that would have become better by growing longer
    still is given up.

    Args:
        beam: K
        length_penalty: finished hypotheses are ordered by log-probability / length **
            length_penalty, end counted
    """

    def __init__(self, rules: TokenRules, beam: int, length_penalty: float = 1.0) -> None:
        self.rules = rules
        self.beam = beam
        self.length_penalty = length_penalty

    def __call__(
        self, decoder: TextDecoder, memory: Memory, state: LSTMState, noise_keys: NoiseKeys
    ) -> list[list[Hypothesis]]:
        """For each row up to K hypotheses, best first; see
        :class:`~vqapg.models.hypothesis.Search`.

        Beam search is deterministic and uses no noise.
        """
        rows, end, device = memory.rows, self.rules.end, state[0].device
        found: list[list[Hypothesis]] = [[] for _ in range(rows)]
        live_rows = torch.arange(rows, device=device)
        finished = _Finished.none(rows, self.beam, device)
        # [N, K, t]; one beam until the first tokens are chosen
        tokens = torch.empty(rows, 1, 0, dtype=torch.long, device=device)
        token_log_probs = torch.empty(rows, 1, 0, device=device)
        previous = torch.full((rows, 1), end, device=device)
        scores = torch.zeros(rows, 1, device=device)
        parents: Tensor | None = None

        for step in range(self.rules.max_len + 1):
            beams = previous.size(1)
            decoded: DecoderOutput = decoder(previous.reshape(-1, 1), memory, state, parents)
            # [N * K, 1, V] -> [N, K, V]
            log_probs = self.rules.log_probs(decoded.logits.squeeze(1), step).view(
                len(live_rows), beams, -1
            )
            vocabulary = log_probs.size(2)
            candidates = (scores.unsqueeze(2) + log_probs).flatten(1)
            # At most K of the best 2K can be ends, so K others to go on with are among them.
            best, index = candidates.topk(min(2 * self.beam, candidates.size(1)), dim=1)
            parent, token = index // vocabulary, index % vocabulary
            chosen = log_probs.flatten(1).gather(1, index)
            ends = token.eq(end)

            first = slice(self.beam)
            finished = finished.joined_by(
                best.masked_fill(~ends, -torch.inf)[:, first],
                parent[:, first],
                token[:, first],
                chosen[:, first],
                tokens,
                token_log_probs,
                self.length_penalty,
            )

            scores, order = best.masked_fill(ends, -torch.inf).topk(
                min(self.beam, best.size(1)), dim=1
            )
            # A row goes on while its best beam, as a text that ends with the next token, would
            # better its worst hypothesis. One that is done has no beams any more, so however long
            # it is carried on it stays as it is.
            goes_on = (
                normalised_score(scores[:, 0], step + 2, self.length_penalty)
                > finished.scores[:, -1]
            )
            scores = scores.masked_fill(~goes_on.unsqueeze(1), -torch.inf)
            parent, token, chosen = (x.gather(1, order) for x in (parent, token, chosen))
            tokens, token_log_probs = (
                _grow(tokens, parent, token),
                _grow(token_log_probs, parent, chosen),
            )
            previous = token
            state_rows = parent + beams * torch.arange(len(live_rows), device=device).unsqueeze(1)

            if (step + 1) % CHECKS_EVERY.get(device.type, 1) == 0:
                keep = goes_on.nonzero().flatten()
                if len(keep) < len(live_rows):
                    done = (~goes_on).nonzero().flatten()
                    for row, hypotheses in zip(
                        live_rows[done].tolist(), finished.select(done).hypotheses()
                    ):
                        found[row] = hypotheses
                    live_rows, finished, memory = (
                        live_rows[keep],
                        finished.select(keep),
                        memory.select(keep),
                    )
                    tokens, token_log_probs, previous, scores, state_rows = (
                        x[keep] for x in (tokens, token_log_probs, previous, scores, state_rows)
                    )
                if not len(keep):
                    break
            # The decoder gathers: what beams of one parent share it computes once.
            state, parents = decoded.state, state_rows.flatten()

        for row, hypotheses in zip(live_rows.tolist(), finished.hypotheses()):
            found[row] = hypotheses
        return with_probability(found)


class _Finished(NamedTuple):
    """The best K texts that have ended, of N rows, best first; a place not filled has the score
    -inf.

    ``scores``, ``totals``, ``lengths`` ``[N, K]``; ``tokens``, ``log_probs`` ``[N, K, t]``, padded
    on the right.
    """

    scores: Tensor
    totals: Tensor
    lengths: Tensor
    tokens: Tensor
    log_probs: Tensor

    @classmethod
    def none(cls, rows: int, beam: int, device: torch.device) -> "_Finished":
        nothing = torch.full((rows, beam), -torch.inf, device=device)
        lengths = torch.zeros(rows, beam, dtype=torch.long, device=device)
        return cls(
            nothing,
            nothing,
            lengths,
            lengths.new_empty(rows, beam, 0),
            nothing.new_empty(rows, beam, 0),
        )

    def joined_by(
        self,
        totals: Tensor,
        parent: Tensor,
        token: Tensor,
        chosen: Tensor,
        tokens: Tensor,
        log_probs: Tensor,
        length_penalty: float,
    ) -> "_Finished":
        """With the texts that end now, of log-probability *totals* ``[N, K]`` (-inf where none
        ends): *tokens* of the beam *parent*, then *token*.
        """
        length = tokens.size(2) + 1
        joined = _Finished(
            normalised_score(totals, length, length_penalty),
            totals,
            torch.full_like(parent, length),
            _grow(tokens, parent, token),
            _grow(log_probs, parent, chosen),
        )
        ours = self._replace(
            tokens=F.pad(self.tokens, (0, 1)), log_probs=F.pad(self.log_probs, (0, 1))
        )
        both = _Finished(*(torch.cat(parts, dim=1) for parts in zip(ours, joined)))
        # Of equals the one that ended first
        order = both.scores.sort(dim=1, descending=True, stable=True).indices[
            :, : self.scores.size(1)
        ]
        return _Finished(
            *(part.gather(1, order) if part.dim() == 2 else _follow(part, order) for part in both)
        )

    def select(self, rows: Tensor) -> "_Finished":
        return _Finished(*(part[rows] for part in self))

    def hypotheses(self) -> Iterator[list[Hypothesis]]:
        """For each row its :class:`Hypothesis` list."""
        for row, (totals, lengths) in enumerate(zip(self.totals.tolist(), self.lengths.tolist())):
            yield [
                Hypothesis(
                    self.tokens[row, place, :length], self.log_probs[row, place, :length], total
                )
                for place, (total, length) in enumerate(zip(totals, lengths))
                if total > -math.inf
            ]


def _follow(history: Tensor, parent: Tensor) -> Tensor:
    """Each beam's history is that of its parent: ``[N, K, t]``, ``[N, K'] -> [N, K', t]``."""
    return history.gather(1, parent.unsqueeze(2).expand(-1, -1, history.size(2)))


def _grow(history: Tensor, parent: Tensor, latest: Tensor) -> Tensor:
    """The parent's history and then the *latest*: ``[N, K, t]``, ``[N, K']``,
    ``[N, K'] -> [N, K', t + 1]``.
    """
    return torch.cat([_follow(history, parent), latest.unsqueeze(2)], dim=2)
