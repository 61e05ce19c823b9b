"""Beam search and sampling by the step of the LSTM, against the same by torch's LSTM."""

import pytest
import torch

from tests.support.generation_models import ALL, build, fit, generate
from vqapg.modules import text_decoder


def pairs_of(model, dictionary, batch, **options):
    return [
        [(h["tokens"].tolist(), h["score"], h["positional_scores"].tolist()) for h in row]
        for row in generate(model, dictionary, batch, **options)
    ]


def assert_equal_to_torchs(model, dictionary, batch, **options):
    """The pairs by steps, after they were found to be those by torch's LSTM."""
    found = pairs_of(model, dictionary, batch, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_decoder, "can_step", lambda *_: False)
        patch.setattr(text_decoder, "lstm_step", None)
        expected = pairs_of(model, dictionary, batch, **options)
    assert [[tokens for tokens, *_ in row] for row in found] == [
        [tokens for tokens, *_ in row] for row in expected
    ]
    for row, right in zip(found, expected, strict=True):
        for (_, score, log_probs), (_, right_score, right_log_probs) in zip(row, right):
            assert score == pytest.approx(right_score, abs=1e-5)
            assert log_probs == pytest.approx(right_log_probs, abs=1e-5)
    return found


def rows_of(batch, rows):
    """The batch with so many pairs, over the same images."""
    chosen = torch.arange(rows) % len(batch["question"])
    keys = batch["noise_keys"][chosen.numpy()].copy()
    keys[:, 2] = range(rows)
    parts = {name: batch[name][chosen] for name in ("image_index", "question", "answer")}
    return batch | parts | {"noise_keys": keys}


@pytest.fixture
def steps(monkeypatch):
    """What every call of the step was given as parents."""
    calls = []

    def counted(lstm, embedding, words, state, parents=None):
        calls.append(parents)
        return step(lstm, embedding, words, state, parents)

    step = text_decoder.lstm_step
    monkeypatch.setattr(text_decoder, "lstm_step", counted)
    return calls


@pytest.mark.parametrize("name, order", ALL)
@pytest.mark.parametrize("beam, nbest", [(1, 1), (10, 3)])
def test_pairs_of_every_model_equal_those_by_torchs_lstm(
    name, order, beam, nbest, dictionary, features, batch, steps
):
    model = build(name, dictionary, features, order)
    assert_equal_to_torchs(model, dictionary, batch, beam=beam, nbest=nbest)
    assert steps[0] is None and any(parents is not None for parents in steps)


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_pairs_of_odd_batches_equal_those_by_torchs_lstm(rows, dictionary, features, batch, steps):
    model = build("vqapg_joint_variational", dictionary, features)
    assert_equal_to_torchs(model, dictionary, rows_of(batch, rows), beam=10, nbest=10)
    assert len(steps) > 1


def test_sampled_pairs_equal_those_by_torchs_lstm(dictionary, features, batch, steps):
    model = build("vqapg_joint_variational", dictionary, features)
    assert_equal_to_torchs(model, dictionary, batch, beam=5, nbest=5, sampling=True)
    assert steps and all(parents is None for parents in steps)


def test_pairs_after_more_training_are_those_of_the_new_weights(dictionary, features, batch, steps):
    model = build("vqapg_joint", dictionary, features)
    seen = []
    for updates in (1, 30):
        fit(model, dictionary, batch, updates)
        seen.append(assert_equal_to_torchs(model, dictionary, batch, beam=10))
    assert [row[0][0] for row in seen[0]] != [row[0][0] for row in seen[1]]
    assert len(steps) > 2


def test_half_precision_generates_pairs(dictionary, features, batch, steps):
    model = build("vqapg_joint", dictionary, features).bfloat16()
    for row in generate(model, dictionary, batch, beam=10):
        assert row[0]["score"] < 0 and row[0]["tokens"][-1] == dictionary.eos()
    assert len(steps) > 1
