import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributions

from vqapg.modules.latent import Gaussian, ImagePrior, LatentVariable, kl_divergence
from vqapg.modules.noise import Stream, standard_normal
from vqapg.modules.region_scaling import RegionScaling

numbers = st.floats(-3, 3)
gaussian = st.tuples(
    st.lists(numbers, min_size=2, max_size=2), st.lists(numbers, min_size=2, max_size=2)
)


def make(parameters):
    mean, log_variance = (torch.tensor([values]) for values in parameters)
    return Gaussian(mean, log_variance)


@given(gaussian, gaussian)
def test_kl_equals_the_formula_written_out(q, p):
    expected = 0.0
    for q_mean, q_log, p_mean, p_log in zip(q[0], q[1], p[0], p[1]):
        q_variance, p_variance = math.exp(q_log), math.exp(p_log)
        expected += math.log(math.sqrt(p_variance) / math.sqrt(q_variance))
        expected += (q_variance + (q_mean - p_mean) ** 2) / (2 * p_variance) - 0.5
    assert kl_divergence(make(q), make(p)).item() == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_kl_equals_a_monte_carlo_estimate():
    torch.manual_seed(0)
    q = Gaussian(torch.tensor([[0.5, -1.0, 0.2]]), torch.tensor([[0.3, -0.5, 0.0]]))
    p = Gaussian(torch.tensor([[0.0, 0.4, -0.3]]), torch.tensor([[-0.2, 0.6, 0.1]]))
    samples = q.sample(torch.randn(400_000, 3))
    ratio = sum(
        distributions.Normal(d.mean, (0.5 * d.log_variance).exp()).log_prob(samples).sum(dim=1)
        * sign
        for d, sign in ((q, 1), (p, -1))
    )
    estimate, error = ratio.mean().item(), ratio.std().item() / math.sqrt(len(ratio))
    assert abs(kl_divergence(q, p).item() - estimate) < 4 * error
    # The order of the arguments matters, and the estimate is fine enough to tell.
    assert abs(kl_divergence(p, q).item() - estimate) > 10 * error


def test_sample_has_the_mean_and_variance_it_should():
    torch.manual_seed(0)
    samples = Gaussian(torch.tensor([[2.0]]), torch.tensor([[math.log(9.0)]])).sample(
        torch.randn(200_000, 1)
    )
    assert samples.mean().item() == pytest.approx(2, abs=0.03)
    assert samples.std().item() == pytest.approx(3, abs=0.03)


@settings(max_examples=20)
@given(st.integers(1, 5))
def test_image_prior_reads_the_mean_region_only(seed):
    torch.manual_seed(seed)
    prior = ImagePrior(4, 3)
    regions = torch.randn(2, 6, 4)
    shuffled = regions[:, torch.randperm(6)]
    torch.testing.assert_close(prior(regions).mean, prior(shuffled).mean)
    expected = prior.head.mlp(regions.mean(dim=1))
    torch.testing.assert_close(torch.cat(prior(regions), dim=1), expected)


def test_kl_of_bfloat16_gaussians_is_computed_in_float32():
    torch.manual_seed(0)
    q, p = (
        Gaussian(torch.randn(3, 64).bfloat16(), torch.randn(3, 64).bfloat16()) for _ in range(2)
    )
    in_float32 = kl_divergence(*(Gaussian(g.mean.float(), g.log_variance.float()) for g in (q, p)))
    torch.testing.assert_close(kl_divergence(q, p), in_float32)


def test_a_sample_has_the_precision_of_its_gaussian():
    gaussian = Gaussian(torch.zeros(1, 2).bfloat16(), torch.zeros(1, 2).bfloat16())
    assert gaussian.sample(torch.randn(1, 2)).dtype == torch.bfloat16


def test_a_sample_is_the_mean_plus_noise_deviations():
    gaussian = Gaussian(torch.tensor([[2.0, -1.0]]), torch.tensor([[math.log(9.0), 0.0]]))
    assert gaussian.sample(torch.tensor([[1.0, -0.5]])).tolist() == [[pytest.approx(5.0), -1.5]]


def test_a_detached_gaussian_is_the_same_without_gradient():
    gaussian = Gaussian(torch.ones(1, 2, requires_grad=True), torch.zeros(1, 2, requires_grad=True))
    detached = gaussian.detach()
    assert not detached.mean.requires_grad and not detached.log_variance.requires_grad
    assert torch.equal(detached.mean, gaussian.mean)
    assert torch.equal(detached.log_variance, gaussian.log_variance)


def test_selected_rows_keep_their_mean_and_log_variance():
    gaussian = Gaussian(torch.tensor([[0.0], [1], [2]]), torch.tensor([[10.0], [11], [12]]))
    selected = gaussian.select(torch.tensor([2, 0, 2]))
    assert selected.mean.tolist() == [[2], [0], [2]]
    assert selected.log_variance.tolist() == [[12], [10], [12]]


@pytest.mark.parametrize("scaled_start", [True, False])
@pytest.mark.parametrize("region_scaling", [True, False])
@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0, 2.0])
def test_z_is_drawn_by_its_keys_and_scales_the_regions(region_scaling, temperature, scaled_start):
    torch.manual_seed(0)
    scaling = RegionScaling(3, 4) if region_scaling else None
    variable = LatentVariable(3, scaling, Stream.LATENT_OF_Y, scaled_start).eval()
    source, regions = Gaussian(torch.randn(2, 3), torch.randn(2, 3)), 2 * torch.randn(2, 6, 4)
    keys = np.array([[1, 0, 5], [1, 0, 9]])
    scaled, start, latent, gate, _, unscaled = variable(source, regions, keys, temperature)
    noise = standard_normal(keys, 3, Stream.LATENT_OF_Y)
    expected = source.mean + temperature * (source.log_variance / 2).exp() * noise
    torch.testing.assert_close(latent, expected)
    assert unscaled is regions
    if region_scaling:
        torch.testing.assert_close(scaled, variable.scaling(expected, regions).regions)
        assert not torch.allclose(scaled, regions)
        assert start is (scaled if scaled_start else regions)
        torch.testing.assert_close(gate.weights, variable.scaling(expected, regions).weights)
    else:
        assert scaled is regions and start is regions and gate is None


def test_log_density_is_the_sum_over_independent_normals():
    torch.manual_seed(0)
    gaussian, z = Gaussian(torch.randn(3, 5), torch.randn(3, 5)), torch.randn(3, 5)
    found = gaussian.log_density(z)
    for row in range(3):
        mean, variance = gaussian.mean[row], gaussian.log_variance[row].exp()
        normal = torch.distributions.Normal(mean, variance.sqrt())
        assert found[row].item() == pytest.approx(normal.log_prob(z[row]).sum().item(), abs=1e-4)


def test_a_gaussian_at_z_gives_z_whatever_the_noise():
    z = torch.randn(3, 5)
    assert torch.equal(Gaussian.at(z).sample(100 * torch.randn(3, 5)), z)
