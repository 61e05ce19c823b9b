"""Dropout is at the configured rate in every part, and off in evaluation.

Where the encoders drop is tested in test_encoders.py.
"""

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

WORDS, SPECIAL = nn.Embedding(9, 4, padding_idx=1), SpecialTokens(2, 1, 3, 4)
# How each part is built at a rate, and how many multi-layer perceptrons it is made of.
PARTS = {
    "MLP": (lambda rate: MLP(4, 4, 4, rate), 1),
    "TextImageAttention": (lambda rate: TextImageAttention(8, 4, rate), 1),
    "GaussianHead": (lambda rate: GaussianHead(4, 3, rate), 1),
    "ImagePrior": (lambda rate: ImagePrior(4, 3, rate), 1),
    "TextImageGaussian": (lambda rate: TextImageGaussian(8, 4, 3, rate), 2),
    "RegionScaling": (lambda rate: RegionScaling(3, 4, rate), 1),
    "LatentVariable": (
        lambda rate: LatentVariable(3, RegionScaling(3, 4, rate), Stream.LATENT),
        1,
    ),
    "ImageEncoder": (lambda rate: ImageEncoder(np.zeros(3), np.ones(3), 4, 6, rate), 0),
    "TextEncoder": (lambda rate: TextEncoder(WORDS, 6, rate), 0),
    "TextDecoder": (lambda rate: TextDecoder("pair", SPECIAL, WORDS, 6, 6, dropout=rate), 0),
}


@pytest.mark.parametrize("name", PARTS)
def test_every_part_drops_at_the_rate_it_is_given(name):
    build, perceptrons = PARTS[name]
    part = build(0.3)
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
