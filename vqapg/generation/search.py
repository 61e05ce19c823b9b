"""Beam search and sampling from one decoder, batched over images and beams."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from vqapg.errors import InputError
from vqapg.modules.noise import uniform

# After how many steps a search asks which rows are done. The host waits for a GPU to answer; a CPU knows.
CHECKS_EVERY = {"cpu": 1, "cuda": 4}


class Hypothesis(NamedTuple):
    """A generated text: ``tokens [T]``, ending in end-of-sentence, each token's ``log_probs [T]`` in nats, their sum."""

    tokens: Tensor
    log_probs: Tensor
    total: float

    def split(self, separator, end):
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


@dataclass(frozen=True)
class TokenRules:
    """Which tokens may come when, and how their probabilities are made: stock fairseq's flags.

    Attributes:
        end: end-of-sentence, which also starts a text (fairseq's convention)
        forbidden: tokens that never come (padding and other special symbols)
        unknown, unknown_penalty: ``--unkpen``, taken off the unknown word's log-probability
        min_len, max_len: ``--min-len`` and ``--max-len-b``, in tokens without end-of-sentence
        temperature: ``--temperature``
    """

    end: int
    forbidden: tuple[int, ...]
    unknown: int
    unknown_penalty: float = 0.0
    min_len: int = 1
    max_len: int = 200
    temperature: float = 1.0

    def log_probs(self, logits, step):
        """Logits ``[..., V]`` of the token after *step* others -> log-probabilities, -inf where not allowed."""
        log_probs = torch.log_softmax(logits.float() / self.temperature, dim=-1)
        log_probs[..., list(self.forbidden)] = -torch.inf
        log_probs[..., self.unknown] -= self.unknown_penalty
        if step < self.min_len:
            log_probs[..., self.end] = -torch.inf
        if step >= self.max_len:
            log_probs[..., : self.end] = -torch.inf
            log_probs[..., self.end + 1 :] = -torch.inf
        return log_probs


class BeamSearch:
    """Beam search. As in fairseq, an end among the K best candidates of a row finishes a hypothesis.

    fairseq is done with a row at its first K hypotheses, however improbable they are, and so may lose a text of
    probability 0.99 that is longer than K improbable ones. Here the best K are kept, and a row is done when none
    of its beams would be better than the worst of them if it ended with the next token, at no cost. Without length
    normalisation that loses nothing, since log-probabilities only fall; with it, a beam that would have become
    better by growing longer still is given up.

    Args:
        beam: K
        length_penalty: finished hypotheses are ordered by log-probability / length ** length_penalty, end counted
    """

    def __init__(self, rules, beam, length_penalty=1.0):
        self.rules = rules
        self.beam = beam
        self.length_penalty = length_penalty

    def __call__(self, decoder, memory, state, noise_keys):
        """
        Args:
            decoder: called as :class:`~vqapg.modules.text_decoder.TextDecoder` is
            memory: :class:`~vqapg.modules.text_decoder.Memory` of B rows; never copied for the beams
            state: the decoder's initial state, each tensor ``[layers, B, D]``
            noise_keys: not used, beam search is deterministic

        Returns:
            for each row up to K :class:`Hypothesis`, best first
        """
        rows, end, device = memory.regions.size(0), self.rules.end, memory.regions.device
        found = [None] * rows
        live_rows = torch.arange(rows, device=device)
        finished = _Finished.none(rows, self.beam, device)
        # [N, K, t]; one beam until the first tokens are chosen
        tokens = torch.empty(rows, 1, 0, dtype=torch.long, device=device)
        token_log_probs = torch.empty(rows, 1, 0, device=device)
        previous = torch.full((rows, 1), end, device=device)
        scores = torch.zeros(rows, 1, device=device)

        for step in range(self.rules.max_len + 1):
            beams = previous.size(1)
            decoded = decoder(previous.reshape(-1, 1), memory, state)
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

            finishing = (
                part[:, : self.beam]
                for part in (best.masked_fill(~ends, -torch.inf), parent, token, chosen)
            )
            finished = finished.joined_by(*finishing, tokens, token_log_probs, self.length_penalty)

            scores, order = best.masked_fill(ends, -torch.inf).topk(
                min(self.beam, best.size(1)), dim=1
            )
            # A row goes on while its best beam, as a text that ends with the next token, would better its worst
            # hypothesis. One that is done has no beams any more, so however long it is carried on it stays as it is.
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
            state = tuple(part.index_select(1, state_rows.flatten()) for part in decoded.state)

        for row, hypotheses in zip(live_rows.tolist(), finished.hypotheses()):
            found[row] = hypotheses
        return _checked(found)


