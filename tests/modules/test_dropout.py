"""Dropout is at the configured rate in every part, and off in evaluation. The encoders' places: test_encoders.py."""

import numpy as np
import pytest
import torch
from torch import nn

from vqapg.modules.attention import TextImageAttention
from vqapg.modules.image_encoder import ImageEncoder
from vqapg.modules.latent import GaussianHead, ImagePrior, LatentVariable, TextImageGaussian
from vqapg.modules.mlp import MLP
from vqapg.modules.noise import Stream
from vqapg.modules.region_scaling import RegionScaling
from vqapg.modules.text_decoder import SpecialTokens, TextDecoder
from vqapg.modules.text_encoder import TextEncoder

WORDS = nn.Embedding(9, 4, padding_idx=1)
# Each part with its name and how many multi-layer perceptrons it is made of.
PARTS = [
    (MLP(4, 4, 4, 0.3), 1),
    (TextImageAttention(8, 4, 0.3), 1),
    (GaussianHead(4, 3, 0.3), 1),
    (ImagePrior(4, 3, 0.3), 1),
    (TextImageGaussian(8, 4, 3, 0.3), 2),
    (RegionScaling(3, 4, 0.3), 1),
    (LatentVariable(3, 4, True, Stream.LATENT, 0.3), 1),
    (ImageEncoder(np.zeros(3), np.ones(3), 4, 6, 0.3), 0),
    (TextEncoder(WORDS, 6, 0.3), 0),
    (TextDecoder("pair", SpecialTokens(2, 1, 3, 4), WORDS, 6, 6, dropout=0.3), 0),
]


@pytest.mark.parametrize("part, perceptrons", PARTS, ids=lambda value: type(value).__name__)
def test_every_part_drops_at_the_rate_it_is_given(part, perceptrons):
    rates = [module.p for module in part.modules() if isinstance(module, nn.Dropout)]
    between_layers = [module.dropout for module in part.modules() if isinstance(module, nn.LSTM)]
    # One in each perceptron; in the others one for all places, and one between the LSTM's layers.
    assert rates == [0.3] * (perceptrons or 1)
    assert between_layers == ([] if perceptrons else [0.3])


def test_a_perceptron_drops_hidden_units_in_training_only():
    torch.manual_seed(0)
    mlp, hidden = MLP(8, 200, 2, dropout=0.5), []
    mlp[-1].register_forward_pre_hook(lambda module, inputs: hidden.append(inputs[0]))
    signal = torch.randn(5, 8)
    for mode in (mlp.train, mlp.eval):
        mode()(signal)
    trained, whole = hidden
    torch.testing.assert_close(whole, (signal @ mlp[0].weight.T + mlp[0].bias).clamp(min=0))
    # What is kept is doubled, so that the mean stays.
    kept = trained != 0
    torch.testing.assert_close(trained, torch.where(kept, 2 * whole, 0))
    assert kept[whole > 0].float().mean().item() == pytest.approx(0.5, abs=0.1)
