"""Question-answer pairs with their images' features, as fairseq reads them."""

from collections.abc import Sequence

import numpy as np
import torch
from fairseq.data import Dictionary, FairseqDataset

from vqapg.data.image_inputs import image_inputs
from vqapg.data.shared_memory import share


class PairDataset(FairseqDataset):
    """The pairs of one split, in the order of its files.

    A batch names every image once: ``features [U, R, C]`` of the distinct images, ``image_index
    [B]`` into them. Where these have different numbers of regions, ``regions_real [U, R]`` tells
    them from padding.

    Pairs of images that were left out when features were made are left out too.

    Args:
        pairs: list of :class:`~vqapg.data.directory.Pair`
        dictionary: fairseq Dictionary
        features: :class:`~vqapg.data.feature_store.FeatureStore`
        seed: of all noise
        training: shuffle the pairs anew each epoch, and draw new noise each epoch
        pairs_per_image: in training, up to so many pairs of an image stay side by side when pairs
            are shuffled

    Raises:
        InputError: if an image of the pairs has no features
    """

    def __init__(self, pairs, dictionary, features, seed, training, pairs_per_image=1):
        # A pair's number is its line in the split's files, whatever was left out.
        self.lines = np.array(
            [line for line, pair in enumerate(pairs) if pair.image not in features.skipped]
        )
        pairs = [pairs[line] for line in self.lines]
        features.require(dict.fromkeys(pair.image for pair in pairs))
        self.features = features
        self.image_rows = np.array([features.rows[pair.image] for pair in pairs])
        self.pairs = pairs
        self.dictionary = dictionary
        self.texts = {
            field: EncodedTexts([getattr(pair, field) for pair in pairs], dictionary)
            for field in ("question", "answer")
        }
        # In tokens, both ends counted
        self.sizes = np.array([len(p.question.split()) + len(p.answer.split()) + 2 for p in pairs])
        self.seed = seed
        self.training = training
        self.pairs_per_image = pairs_per_image
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
        # Batches are made anew for each epoch, from the epoch's number alone: a resumed run then
        # sees the batches it would have seen.
        return False

    def ordered_indices(self):
        # fairseq calls this under a seed made of --seed and the epoch, and shuffles the batches
        # only.
        if not self.training:
            return np.arange(len(self))
        order = np.random.permutation(len(self))
        return (
            order
            if self.pairs_per_image == 1
            else group(order, self.image_rows, self.pairs_per_image)
        )

    def batch_by_size(
        self, indices, max_tokens=None, max_sentences=None, required_batch_size_multiple=1
    ):
        # fairseq's default multiple of 8 rounds batch sizes down and drops the last pairs of a
        # split.
        return super().batch_by_size(
            indices, max_tokens, max_sentences, required_batch_size_multiple=1
        )

    def collater(self, samples):
        indices = np.array(samples, dtype=np.int64)
        if not len(indices):
            return {}
        images, image_index = np.unique(self.image_rows[indices], return_inverse=True)
        lines = self.lines[indices]
        keys = np.stack(
            [np.full_like(lines, self.seed), np.full_like(lines, self.epoch), lines], axis=1
        )
        return share(
            {
                "id": torch.from_numpy(lines),
                "nsentences": len(indices),
                "ntokens": int(self.sizes[indices].sum()),
                "net_input": {
                    **image_inputs(self.features, images),
                    "image_index": torch.from_numpy(image_index),
                    **{field: texts.pad(indices) for field, texts in self.texts.items()},
                    "noise_keys": keys,
                },
                # No single reference: a pair is judged against its image, by `vqapg evaluate`.
                "target": None,
            }
        )


def group(order, image_rows, size):
    """Brings pairs of an image together: each group of up to *size*, in the order given, goes where
    its first stood.

    Args:
        order: ``[B]`` numbers of pairs, shuffled
        image_rows: ``[pairs]``, which image each pair is of
    """
    # Side by side by image, in each image as given
    by_image = order[np.argsort(image_rows[order], kind="stable")]
    image = image_rows[by_image]
    begins = np.flatnonzero(np.r_[True, image[1:] != image[:-1]])
    of_image = np.arange(len(order)) - np.repeat(begins, np.diff(np.r_[begins, len(order)]))
    first = np.maximum.accumulate(np.where(of_image % size == 0, np.arange(len(order)), 0))
    place = np.empty(len(image_rows), dtype=np.int64)
    place[order] = np.arange(len(order))
    return by_image[np.argsort(place[by_image[first]], kind="stable")]


class EncodedTexts:
    """Texts of space-joined tokens, encoded once and kept end to end: few bytes a text, and no work
    a batch.

    Each text ends in end-of-sentence; a word outside *dictionary* is its unknown word.
    """

    def __init__(self, texts, dictionary):
        words = [text.split() for text in texts]
        self.padding = dictionary.pad()
        self.lengths = np.array([len(text) + 1 for text in words], dtype=np.int64)
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.tokens = np.fromiter(
            (token for text in words for token in (*map(dictionary.index, text), dictionary.eos())),
            dtype=np.int32,
            count=self.lengths.sum(),
        )

    def pad(self, rows):
        """The texts of *rows* as one LongTensor ``[B, T]``, padded on the right."""
        lengths, starts = self.lengths[rows], self.starts[rows]
        places = np.arange(lengths.max())
        real = places < lengths[:, None]
        padded = np.full(real.shape, self.padding, dtype=np.int64)
        padded[real] = self.tokens[(starts[:, None] + places)[real]]
        return torch.from_numpy(padded)


def pad(texts: Sequence[str], dictionary: Dictionary) -> torch.Tensor:
    """Texts of space-joined tokens as one LongTensor ``[B, T]``, each ended, padded
    on the right.
    """
    return EncodedTexts(texts, dictionary).pad(np.arange(len(texts)))
