"""Pairs and negatives made of them, as the consistency evaluator is trained on (section 4.6)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from fairseq.data import Dictionary

from vqapg.data.answer_targets import AnswerTargets
from vqapg.data.directory import Pair
from vqapg.data.image_inputs import image_inputs
from vqapg.data.negatives import NEGATIVES
from vqapg.data.pair_dataset import PairDataset, pad
from vqapg.data.shared_memory import share


class ConsistencyDataset(PairDataset):
    """The pairs of one split; each batch comes with negatives made of it.

    Training makes negatives of each batch anew, each epoch. Other splits have the same negatives
    always, by the seed alone, whatever the batch size, so that validation compares like with like.

    Args:
        negatives: a name of :data:`~vqapg.data.negatives.NEGATIVES`
        wrong_answers: by pair, those that people wrote, for "people"
        train: the training pairs, where batches need targets of the losses over answers
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        dictionary: Dictionary,
        features: Any,
        seed: int,
        training: bool,
        negatives: str,
        wrong_answers: Mapping[Pair, Sequence[str]] | None = None,
        train: Sequence[Pair] | None = None,
    ) -> None:
        super().__init__(pairs, dictionary, features, seed, training)
        self.targets = None if train is None else AnswerTargets(self.pairs, train)
        self.negatives = NEGATIVES[negatives](self.pairs, wrong_answers)
        if not training:
            places, self.fixed = self.negatives.draw_fixed(np.random.default_rng(seed))
            # The negatives of pair i are those from starts[i] on, up to starts[i + 1].
            self.starts = np.searchsorted(places, np.arange(len(self.pairs) + 1))

    def _negatives_of(self, indices):
        """Triples ``[M, 3]``, the negatives that go with a batch of pairs."""
        if not self.training:
            return np.concatenate(
                [self.fixed[self.starts[i] : self.starts[i + 1]] for i in indices]
            )
        # A batch has a generator of its own, made of what identifies it: the same over workers and
        # after a restart.
        _, triples = self.negatives.draw(
            indices, np.random.default_rng([self.seed, self.epoch, *indices])
        )
        return triples

    def collater(self, samples):
        indices = np.array(samples, dtype=np.int64)
        if not len(indices):
            return {}
        positives = [self.pairs[i] for i in indices]
        negatives = [self.negatives.texts(triple) for triple in self._negatives_of(indices)]
        triples = [*positives, *negatives]
        batch = {
            "id": torch.from_numpy(indices),
            "nsentences": len(indices),
            "ntokens": int(self.sizes[indices].sum()),
            "net_input": collate_triples(triples, self.dictionary, self.features),
            "labels": torch.from_numpy(
                np.repeat(np.float32([1, 0]), [len(positives), len(negatives)])
            ),
        }
        if self.targets is not None:
            batch |= self.targets.of(positives, distinct(answer for _, _, answer in triples))
        return share(batch)


def distinct(items: Iterable[str]) -> list[str]:
    """Each item once, in the order of first appearance."""
    return list(dict.fromkeys(items))


def collate_triples(
    triples: Sequence[Sequence[str]], dictionary: Dictionary, features: Any
) -> dict[str, torch.Tensor]:
    """The evaluator's inputs: every distinct image and text once, and the triples as rows of them.

    Args:
        triples: list of (image, question, answer), texts as space-joined tokens

    Returns:
        ``features [U, R, C]`` and where there is padding ``regions_real [U, R]``, ``question`` and
        ``answer`` (ended and padded), ``triples [M, 3]``
    """
    images, questions, answers = map(distinct, zip(*triples))
    places = [
        {item: row for row, item in enumerate(items)} for items in (images, questions, answers)
    ]
    return {
        **image_inputs(features, [features.rows[image] for image in images]),
        "question": pad(questions, dictionary),
        "answer": pad(answers, dictionary),
        "triples": torch.tensor(
            [[place[item] for place, item in zip(places, triple)] for triple in triples]
        ),
    }
