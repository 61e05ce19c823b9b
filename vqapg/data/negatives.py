"""Negative samples for the consistency evaluator (section 4.6)."""

import numpy as np
import torch

from vqapg.data.pair_dataset import PairDataset

ACTIONS = ("images", "questions", "answers", "all")


class ConsistencyDataset(PairDataset):
    """Pairs of one split, each batch with negatives made of it: one of the four actions, drawn at random.

    An action shuffles images, questions, answers, or all three within the batch. A shuffle that reproduces a pair
    that the split lists for that image is no negative, and is left out. Training draws anew each epoch; other
    splits keep the negatives of epoch 0, so that validation compares like with like.
    """

    def __init__(self, pairs, dictionary, features, seed, training):
        super().__init__(pairs, dictionary, features, seed, training)
        self.question_ids = _number([pair.question for pair in pairs])
        self.answer_ids = _number([pair.answer for pair in pairs])
        self.known = set(zip(self.image_rows.tolist(), self.question_ids.tolist(), self.answer_ids.tolist()))

    def collater(self, samples):
        batch = super().collater(samples)
        if not batch:
            return batch
        inputs = batch["net_input"]
        del inputs["noise_keys"]
        image_index = inputs.pop("image_index").numpy()
        indices = batch["id"].numpy()
        positives = np.stack([image_index, np.arange(len(indices)), np.arange(len(indices))], axis=1)
        # A batch has its own generator, made of what identifies it: reproducible over workers and after a restart.
        generator = np.random.default_rng([self.seed, self.epoch, *indices])
        negatives = shuffle(positives, ACTIONS[generator.integers(len(ACTIONS))], generator)
        rows = (
            self.image_rows[indices[first_pair_of(image_index)]][negatives[:, 0]],
            self.question_ids[indices][negatives[:, 1]],
            self.answer_ids[indices][negatives[:, 2]],
        )
        unknown = [triple not in self.known for triple in zip(*(x.tolist() for x in rows))]
        negatives = negatives[unknown]
        inputs["triples"] = torch.from_numpy(np.concatenate([positives, negatives]))
        batch["labels"] = torch.from_numpy(np.repeat(np.float32([1, 0]), [len(positives), len(negatives)]))
        return batch


def shuffle(triples, action, generator):
    """One action of section 4.6 on (image, question, answer) rows ``[B, 3]``; "all" shuffles each on its own.

    Args:
        generator: ``numpy.random.Generator``
    """
    columns = range(3) if action == "all" else [ACTIONS.index(action)]
    shuffled = triples.copy()
    for column in columns:
        shuffled[:, column] = generator.permutation(triples[:, column])
    return shuffled


def first_pair_of(image_index):
    """For each image of a batch, the position of its first pair: ``[B] -> [U]``."""
    return np.unique(image_index, return_index=True)[1]


def _number(texts):
    """The same number for the same text: ``[B]`` integers."""
    numbers = {}
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts])
