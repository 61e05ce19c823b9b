from types import SimpleNamespace

import pytest
import torch
from torch import nn

from vqapg.models.base import ModelConfig, VariationalModelConfig
from vqapg.models.consistency import ConsistencyModel
from vqapg.models.joint import JointModel, VariationalJointModel

SIZES = {"hidden_size": 8, "embed_dim": 6, "dropout": 0.3}


@pytest.fixture(params=[
    (JointModel, ModelConfig(**SIZES)),
    (VariationalJointModel, VariationalModelConfig(latent_dim=4, **SIZES)),
    (ConsistencyModel, ModelConfig(**SIZES)),
], ids=lambda param: param[0].__name__)
def model(request, dictionary, features):
    model_class, cfg = request.param
    return model_class.build_model(cfg, SimpleNamespace(dictionary=dictionary, features=features))


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
                        torch.testing.assert_close(gate @ gate.T, torch.eye(len(gate)), atol=1e-5, rtol=0)


def test_every_part_gets_the_configured_dropout(model):
    rates = {part.p for part in model.modules() if isinstance(part, nn.Dropout)}
    assert rates | {part.dropout for part in model.modules() if isinstance(part, nn.LSTM)} == {0.3}
