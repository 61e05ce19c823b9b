from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fairseq.data import data_utils

from tests.support.handwritten_data import PAIRS
from vqapg.data.pair_dataset import EncodedTexts, PairDataset, group


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


def test_encoded_texts_are_what_fairseq_encodes_and_pads(dictionary):
    texts = [pair.question for pair in PAIRS] + ["zebra ?", "what"]
    encoded = EncodedTexts(texts, dictionary)
    for rows in ([0], [3, 1, 1], list(range(len(texts)))):
        one_by_one = [
            dictionary.encode_line(texts[row], add_if_not_exist=False).long() for row in rows
        ]
        expected = data_utils.collate_tokens(one_by_one, dictionary.pad(), dictionary.eos())
        assert encoded.pad(np.array(rows)).equal(expected)


def test_a_batch_names_every_image_once(dictionary, store):
    batch = make(dictionary, store).collater([4, 0, 1, 3])
    inputs = batch["net_input"]
    assert inputs["features"].shape == (2, 2, 4) and inputs["features"].dtype == torch.float16
    for row, index in enumerate([4, 0, 1, 3]):
        expected = store.values[store.rows[PAIRS[index].image]]
        assert np.array_equal(inputs["features"][inputs["image_index"][row]].numpy(), expected)
        for name in ("question", "answer"):
            tokens = inputs[name][row]
            assert dictionary.string(tokens[tokens.ne(dictionary.pad())]) == getattr(
                PAIRS[index], name
            )
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


def test_pairs_of_images_that_were_left_out_are_left_out_and_the_others_keep_their_numbers(
    dictionary, store
):
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


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_pairs_of_an_image_are_grouped_as_a_slow_loop_groups_them(size):
    generator = np.random.default_rng(size)
    image_rows = generator.integers(0, 7, 50)
    order = generator.permutation(50)
    groups, open_group = [], {}
    for pair in order:
        image = image_rows[pair]
        if image not in open_group or len(open_group[image]) == size:
            open_group[image] = []
            groups.append(open_group[image])
        open_group[image].append(pair)
    assert group(order, image_rows, size).tolist() == [pair for pairs in groups for pair in pairs]


def test_grouping_shuffles_images_and_their_pairs_and_leaves_other_splits_alone(dictionary, store):
    pairs = [pair for pair in PAIRS for _ in range(10)]
    grouped = PairDataset(pairs, dictionary, store, 1, training=True, pairs_per_image=4)
    np.random.seed(0)
    orders = [grouped.ordered_indices().tolist() for _ in range(2)]
    assert orders[0] != orders[1] and all(
        sorted(order) == list(range(len(pairs))) for order in orders
    )
    images = [pairs[i].image for i in orders[0]]
    assert sum(a != b for a, b in pairwise(images)) < len(images) / 3
    assert PairDataset(
        pairs, dictionary, store, 1, training=False, pairs_per_image=4
    ).ordered_indices().tolist() == list(range(len(pairs)))
