import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributions

from vqapg.modules.latent import Gaussian, ImagePrior, kl_divergence

numbers = st.floats(-3, 3)
gaussian = st.tuples(st.lists(numbers, min_size=2, max_size=2), st.lists(numbers, min_size=2, max_size=2))


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
        distributions.Normal(d.mean, (0.5 * d.log_variance).exp()).log_prob(samples).sum(dim=1) * sign
        for d, sign in ((q, 1), (p, -1))
    )
    estimate, error = ratio.mean().item(), ratio.std().item() / math.sqrt(len(ratio))
    assert abs(kl_divergence(q, p).item() - estimate) < 4 * error
    # The order of the arguments matters, and the estimate is fine enough to tell.
    assert abs(kl_divergence(p, q).item() - estimate) > 10 * error


def test_sample_has_the_mean_and_variance_it_should():
    torch.manual_seed(0)
    samples = Gaussian(torch.tensor([[2.0]]), torch.tensor([[math.log(9.0)]])).sample(torch.randn(200_000, 1))
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
    q, p = (Gaussian(torch.randn(3, 64).bfloat16(), torch.randn(3, 64).bfloat16()) for _ in range(2))
    in_float32 = kl_divergence(*(Gaussian(g.mean.float(), g.log_variance.float()) for g in (q, p)))
    torch.testing.assert_close(kl_divergence(q, p), in_float32)


def test_a_sample_has_the_precision_of_its_gaussian():
    gaussian = Gaussian(torch.zeros(1, 2).bfloat16(), torch.zeros(1, 2).bfloat16())
    assert gaussian.sample(torch.randn(1, 2)).dtype == torch.bfloat16
