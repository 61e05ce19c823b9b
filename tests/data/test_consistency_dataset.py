import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from handwritten_data import PAIRS

from vqapg.data.consistency_dataset import ConsistencyDataset
from vqapg.data.directory import Pair
from vqapg.data.negatives import ACTIONS, HardNegatives, PaperNegatives, shuffle

@pytest.fixture
def make(dictionary):
    values = np.arange(3 * 2 * 4, dtype=np.float16).reshape(3, 2, 4)
    rows = {"c.png": 0, "a.png": 1, "b.png": 2}
    store = SimpleNamespace(
        skipped=frozenset(),
        rows=rows, require=lambda image_ids: None, read=lambda wanted: values[np.asarray(wanted)]
    )

    def make(training, negatives, seed=1):
        dataset = ConsistencyDataset(PAIRS, dictionary, store, seed, training, negatives)
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


@pytest.mark.parametrize("negatives", ["paper", "hard"])
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


@pytest.mark.parametrize("negatives", ["paper", "hard"])
@pytest.mark.parametrize("training", [True, False])
def test_training_draws_negatives_anew_and_validation_keeps_them(make, training, negatives):
    dataset, drawn = make(training, negatives), set()
    for epoch in range(8):
        dataset.set_epoch(epoch)
        first, again = (tuple(triples_of(dataset, dataset.collater([0, 1, 2, 3, 4]))) for _ in range(2))
        assert first == again
        drawn.add(first)
    assert (len(drawn) > 1) == training


@pytest.mark.parametrize("negatives", ["paper", "hard"])
def test_another_seed_draws_other_negatives(make, negatives):
    drawn = set()
    for seed in range(8):
        dataset = make(True, negatives, seed)
        drawn.add(tuple(triples_of(dataset, dataset.collater([0, 1, 2, 3, 4]))))
    assert len(drawn) > 1


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_shuffles_what_it_says_and_nothing_else(action):
    triples = np.stack([np.arange(50)] * 3, axis=1)
    shuffled = shuffle(triples, action, np.random.default_rng(0))
    changed = {"images": [0], "questions": [1], "answers": [2], "all": [0, 1, 2]}[action]
    for column in range(3):
        assert sorted(shuffled[:, column]) == list(range(50))
        assert np.array_equal(shuffled[:, column], triples[:, column]) == (column not in changed)
    if action == "all":  # each on its own: nothing that belonged together is kept together
        assert not np.array_equal(shuffled[:, 0], shuffled[:, 1])


def changed_columns(triples, batch):
    return [tuple(np.flatnonzero(triple != pair)) for triple, pair in zip(triples, batch)]


def test_the_papers_action_is_one_for_the_whole_batch_and_all_four_come():
    batch, generator, actions = np.arange(40), np.random.default_rng(0), set()
    for _ in range(60):
        columns = set(sum(changed_columns(PaperNegatives(None).draw(batch, generator), batch), ()))
        assert columns in ({0}, {1}, {2}, {0, 1, 2})
        actions.add(frozenset(columns))
    assert len(actions) == 4


def test_hard_negatives_choose_for_each_pair_and_keep_type_or_image():
    pairs = [Pair(f"{i // 4}.png", f"{('what color', 'is there')[i % 2]} {i} ?", f"a{i}") for i in range(400)]
    batch = np.arange(100, 140)
    negatives, generator = HardNegatives(pairs), np.random.default_rng(0)
    kinds = {"image": 0, "question": 0, "same type": 0, "same image": 0, "in batch": 0, "all": 0}
    for _ in range(100):
        for triple, pair in zip(negatives.draw(batch, generator), batch):
            changed = triple != pair
            if changed.sum() > 1:
                kinds["all"] += 1
                assert set(triple) <= set(batch)
            elif changed[0] or changed[1]:
                kinds["image" if changed[0] else "question"] += 1
                assert triple[0] in batch and triple[1] in batch
            elif changed[2]:
                if triple[2] not in batch:  # from anywhere in the split: of the same type
                    kinds["same type"] += 1
                    assert triple[2] % 2 == pair % 2
                elif triple[2] // 4 == pair // 4:
                    kinds["same image"] += 1
                else:
                    kinds["in batch"] += 1
    # Each of six actions about 667 times of 4,000
    assert all(count > 350 for count in kinds.values()), kinds


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


@pytest.mark.parametrize("negatives", ["paper", "hard"])
def test_a_worker_that_has_only_a_pickle_gives_the_same_batch(dictionary, negatives):
    dataset = ConsistencyDataset(PAIRS, dictionary, Store(), 1, True, negatives)
    dataset.set_epoch(2)
    batch, copy = dataset.collater([4, 1, 2]), pickle.loads(pickle.dumps(dataset)).collater([4, 1, 2])
    assert batch["net_input"].keys() == copy["net_input"].keys() and torch.equal(batch["labels"], copy["labels"])
    for name, value in batch["net_input"].items():
        assert torch.equal(value, copy["net_input"][name]), name