class _Finished(NamedTuple):
    """The best K texts that have ended, of N rows, best first; a place not filled has the score -inf.

    ``scores``, ``totals``, ``lengths`` ``[N, K]``; ``tokens``, ``log_probs`` ``[N, K, t]``, padded on the right.
    """

    scores: Tensor
    totals: Tensor
    lengths: Tensor
    tokens: Tensor
    log_probs: Tensor

    @classmethod
    def none(cls, rows, beam, device):
        nothing = torch.full((rows, beam), -torch.inf, device=device)
        lengths = torch.zeros(rows, beam, dtype=torch.long, device=device)
        return cls(
            nothing,
            nothing,
            lengths,
            lengths.new_empty(rows, beam, 0),
            nothing.new_empty(rows, beam, 0),
        )

    def joined_by(self, totals, parent, token, chosen, tokens, log_probs, length_penalty):
        """With the texts that end now, of log-probability *totals* ``[N, K]`` (-inf where none ends): *tokens* of the
        beam *parent*, then *token*."""
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

    def select(self, rows):
        return _Finished(*(part[rows] for part in self))

    def hypotheses(self):
        """For each row its :class:`Hypothesis` list."""
        for row, (totals, lengths) in enumerate(zip(self.totals.tolist(), self.lengths.tolist())):
            yield [
                Hypothesis(
                    self.tokens[row, place, :length], self.log_probs[row, place, :length], total
                )
                for place, (total, length) in enumerate(zip(totals, lengths))
                if total > -math.inf
            ]


def _follow(history, parent):
    """Each beam's history is that of its parent: ``[N, K, t]``, ``[N, K'] -> [N, K', t]``."""
    return history.gather(1, parent.unsqueeze(2).expand(-1, -1, history.size(2)))


def _grow(history, parent, latest):
    """The parent's history and then the *latest*: ``[N, K, t]``, ``[N, K']``, ``[N, K'] -> [N, K', t + 1]``."""
    return torch.cat([_follow(history, parent), latest.unsqueeze(2)], dim=2)


def normalised_score(log_prob, length, length_penalty):
    """Log-probability / length ** penalty, stock fairseq's score; penalty 0 is the plain log-probability."""
    return log_prob / length**length_penalty


class Sampling:
    """Draws one text a row, token by token; the numbers come from the row's key, whatever the batch.

    Args:
        top_k: ``--sampling-topk``, only the k most probable tokens; -1: all
        top_p: ``--sampling-topp``, only the smallest set of tokens with this much probability; -1: all
    """

    def __init__(self, rules, top_k=-1, top_p=-1.0):
        self.rules = rules
        self.top_k = top_k
        self.top_p = top_p

    def __call__(self, decoder, memory, state, noise_keys):
        """As :class:`BeamSearch`; one hypothesis a row. The numbers are those of the decoder's ``stream``."""
        rows, end, device = memory.regions.size(0), self.rules.end, memory.regions.device
        draws = uniform(noise_keys, self.rules.max_len + 1, decoder.stream).to(device)
        tokens = torch.full((rows, 1), end, device=device)
        log_probs = torch.zeros(rows, 0, device=device)
        for step in range(self.rules.max_len + 1):
            decoded = decoder(tokens[:, -1:], memory, state)
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
        return _checked(
            [
                [Hypothesis(tokens[row, 1 : length + 1], log_probs[row, :length], total)]
                for row, (length, total) in enumerate(zip(lengths.tolist(), totals.tolist()))
            ]
        )

    def _draw(self, log_probs, number):
        """Inverse of the cumulative distribution, most probable token first: ``[N, V]``, ``[N, 1] -> [N, 1]``."""
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


def _checked(found: list[list[Hypothesis]]) -> list[list[Hypothesis]]:
    """What was found for each row.

    Raises:
        InputError: where a row has no text with a probability. Weights that are finite, but huge,
            give such logits
    """
    for hypotheses in found:
        if not hypotheses or not all(math.isfinite(text.total) for text in hypotheses):
            raise InputError(
                "the model gives no text a probability, since its weights are too large; give "
                "another checkpoint, or train it anew with --clip-norm"
            )
    return found
