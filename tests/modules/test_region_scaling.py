import itertools
import math

import pytest
import torch

from vqapg.modules.region_scaling import MAPS, SCORES, RegionScaling


@pytest.mark.parametrize("factor, scores, map", itertools.product([0.0, 3.0, 100.0], SCORES, MAPS))
def test_weights_are_equation_5(factor, scores, map):
    torch.manual_seed(3)
    module = RegionScaling(latent_dim=3, dim=4, factor=factor, scores=scores, map=map)
    latent, regions = torch.randn(2, 3), 2 * torch.randn(2, 6, 4)
    scaled = module(latent, regions)
    for row in range(2):
        if map == "linear":
            query = (module.mlp.weight @ latent[row]).tolist()
        else:
            hidden = torch.relu(module.mlp[0].weight @ latent[row] + module.mlp[0].bias)
            query = (module.mlp[3].weight @ hidden + module.mlp[3].bias).tolist()
        found = [sum(q * float(h) for q, h in zip(query, region)) for region in regions[row]]
        if scores == "scaled-dot-product":
            found = [score / 2 for score in found]  # the square root of the width
        total = sum(math.exp(score) for score in found)
        for i, score in enumerate(found):
            assert scaled.scores[row, i].item() == pytest.approx(score, abs=1e-5)
            expected = min(1.0, (factor or 6) * math.exp(score) / total)
            assert scaled.weights[row, i].item() == pytest.approx(expected, abs=1e-5)
            torch.testing.assert_close(
                scaled.regions[row, i], scaled.weights[row, i] * regions[row, i]
            )


def test_both_sides_of_the_minimum_are_met():
    torch.manual_seed(3)
    weights = RegionScaling(3, 4)(torch.randn(2, 3), 2 * torch.randn(2, 6, 4)).weights
    assert 0 < weights.lt(1).sum() < 12


def test_even_shares_leave_the_regions_as_they_are():
    module = RegionScaling(latent_dim=3, dim=4)
    torch.nn.init.zeros_(module.mlp[3].weight)
    torch.nn.init.zeros_(module.mlp[3].bias)
    regions = torch.randn(2, 6, 4)
    scaled = module(torch.randn(2, 3), regions)
    torch.testing.assert_close(scaled.weights, torch.ones(2, 6))
    torch.testing.assert_close(scaled.regions, regions)


def test_linear_map_of_z_at_zero_scales_nothing():
    regions = torch.randn(2, 6, 4)
    scaled = RegionScaling(3, 4, map="linear")(torch.zeros(2, 3), regions)
    torch.testing.assert_close(scaled.regions, regions)


@pytest.mark.parametrize("factor", [0.0, 3.0])
def test_padding_gets_no_weight_and_r_is_the_rows_own(factor):
    torch.manual_seed(3)
    module = RegionScaling(latent_dim=3, dim=4, factor=factor)
    latent, regions = torch.randn(2, 3), 2 * torch.randn(2, 6, 4)
    real = torch.tensor([[True] * 6, [True] * 2 + [False] * 4])
    regions = regions.masked_fill(~real.unsqueeze(2), 0)
    scaled = module(latent, regions, real)
    for row, count in enumerate((6, 2)):
        query = module.mlp(latent[row])
        shares = (regions[row, :count] @ query).softmax(dim=0)
        expected = ((factor or count) * shares).clamp(max=1)
        torch.testing.assert_close(scaled.weights[row, :count], expected)
        assert not scaled.weights[row, count:].any() and not scaled.regions[row, count:].any()
