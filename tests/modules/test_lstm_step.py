import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vqapg.modules.lstm_step import can_step, lstm_step

WORDS, WIDTH, DIM = 13, 5, 6


def make(layers=2, dtype=torch.float32):
    torch.manual_seed(layers)
    embedding = nn.Embedding(WORDS, WIDTH, padding_idx=1)
    lstm = nn.LSTM(WIDTH, DIM, layers, batch_first=True, dropout=0.5 if layers > 1 else 0.0)
    for parameter in lstm.parameters():
        parameter.data.mul_(3)  # gates from shut to open
    return lstm.to(dtype).eval(), embedding.to(dtype)


def make_state(layers, rows, dtype=torch.float32):
    return torch.randn(layers, rows, DIM, dtype=dtype), torch.randn(layers, rows, DIM, dtype=dtype)


def by_cells(lstm, embedding, words, state, parents):
    """The same by torch's own cell, row by row."""
    latest = [torch.empty(lstm.num_layers, len(words), DIM, dtype=state[0].dtype) for _ in "hc"]
    for row, word in enumerate(words):
        below = embedding.weight[word][None]
        parent = row if parents is None else int(parents[row])
        for layer in range(lstm.num_layers):
            cell = nn.LSTMCell(below.size(1), DIM, dtype=state[0].dtype)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(cell, name).data = getattr(lstm, f"{name}_l{layer}").data
            before = tuple(part[layer, parent][None] for part in state)
            below, kept = cell(below, before)
            latest[0][layer, row], latest[1][layer, row] = below[0], kept[0]
    return tuple(latest)


def by_lstm(lstm, embedding, words, state, parents):
    if parents is not None:
        state = tuple(part[:, parents] for part in state)
    return lstm(embedding(words[:, None]), state)[1]


def parents_of(kind, rows):
    return {
        "none": None,
        "own": torch.arange(rows),
        "turned": torch.arange(rows).flip(0),
        "drawn": torch.randint(rows, (rows,)),
        "one": torch.full((rows,), rows - 1),
    }[kind]


@pytest.mark.parametrize("reference", [by_cells, by_lstm])
@pytest.mark.parametrize("kind", ["none", "own", "turned", "drawn", "one"])
@pytest.mark.parametrize("layers, rows", [(1, 7), (2, 1), (2, 31), (3, 10)])
@torch.no_grad()
def test_a_step_equals_torchs_lstm(layers, rows, kind, reference):
    lstm, embedding = make(layers)
    state, words = make_state(layers, rows), torch.randint(WORDS, (rows,))
    parents = parents_of(kind, rows)
    hidden, found = lstm_step(lstm, embedding, words, state, parents)
    expected = reference(lstm, embedding, words, state, parents)
    for part, right in zip(found, expected, strict=True):
        torch.testing.assert_close(part, right, atol=1e-5, rtol=0)
    assert torch.equal(hidden, found[0][-1])


@torch.no_grad()
def test_more_or_fewer_rows_may_go_on_than_came():
    lstm, embedding = make()
    state = make_state(2, 4)
    for parents in (torch.tensor([3]), torch.tensor([0, 3, 3, 1, 0, 0, 2])):
        words = torch.randint(WORDS, parents.shape)
        _, found = lstm_step(lstm, embedding, words, state, parents)
        for part, right in zip(found, by_lstm(lstm, embedding, words, state, parents)):
            torch.testing.assert_close(part, right, atol=1e-5, rtol=0)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
@torch.no_grad()
def test_half_precision_errs_at_most_half_more_than_torchs(precision):
    lstm, embedding = make(dtype=precision)
    state, words = make_state(2, 200, precision), torch.randint(WORDS, (200,))
    parents = torch.randint(200, (200,))
    _, found = lstm_step(lstm, embedding, words, state, parents)
    torchs = by_lstm(lstm, embedding, words, state, parents)
    assert found[0].dtype == found[1].dtype == precision
    exact = by_lstm(
        lstm.float(), embedding.float(), words, tuple(part.float() for part in state), parents
    )
    for part, of_torch, right in zip(found, torchs, exact, strict=True):
        assert (part - right).abs().mean() <= 1.5 * (of_torch - right).abs().mean()


