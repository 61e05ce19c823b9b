import pytest
import torch
from torch import nn

from tests.support.generation_models import ALL, build


@pytest.fixture(params=[*(name for name, order in ALL if order != "qa"), "vqapg_consistency"])
def model(request, dictionary, features):
    return build(request.param, dictionary, features, dropout=0.3)


def test_training_starts_from_our_weights_not_pytorchs(model):
    for part in model.modules():
        if isinstance(part, nn.Linear) and part.bias is not None:
            assert not part.bias.any()
        if isinstance(part, nn.LSTM):
            for name, parameter in part.named_parameters():
                if name.startswith("bias"):
                    assert not parameter.any()
                if name.startswith("weight_hh"):
                    for gate in parameter.chunk(4):
                        torch.testing.assert_close(
                            gate @ gate.T, torch.eye(len(gate)), atol=1e-5, rtol=0
                        )


def test_every_part_gets_the_configured_dropout(model):
    rates = {part.p for part in model.modules() if isinstance(part, nn.Dropout)}
    assert rates | {part.dropout for part in model.modules() if isinstance(part, nn.LSTM)} == {0.3}
