from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fairseq.data import data_utils
from handwritten_data import PAIRS

from vqapg.data.pair_dataset import PairDataset, pad

@pytest.fixture
def store():
    values = np.arange(3 * 2 * 4, dtype=np.float16).reshape(3, 2, 4)
    return SimpleNamespace(
        skipped=frozenset(),
        rows={"c.png": 0, "a.png": 1, "b.png": 2},
        require=lambda image_ids: None,
        read=lambda rows: values[np.asarray(rows)],
        values=values,
    )


def make(dictionary, store, training=False):
    return PairDataset(PAIRS, dictionary, store, seed=1, training=training)


def test_a_batch_names_every_image_once(dictionary, store):
    batch = make(dictionary, store).collater([4, 0, 1, 3])
    inputs = batch["net_input"]
    assert inputs["features"].shape == (2, 2, 4) and inputs["features"].dtype == torch.float16
    for row, index in enumerate([4, 0, 1, 3]):
        expected = store.values[store.rows[PAIRS[index].image]]
        assert np.array_equal(inputs["features"][inputs["image_index"][row]].numpy(), expected)
        for name in ("question", "answer"):
            tokens = inputs[name][row]
            assert dictionary.string(tokens[tokens.ne(dictionary.pad())]) == getattr(PAIRS[index], name)
            assert tokens[tokens.ne(dictionary.pad())][-1] == dictionary.eos()
    assert batch["id"].tolist() == [4, 0, 1, 3] and batch["nsentences"] == 4
    assert batch["ntokens"] == sum(
        len(PAIRS[i].question.split()) + len(PAIRS[i].answer.split()) + 2 for i in (4, 0, 1, 3)
    )


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8])
def test_no_pair_is_dropped_whatever_the_multiple_asked_for(dictionary, store, size):
    dataset = make(dictionary, store)
    batches = dataset.batch_by_size(
        dataset.ordered_indices(), max_sentences=size, required_batch_size_multiple=8
    )
    assert sorted(i for batch in batches for i in batch) == [0, 1, 2, 3, 4]
    assert max(map(len, batches)) == min(size, 5)


def test_pairs_of_images_that_were_left_out_are_left_out_and_the_others_keep_their_numbers(dictionary, store):
    out = PAIRS[0].image
    store.skipped = frozenset([out])
    dataset = make(dictionary, store)
    lines = [line for line, pair in enumerate(PAIRS) if pair.image != out]
    assert 0 < len(lines) < len(PAIRS) and len(dataset) == len(lines)
    batch = dataset.collater(list(range(len(lines))))
    assert batch["id"].tolist() == lines == batch["net_input"]["noise_keys"][:, 2].tolist()
    for row, line in enumerate(lines):
        tokens = batch["net_input"]["question"][row]
        assert dictionary.string(tokens[tokens.ne(dictionary.pad())]) == PAIRS[line].question


def test_only_training_shuffles_and_draws_new_noise_each_epoch(dictionary, store):
    training, test = make(dictionary, store, training=True), make(dictionary, store)
    for dataset in (training, test):
        dataset.set_epoch(3)
    assert test.ordered_indices().tolist() == [0, 1, 2, 3, 4]
    np.random.seed(0)
    orders = {tuple(training.ordered_indices()) for _ in range(10)}
    assert len(orders) > 5 and all(sorted(order) == [0, 1, 2, 3, 4] for order in orders)
    assert training.collater([2])["net_input"]["noise_keys"].tolist() == [[1, 3, 2]]
    assert test.collater([2])["net_input"]["noise_keys"].tolist() == [[1, 0, 2]]
    assert not training.can_reuse_epoch_itr_across_epochs


def test_texts_become_the_numbers_that_fairseq_gives_them(dictionary):
    texts = ["what color is the shape ?", "red", "a zebra", "there is a red circle"]
    rows = [dictionary.encode_line(text, add_if_not_exist=False).long() for text in texts]
    expected = data_utils.collate_tokens(rows, dictionary.pad(), dictionary.eos())
    assert torch.equal(pad(texts, dictionary), expected) and dictionary.unk() in expected
