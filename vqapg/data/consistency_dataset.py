"""Pairs and negatives made of them, as the consistency evaluator is trained on (section 4.6)."""

import numpy as np
import torch

from vqapg.data.negatives import NEGATIVES
from vqapg.data.pair_dataset import PairDataset, pad


class ConsistencyDataset(PairDataset):
    """The pairs of one split; each batch comes with negatives made of it.

    A negative that is a pair which the split lists for that image is none, and is left out. Training draws
    negatives anew each epoch; other splits keep those of epoch 0, so that validation compares like with like.

    Args:
        negatives: "paper" or "hard", see :mod:`vqapg.data.negatives`
    """

    def __init__(self, pairs, dictionary, features, seed, training, negatives):
        super().__init__(pairs, dictionary, features, seed, training)
        self.negatives = NEGATIVES[negatives](self.pairs)
        self.listed = set(self.pairs)

    def _triple(self, image, question, answer):
        """The image of one pair, the question of another, the answer of a third."""
        return self.pairs[image].image, self.pairs[question].question, self.pairs[answer].answer

    def collater(self, samples):
        indices = np.array(samples, dtype=np.int64)
        if not len(indices):
            return {}
        # A batch has a generator of its own, made of what identifies it: the same over workers and after a restart.
        generator = np.random.default_rng([self.seed, self.epoch, *indices])
        positives = [self.pairs[i] for i in indices]
        drawn = [self._triple(*triple) for triple in self.negatives.draw(indices, generator).tolist()]
        negatives = [triple for triple in drawn if triple not in self.listed]
        return {
            "id": torch.from_numpy(indices),
            "nsentences": len(indices),
            "ntokens": int(self.sizes[indices].sum()),
            "net_input": collate_triples([*positives, *negatives], self.dictionary, self.features),
            "labels": torch.from_numpy(np.repeat(np.float32([1, 0]), [len(positives), len(negatives)])),
        }


def collate_triples(triples, dictionary, features):
    """The evaluator's inputs: every distinct image and text once, and the triples as rows of them.

    Args:
        triples: list of (image, question, answer), texts as space-joined tokens

    Returns:
        ``features [U, R, C]``, ``question`` and ``answer`` (ended and padded), ``triples [M, 3]``
    """
    images, questions, answers = (list(dict.fromkeys(column)) for column in zip(*triples))
    places = [{item: row for row, item in enumerate(items)} for items in (images, questions, answers)]
    return {
        "features": torch.from_numpy(features.read([features.rows[image] for image in images])),
        "question": pad(questions, dictionary),
        "answer": pad(answers, dictionary),
        "triples": torch.tensor([[place[item] for place, item in zip(places, triple)] for triple in triples]),
    }
