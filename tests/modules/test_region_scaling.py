import math

import pytest
import torch

from vqapg.modules.region_scaling import RegionScaling


def test_weights_are_equation_5():
    torch.manual_seed(3)
    module = RegionScaling(latent_dim=3, dim=4)
    latent, regions = torch.randn(2, 3), 2 * torch.randn(2, 6, 4)
    scaled, weights = module(latent, regions)
    below_one = 0
    for row in range(2):
        query = module.mlp(latent[row]).tolist()
        scores = [sum(q * float(h) for q, h in zip(query, region)) for region in regions[row]]
        total = sum(math.exp(score) for score in scores)
        for i, score in enumerate(scores):
            expected = min(1.0, 6 * math.exp(score) / total)
            below_one += expected < 1
            assert weights[row, i].item() == pytest.approx(expected, abs=1e-5)
            torch.testing.assert_close(scaled[row, i], weights[row, i] * regions[row, i])
    assert 0 < below_one < 12  # both sides of the minimum were met


def test_even_shares_leave_the_regions_as_they_are():
    module = RegionScaling(latent_dim=3, dim=4)
    torch.nn.init.zeros_(module.mlp[3].weight)
    torch.nn.init.zeros_(module.mlp[3].bias)
    regions = torch.randn(2, 6, 4)
    scaled, weights = module(torch.randn(2, 3), regions)
    torch.testing.assert_close(weights, torch.ones(2, 6))
    torch.testing.assert_close(scaled, regions)
