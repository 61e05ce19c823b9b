import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.support.handwritten_data import PAIRS, WRONG_ANSWERS
from vqapg.data.consistency_dataset import ConsistencyDataset
from vqapg.data.negatives import NEGATIVES


@pytest.fixture
def make(dictionary):
    values = np.arange(3 * 2 * 4, dtype=np.float16).reshape(3, 2, 4)
    rows = {"c.png": 0, "a.png": 1, "b.png": 2}
    store = SimpleNamespace(
        skipped=frozenset(),
        rows=rows,
        require=lambda image_ids: None,
        read=lambda wanted: values[np.asarray(wanted)],
    )

    def make(training, negatives, seed=1):
        dataset = ConsistencyDataset(
            PAIRS, dictionary, store, seed, training, negatives, WRONG_ANSWERS
        )
        dataset.image_of = {tuple(values[row].ravel()): image for image, row in rows.items()}
        dataset.string = lambda tokens: dictionary.string(tokens[tokens.ne(dictionary.pad())])
        return dataset

    return make


def triples_of(dataset, batch):
    """Image, question and answer of every triple, as text."""
    inputs = batch["net_input"]
    return [
        (
            dataset.image_of[tuple(inputs["features"][image].numpy().ravel())],
            dataset.string(inputs["question"][question]),
            dataset.string(inputs["answer"][answer]),
        )
        for image, question, answer in inputs["triples"].tolist()
    ]


@pytest.mark.parametrize("negatives", ["paper", "hard", "people"])
def test_positives_are_the_pairs_and_no_negative_is_a_listed_pair(make, negatives):
    dataset = make(True, negatives)
    seen, listed = 0, {tuple(pair) for pair in PAIRS}
    for epoch in range(40):
        dataset.set_epoch(epoch)
        batch = dataset.collater([4, 1, 2, 3, 0])
        triples, labels = triples_of(dataset, batch), batch["labels"].tolist()
        assert triples[:5] == [tuple(PAIRS[i]) for i in (4, 1, 2, 3, 0)] and labels[:5] == [1] * 5
        assert labels[5:] == [0] * (len(triples) - 5) and len(triples) <= 10
        assert not set(triples[5:]) & listed
        seen += len(triples) - 5
        # No image and no text is encoded twice.
        for name in ("question", "answer"):
            rows = [tuple(row) for row in batch["net_input"][name].tolist()]
            assert len(rows) == len(set(rows))
    assert seen > 40


@pytest.mark.parametrize("negatives", NEGATIVES)
@pytest.mark.parametrize("training", [True, False])
def test_training_draws_negatives_anew_and_validation_keeps_them(make, training, negatives):
    dataset, drawn = make(training, negatives), set()
    for epoch in range(8):
        dataset.set_epoch(epoch)
        first, again = (
            tuple(triples_of(dataset, dataset.collater([0, 1, 2, 3, 4]))) for _ in range(2)
        )
        assert first == again
        drawn.add(first)
    assert (len(drawn) > 1) == training


@pytest.mark.parametrize("negatives", NEGATIVES)
def test_another_seed_draws_other_negatives(make, negatives):
    drawn = set()
    for seed in range(8):
        dataset = make(True, negatives, seed)
        drawn.add(tuple(triples_of(dataset, dataset.collater([0, 1, 2, 3, 4]))))
    assert len(drawn) > 1


@pytest.mark.parametrize("negatives", NEGATIVES)
def test_validation_has_the_same_negatives_whatever_the_batch(make, negatives):
    def drawn(seed, *batches):
        dataset = make(False, negatives, seed)
        triples = []
        for batch in batches:
            triples += triples_of(dataset, dataset.collater(batch))[len(batch) :]
        return sorted(triples)

    whole = drawn(3, [0, 1, 2, 3, 4])
    assert whole == drawn(3, [0], [1], [2], [3], [4]) == drawn(3, [4, 0], [1, 3, 2])
    assert len({tuple(drawn(seed, [0, 1, 2, 3, 4])) for seed in range(8)}) > 1
    # They are those that the negatives themselves give for the split and the seed.
    fixed = NEGATIVES[negatives](PAIRS, WRONG_ANSWERS)
    assert whole == sorted(
        fixed.texts(triple) for triple in fixed.draw_fixed(np.random.default_rng(3))[1]
    )


def test_published_negatives_that_are_pairs_are_labelled_0(make):
    dataset, listed = make(True, "published"), {tuple(pair) for pair in PAIRS}
    accidental = 0
    for epoch in range(10):
        dataset.set_epoch(epoch)
        batch = dataset.collater([4, 1, 2, 3, 0])
        assert batch["labels"].tolist() == [1] * 5 + [0] * 5
        accidental += len(set(triples_of(dataset, batch)[5:]) & listed)
    assert accidental > 0


def test_labels_are_single_precision(make):
    batch = make(True, "paper").collater([0, 1, 2])
    assert batch["labels"].dtype == torch.float32 and batch["nsentences"] == 3


class Store:
    """A feature store that can be pickled."""

    rows, skipped = {"c.png": 0, "a.png": 1, "b.png": 2}, frozenset()

    def require(self, image_ids):
        pass

    def read(self, rows):
        return np.arange(24, dtype=np.float16).reshape(3, 2, 4)[rows]


@pytest.mark.parametrize("negatives", NEGATIVES)
def test_a_worker_that_has_only_a_pickle_gives_the_same_batch(dictionary, negatives):
    dataset = ConsistencyDataset(PAIRS, dictionary, Store(), 1, True, negatives, WRONG_ANSWERS)
    dataset.set_epoch(2)
    batch, copy = (
        dataset.collater([4, 1, 2]),
        pickle.loads(pickle.dumps(dataset)).collater([4, 1, 2]),
    )
    assert batch["net_input"].keys() == copy["net_input"].keys() and torch.equal(
        batch["labels"], copy["labels"]
    )
    for name, value in batch["net_input"].items():
        assert torch.equal(value, copy["net_input"][name]), name
