"""Pairs and negatives made of them, as the consistency evaluator is trained on (section 4.6)."""

import numpy as np
import torch

from vqapg.data.negatives import NEGATIVES
from vqapg.data.pair_dataset import PairDataset


class ConsistencyDataset(PairDataset):
    """The pairs of one split; each batch comes with negatives made of it.

    A negative that is a pair which the split lists for that image is none, and is left out. Training draws
    negatives anew each epoch; other splits keep those of epoch 0, so that validation compares like with like.

    Args:
        negatives: "paper" or "hard", see :mod:`vqapg.data.negatives`
    """

    def __init__(self, pairs, dictionary, features, seed, training, negatives):
        super().__init__(pairs, dictionary, features, seed, training)
        self.negatives = NEGATIVES[negatives](pairs)
        # The same number for the same text
        self.question_ids = np.unique([pair.question for pair in pairs], return_inverse=True)[1]
        self.answer_ids = np.unique([pair.answer for pair in pairs], return_inverse=True)[1]
        self.listed = set(self._identities(np.stack([np.arange(len(pairs))] * 3, axis=1)))

    def _identities(self, triples):
        """What triples ``[M, 3]`` are, whichever pairs they were taken from: (image, question, answer) a triple."""
        columns = zip((self.image_rows, self.question_ids, self.answer_ids), triples.T)
        return list(zip(*(ids[pairs].tolist() for ids, pairs in columns)))

    def collater(self, samples):
        indices = np.array(samples, dtype=np.int64)
        if not len(indices):
            return {}
        # A batch has a generator of its own, made of what identifies it: the same over workers and after a restart.
        generator = np.random.default_rng([self.seed, self.epoch, *indices])
        negatives = self.negatives.draw(indices, generator)
        negatives = negatives[[identity not in self.listed for identity in self._identities(negatives)]]
        positives = np.stack([indices] * 3, axis=1)
        triples = np.concatenate([positives, negatives])

        # Every image and every text once, and the triples as rows of them.
        images, image_rows = np.unique(self.image_rows[triples[:, 0]], return_inverse=True)
        questions, question_rows = _distinct(self.question_ids, triples[:, 1])
        answers, answer_rows = _distinct(self.answer_ids, triples[:, 2])
        return {
            "id": torch.from_numpy(indices),
            "nsentences": len(indices),
            "ntokens": int(self.sizes[indices].sum()),
            "net_input": {
                "features": torch.from_numpy(self.features.read(images)),
                "question": self._pad(self.questions, questions),
                "answer": self._pad(self.answers, answers),
                "triples": torch.from_numpy(np.stack([image_rows, question_rows, answer_rows], axis=1)),
            },
            "labels": torch.from_numpy(np.repeat(np.float32([1, 0]), [len(positives), len(negatives)])),
        }


def _distinct(ids, pairs):
    """One pair for each distinct id among the given pairs, and each given pair's place among these."""
    _, first, rows = np.unique(ids[pairs], return_index=True, return_inverse=True)
    return pairs[first], rows
