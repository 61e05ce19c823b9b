"""Of several draws of a pair the one whose answer is likeliest, given the image and its question.

The model itself says how likely, word by word. Where question and answer have one z:

    P(A | I, Q) = E P(A | I, Q, z),    z ~ P(z | I, Q)

No network gives P(z | I, Q). So z is drawn from the posteriors of Q with every answer of the draws,
once each, and weighted (self-normalised importance sampling, balance heuristic: Veach and Guibas
1995, https://doi.org/10.1145/218380.218498):

    z_j ~ P(z | I, Q, A_j), j = 1 ... J
    w_j = P(Q | I, z_j) P(z_j | I) / sum_l P(z_j | I, Q, A_l)
    P(A | I, Q) = sum_j w_j P(A | I, Q, z_j) / sum_j w_j

The posterior of Q and A alone would not do: z then tells the answer to the decoder. A sequential
model that says the answer first gives P(A | I, z) and P(Q | I, z, A) in their place.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vqapg.errors import InputError
from vqapg.models.generation_model import GenerationModel
from vqapg.modules.latent import Gaussian
from vqapg.modules.noise import NoiseKeys, Stream, standard_normal

# Of the answer's own z, which a pipeline's Y-model draws given the question
OWN_DRAWS = 4
# Log-probabilities are compared in tenths of a nat, and of equals the first is kept. Else a sure
# answer would give way to a surer one, and all draws to the few questions that are easiest. Nor
# does rounding of floats, which changes with the batch, decide.
STEPS = 10
# Far above any number of draws: no two uses of a pair's noise meet.
NEXT_CANDIDATE, NEXT_LATENT = 2**24, 2**44


class Images(NamedTuple):
    """What is known of images: ``features [U, R, C]``, and ``regions_real [U, R]`` or None."""

    features: Tensor
    regions_real: Tensor | None = None

    def options(self) -> dict[str, Tensor]:
        """As a model takes them by name; only some can be given images of different R."""
        known = {"features": self.features, "regions_real": self.regions_real}
        return {name: value for name, value in known.items() if value is not None}


class Texts(NamedTuple):
    """Candidates: whose ``row`` each is, its ``question`` and ``answer``, ended, and the first
    place at which it stands.
    """

    row: int
    place: int
    question: Tensor
    answer: Tensor


class Rescoring:
    """Keeps one of K candidates a row.

    Args:
        model: one that ``scores_answers``; any where K is 1
        candidates: K
        separator, end, padding: indices in the dictionary

    Raises:
        InputError: if K is below 1, or above it and the model cannot score answers
    """

    def __init__(
        self, model: GenerationModel, candidates: int, separator: int, end: int, padding: int
    ) -> None:
        if candidates < 1:
            raise InputError(f"--rescore must be at least 1, not {candidates}")
        if candidates > 1 and model.scores_answers is None:
            raise InputError(
                "--rescore has no meaning for this model: it makes the answer without the question,"
                " and cannot say how likely it is given one; leave it out"
            )
        self.model = model
        self.candidates = candidates
        self.separator, self.end, self.padding = separator, end, padding

    def noise_keys(self, noise_keys: NoiseKeys) -> NoiseKeys:
        """The keys of each row's candidates side by side; the first is the row's own.

        Shape: ``[B, 3] -> [B * K, 3]``.
        """
        keys = np.repeat(noise_keys, self.candidates, axis=0)
        keys[:, 1] += NEXT_CANDIDATE * np.tile(np.arange(self.candidates), len(noise_keys))
        return keys

    @torch.no_grad()
    def kept(
        self, tokens: Sequence[Tensor], images: Images, image_index: Tensor, noise_keys: NoiseKeys
    ) -> list[int]:
        """For each row the place of the candidate that is kept, among all candidates.

        Args:
            tokens: of every candidate, "question separator answer end"; what has another form is
                kept only where all candidates of its row have
            images: those that candidates were generated from
            image_index: each candidate's row of *images*
            noise_keys: each candidate's

        Shape: tokens B * K times ``[T]``; image_index ``[B * K]``, noise_keys ``[B * K, 3]``.
        """
        scores = [-math.inf] * len(tokens)
        different: dict[tuple[int, tuple[int, ...]], int] = {}
        same_as, texts = list(range(len(tokens))), []
        for place, text in enumerate(tokens):
            row = place // self.candidates
            same_as[place] = different.setdefault((row, tuple(text.tolist())), place)
            halves = self._halves(text)
            if same_as[place] == place and halves is not None:
                texts.append(Texts(row, place, *halves))
        if texts:
            places = [text.place for text in texts]
            found = self.log_probs(texts, images, image_index[places], noise_keys[places])
            for place, score in zip(places, (STEPS * found).round().tolist()):
                scores[place] = score
        best = []
        for start in range(0, len(tokens), self.candidates):
            row_scores = [scores[same_as[start + k]] for k in range(self.candidates)]
            best.append(start + row_scores.index(max(row_scores)))
        return best

    def log_probs(
        self, texts: Sequence[Texts], images: Images, image_index: Tensor, noise_keys: NoiseKeys
    ) -> Tensor:
        """log P(A | I, Q) of each candidate, in nats, as the model estimates it.

        Args:
            texts: those of a row side by side
            images: see :meth:`kept`
            image_index, noise_keys: of *texts*

        Shape: image_index ``[M]``, noise_keys ``[M, 3]`` -> ``[M]``, float32.
        """
        if self.model.scores_answers == "pair":
            return self._with_pairs_latent(texts, images, image_index, noise_keys)
        question, answer = self._padded(texts)
        found = []
        for draw in range(OWN_DRAWS if self.model.variational else 1):
            keys = noise_keys.copy()
            keys[:, 1] += NEXT_LATENT * (1 + draw)
            found.append(self._said(images, image_index, question, answer, keys, "prior")[1])
        return torch.logsumexp(torch.stack(found), dim=0) - math.log(len(found))

    def _with_pairs_latent(
        self, texts: Sequence[Texts], images: Images, image_index: Tensor, noise_keys: NoiseKeys
    ) -> Tensor:
        """By importance sampling, see above."""
        # One line for every candidate m and every different answer j of its row.
        answers = [
            list({tuple(text.answer.tolist()): text.answer for text in of_row}.values())
            for of_row in (list(group) for _, group in itertools.groupby(texts, lambda t: t.row))
        ]
        of_row = dict(zip(dict.fromkeys(text.row for text in texts), answers))
        lines = [(m, j) for m, text in enumerate(texts) for j in range(len(of_row[text.row]))]
        candidate = [m for m, _ in lines]
        question, answer = (text[candidate] for text in self._padded(texts))
        other = self._pad([of_row[texts[m].row][j] for m, j in lines])
        keys = noise_keys[candidate].copy()
        keys[:, 1] += NEXT_LATENT * np.array([1 + j for _, j in lines])
        of_image = image_index[candidate]

        posterior, prior = self.model.gaussians(
            image_index=of_image, question=question, answer=other, **images.options()
        )
        z = posterior.sample(standard_normal(keys, posterior.mean.size(1), Stream.LATENT))
        log_question, log_answer = self._said(
            images, of_image, question, answer, keys, Gaussian.at(z)
        )
        # [L] -> [M, J]; -inf where a candidate has fewer than J answers to compare with
        counts = torch.tensor([len(of_row[text.row]) for text in texts], device=z.device)
        begins = counts.cumsum(0) - counts
        column = torch.arange(int(counts.max()), device=z.device)
        real = column < counts.unsqueeze(1)
        line = begins.unsqueeze(1) + column.minimum(counts.unsqueeze(1) - 1)
        proposals = torch.stack(
            [
                # The density of every z under one of its candidate's posteriors
                posterior.select(line[candidate, j]).log_density(z)
                for j in range(line.size(1))
            ],
            dim=1,
        ).masked_fill(~real[candidate], -torch.inf)
        log_weight = log_question + prior.log_density(z) - torch.logsumexp(proposals, dim=1)
        weights, weighted = (
            torch.logsumexp(x[line].masked_fill(~real, -torch.inf), dim=1)
            for x in (log_weight, log_weight + log_answer)
        )
        return weighted - weights

    def _said(
        self,
        images: Images,
        image_index: Tensor,
        question: Tensor,
        answer: Tensor,
        noise_keys: NoiseKeys,
        latent_from: str | Gaussian,
    ) -> tuple[Tensor, Tensor]:
        """Log-probabilities of question and answer, each the sum over its words and its end.

        A separator ends the text that comes first. A text that is given counts 0.

        Shape: question and answer ``[B, T] -> [B], [B]``.
        """
        output = self.model(
            image_index=image_index,
            question=question,
            answer=answer,
            noise_keys=noise_keys,
            latent_from=latent_from,
            **images.options(),
        )
        words = {}
        for name, logits in output.logits.items():
            target = output.targets[name].unsqueeze(2)
            # [B, T, V] -> [B, T]
            log_probs = torch.log_softmax(logits.float(), dim=-1).gather(2, target).squeeze(2)
            words[name] = log_probs.masked_fill(output.targets[name].eq(self.padding), 0)
        if "pair" not in words:
            none = torch.zeros(len(question), device=question.device)
            said = {name: log_probs.sum(dim=1) for name, log_probs in words.items()}
            return said.get("question", none), said.get("answer", none)
        answer_first = self.model.order == "aq"
        length = (answer if answer_first else question).ne(self.padding).sum(dim=1, keepdim=True)
        place = torch.arange(words["pair"].size(1), device=question.device)
        first = words["pair"].masked_fill(place >= length, 0).sum(dim=1)
        second = words["pair"].masked_fill(place < length, 0).sum(dim=1)
        return (second, first) if answer_first else (first, second)

    def _padded(self, texts: Sequence[Texts]) -> tuple[Tensor, Tensor]:
        """Questions and answers, ``[M, T]`` each."""
        questions = self._pad([text.question for text in texts])
        return questions, self._pad([text.answer for text in texts])

    def _pad(self, texts: list[Tensor]) -> Tensor:
        return pad_sequence(texts, batch_first=True, padding_value=self.padding)

    def _halves(self, tokens: Tensor) -> tuple[Tensor, Tensor] | None:
        """Question and answer, both ended; None where they are not two texts with words."""
        (places,) = tokens.eq(self.separator).nonzero(as_tuple=True)
        if len(places) != 1 or not 0 < int(places) < len(tokens) - 2:
            return None
        question = tokens[: int(places) + 1].clone()
        question[-1] = self.end
        return question, tokens[int(places) + 1 :]
