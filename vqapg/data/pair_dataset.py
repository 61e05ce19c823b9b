"""Question-answer pairs with their images' features, as fairseq reads them."""

import numpy as np
import torch
from fairseq.data import FairseqDataset


class PairDataset(FairseqDataset):
    """The pairs of one split, in the order of its files.

    A batch names every image once: ``features [U, R, C]`` of the distinct images, ``image_index [B]`` into them.

    Pairs of images that were left out when features were made are left out too.

    Args:
        pairs: list of :class:`~vqapg.data.directory.Pair`
        dictionary: fairseq Dictionary
        features: :class:`~vqapg.data.feature_store.FeatureStore`
        seed: of all noise
        training: shuffle the pairs anew each epoch, and draw new noise each epoch

    Raises:
        InputError: if an image of the pairs has no features
    """

    def __init__(self, pairs, dictionary, features, seed, training):
        # A pair's number is its line in the split's files, whatever was left out.
        self.lines = np.array([line for line, pair in enumerate(pairs) if pair.image not in features.skipped])
        pairs = [pairs[line] for line in self.lines]
        features.require(dict.fromkeys(pair.image for pair in pairs))
        self.features = features
        self.image_rows = np.array([features.rows[pair.image] for pair in pairs])
        self.pairs = pairs
        self.dictionary = dictionary
        # In tokens, both ends counted
        self.sizes = np.array([len(p.question.split()) + len(p.answer.split()) + 2 for p in pairs])
        self.seed = seed
        self.training = training
        self.epoch = 0

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        return int(index)

    def num_tokens(self, index):
        return int(self.sizes[index])

    def num_tokens_vec(self, indices):
        return self.sizes[indices]

    def size(self, index):
        return int(self.sizes[index])

    def set_epoch(self, epoch):
        if self.training:
            self.epoch = epoch

    @property
    def can_reuse_epoch_itr_across_epochs(self):
        # Batches are made anew for each epoch, from the epoch's number alone: a resumed run then sees the batches
        # it would have seen.
        return False

    def ordered_indices(self):
        # fairseq calls this under a seed made of --seed and the epoch, and shuffles the batches only.
        return np.random.permutation(len(self)) if self.training else np.arange(len(self))

    def batch_by_size(self, indices, max_tokens=None, max_sentences=None, required_batch_size_multiple=1):
        # fairseq's default multiple of 8 rounds batch sizes down and drops the last pairs of a split.
        return super().batch_by_size(indices, max_tokens, max_sentences, required_batch_size_multiple=1)

    def collater(self, samples):
        indices = np.array(samples, dtype=np.int64)
        if not len(indices):
            return {}
        images, image_index = np.unique(self.image_rows[indices], return_inverse=True)
        lines = self.lines[indices]
        keys = np.stack([np.full_like(lines, self.seed), np.full_like(lines, self.epoch), lines], axis=1)
        return {
            "id": torch.from_numpy(lines),
            "nsentences": len(indices),
            "ntokens": int(self.sizes[indices].sum()),
            "net_input": {
                "features": torch.from_numpy(self.features.read(images)),
                "image_index": torch.from_numpy(image_index),
                "question": pad([self.pairs[i].question for i in indices], self.dictionary),
                "answer": pad([self.pairs[i].answer for i in indices], self.dictionary),
                "noise_keys": keys,
            },
            # No single reference: a pair is judged against its image, by `vqapg evaluate`.
            "target": None,
        }


def pad(texts, dictionary):
    """Texts of space-joined tokens as one LongTensor ``[B, T]``, each ended, padded on the right."""
    # fairseq's encode_line gives the same numbers in ten times the time, most of what a batch then takes to make.
    rows = [[*map(dictionary.index, text.split()), dictionary.eos()] for text in texts]
    padded = np.full((len(rows), max(map(len, rows))), dictionary.pad())
    for place, row in zip(padded, rows):
        place[: len(row)] = row
    return torch.from_numpy(padded)