@torch.no_grad()
def test_double_precision_stays_double():
    lstm, embedding = make(dtype=torch.float64)
    state, words = make_state(2, 9, torch.float64), torch.randint(WORDS, (9,))
    _, found = lstm_step(lstm, embedding, words, state)
    for part, right in zip(found, by_lstm(lstm, embedding, words, state, None)):
        torch.testing.assert_close(part, right, atol=1e-12, rtol=0)


@pytest.mark.parametrize("kind", ["none", "own", "drawn"])
@torch.no_grad()
def test_state_before_the_step_is_left_as_it_was(kind):
    lstm, embedding = make()
    state = make_state(2, 8)
    before = [part.clone() for part in state]
    lstm_step(lstm, embedding, torch.randint(WORDS, (8,)), state, parents_of(kind, 8))
    assert all(torch.equal(part, kept) for part, kept in zip(state, before))


@torch.no_grad()
def test_distinct_words_and_parents_are_multiplied_once():
    lstm, embedding = make()
    words, parents = torch.tensor([4, 5] * 10), torch.tensor([0, 0, 0, 0, 7] * 4)
    with FlopCounterMode(display=False) as counter:
        lstm_step(lstm, embedding, words, make_state(2, 8), parents)
    # Two words, and two parents in two layers; twenty rows in the second layer's input
    products = 2 * WIDTH + 2 * 2 * DIM + 20 * DIM
    assert counter.get_total_flops() == 2 * products * 4 * DIM


@pytest.mark.parametrize("change", ["in place", "optimizer", "loaded", "replaced"])
def test_weights_that_change_are_seen_by_the_next_step(change):
    lstm, embedding = make()
    other, other_embedding = make(2)
    for parameter in other.parameters():
        parameter.data.neg_()
    state, words, parents = make_state(2, 8), torch.randint(WORDS, (8,)), torch.arange(8) // 2
    with torch.no_grad():
        _, before = lstm_step(lstm, embedding, words, state, parents)
    if change == "in place":
        for parameter in [*lstm.parameters(), *embedding.parameters()]:
            parameter.data.mul_(0.5)
    elif change == "optimizer":
        optimizer = torch.optim.SGD([*lstm.parameters(), *embedding.parameters()], lr=1.0)
        lstm(embedding(words[:, None]))[0].sum().backward()
        optimizer.step()
    elif change == "loaded":
        lstm.load_state_dict(other.state_dict())
        embedding.load_state_dict(other_embedding.state_dict())
    else:
        lstm.weight_ih_l0 = nn.Parameter(other.weight_ih_l0.detach().clone())
        embedding.weight = nn.Parameter(2 * other_embedding.weight.detach())
    with torch.no_grad():
        _, after = lstm_step(lstm, embedding, words, state, parents)
        for part, right in zip(after, by_lstm(lstm, embedding, words, state, parents)):
            torch.testing.assert_close(part, right, atol=1e-5, rtol=0)
    assert not torch.allclose(after[0], before[0], atol=1e-3)


def test_a_step_stands_for_the_lstm_at_inference_on_a_cpu_only():
    lstm, _ = make()
    word, two, meta = torch.zeros(3, 1), torch.zeros(3, 2), torch.zeros(3, 1, device="meta")
    assert not can_step(lstm, word)  # a gradient may be asked for
    with torch.inference_mode():
        assert can_step(lstm, word)
        assert not can_step(lstm, two) and not can_step(lstm, meta)
        assert not can_step(lstm.train(), word)
        with torch.autocast("cpu", torch.bfloat16):
            assert not can_step(lstm.eval(), word)
