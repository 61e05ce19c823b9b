"""One step of an LSTM over words, for generation on a CPU: what rows share is computed once."""

import torch
from torch import Tensor, nn

# h and c of an LSTM, each [layers, M, D].
LSTMState = tuple[Tensor, Tensor]


def can_step(lstm: nn.LSTM, words: Tensor) -> bool:
    """Whether :func:`lstm_step` may stand for *lstm*: one word a row, on a CPU, no gradient.

    On a GPU cuDNN's own step stays, until the two have been measured there. Under autocast each
    product would choose its own precision, and the sums in place would not.
    """
    return (
        words.size(1) == 1
        and words.device.type == "cpu"
        and not lstm.training
        and not torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
    )


def lstm_step(
    lstm: nn.LSTM,
    embedding: nn.Embedding,
    words: Tensor,
    state: LSTMState,
    parents: Tensor | None = None,
) -> tuple[Tensor, LSTMState]:
    """What *lstm* gives for one word a row, without dropout.

    oneDNN's LSTM reaches 59% of the rate of a matrix product at a single step. Here each distinct
    word is multiplied once, and so is each distinct parent. Nothing is kept between calls, so
    weights may change at any time, and memory does not grow with the vocabulary.

    Args:
        lstm: one direction, with biases
        embedding: of the words
        words: what each row reads
        state: h and c of P rows, which M rows go on from
        parents: the row of *state* that each row goes on from; None where it is its own

    Shape:
        words ``[M]``, state each ``[layers, P, D]``, parents ``[M]`` -> the top layer's h
        ``[M, D]``, and h and c, each ``[layers, M, D]``

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html, the equations
    """
    distinct, place = (None, None) if parents is None else _distinct(parents)
    below, hidden, cell = None, [], []
    for layer in range(lstm.num_layers):
        weight_in, weight_hidden, *biases = (
            getattr(lstm, f"{name}_l{layer}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        # [P, D] -> [M, 4 D], the product over distinct parents only
        before = _rows(state[0][layer], distinct)
        gates = _rows(torch.addmm(sum(biases), before, weight_hidden.t()), place)
        if below is None:
            word, place_of_word = _distinct(words)
            gates += (embedding(word) @ weight_in.t()).index_select(0, place_of_word)
        else:
            # Not addmm_: torch's counter of operations does not know it.
            torch.addmm(gates, below, weight_in.t(), out=gates)
        below, latest = _cell(gates, _rows(state[1][layer], parents))
        hidden.append(below)
        cell.append(latest)
    return hidden[-1], (torch.stack(hidden), torch.stack(cell))


def _cell(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """h and c after *gates* ``[M, 4 D]``, which are spent, and before them *cell* ``[M, D]``."""
    precision, dim = cell.dtype, cell.size(1)
    # float32: half would round each of the products
    gates = gates.float() if precision.itemsize < 4 else gates
    gates[:, : 2 * dim].sigmoid_()
    gates[:, 2 * dim : 3 * dim].tanh_()
    gates[:, 3 * dim :].sigmoid_()
    let_in, keep, new, let_out = gates.chunk(4, dim=1)
    latest = torch.mul(keep, cell).addcmul_(let_in, new)
    return torch.tanh(latest).mul_(let_out).to(precision), latest.to(precision)


def _distinct(index: Tensor) -> tuple[Tensor, Tensor]:
    """The distinct numbers, and the place of each row's number among them."""
    distinct, place = index.unique(return_inverse=True)
    return distinct, place


def _rows(whole: Tensor, index: Tensor | None) -> Tensor:
    return whole if index is None else whole.index_select(0, index)
