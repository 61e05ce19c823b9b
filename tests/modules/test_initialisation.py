import math

import pytest
import torch
from torch import nn

from vqapg.modules.initialisation import initialise
from vqapg.modules.mlp import MLP


def test_linear_layers_have_glorots_variance_and_no_bias():
    layer = nn.Linear(300, 100)
    initialise(layer)
    assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / 400), rel=0.03)
    assert not layer.bias.any()


def test_every_gate_of_an_lstm_is_started_as_a_matrix_of_its_own():
    lstm = nn.LSTM(30, 20, num_layers=2, bidirectional=True)
    lstm.apply(initialise)
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias"):
            assert not parameter.any()
            continue
        for gate in parameter.chunk(4):
            if name.startswith("weight_hh"):
                torch.testing.assert_close(gate @ gate.T, torch.eye(20), atol=1e-5, rtol=0)
            else:
                bound = math.sqrt(6 / sum(gate.shape))
                assert gate.abs().max() <= bound and gate.abs().max() > 0.9 * bound


def test_a_signal_keeps_its_size_better_than_from_the_defaults():
    torch.manual_seed(0)
    signal = torch.randn(200, 64)

    def size(mlp):
        return mlp(mlp(signal)).std().item()

    default = MLP(64, 64, 64)
    ours = MLP(64, 64, 64)
    ours.apply(initialise)
    assert size(ours) > 3 * size(default)
