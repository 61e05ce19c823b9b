import math

import pytest
import torch
from fairseq.logging import metrics

from tests.support.generation_models import build, criterion, sample_of
from vqapg.criterions.collapse import active_units, collapse_sums
from vqapg.criterions.elbo import ElboCriterion
from vqapg.modules.latent import Gaussian
from vqapg.modules.noise import Stream, standard_normal


def gaussians(pairs=6, dims=3):
    torch.manual_seed(0)
    return [Gaussian(torch.randn(pairs, dims), 0.3 * torch.randn(pairs, dims)) for _ in range(2)]


def test_mutual_information_is_of_the_pairs_of_an_image_loop_by_loop():
    posterior, prior = gaussians()
    image_index, noise = torch.tensor([0, 0, 1, 1, 1, 2]), torch.randn(6, 3)
    expected = bound = 0.0
    for i in range(6):
        z = [
            m + math.exp(v / 2) * e
            for m, v, e in zip(*(x[i].tolist() for x in (*posterior, noise)))
        ]

        def density(j):
            return math.prod(
                math.exp(-((x - m) ** 2) / (2 * math.exp(v))) / math.sqrt(2 * math.pi * math.exp(v))
                for x, m, v in zip(
                    z, posterior.mean[j].tolist(), posterior.log_variance[j].tolist()
                )
            )

        same = [j for j in range(6) if image_index[j] == image_index[i]]
        expected += math.log(density(i)) - math.log(sum(map(density, same)) / len(same))
        bound += math.log(len(same))
    sums = collapse_sums(posterior, prior, image_index, noise)
    assert sums["mutual_information"].item() == pytest.approx(expected, rel=1e-5)
    assert sums["mutual_information_bound"].item() == pytest.approx(bound, rel=1e-5)


@pytest.mark.parametrize("distance, share", [(0.0, 0.0), (20.0, 1.0)])
def test_mutual_information_is_none_where_posteriors_agree_and_full_where_they_are_far_apart(
    distance, share
):
    places = torch.arange(4.0).unsqueeze(1)
    posterior = Gaussian(distance * places, torch.zeros(4, 1))
    sums = collapse_sums(posterior, posterior, torch.zeros(4, dtype=torch.long), torch.randn(4, 1))
    assert sums["mutual_information"].item() == pytest.approx(share * 4 * math.log(4), abs=1e-5)


def test_units_are_active_where_the_posterior_varies_beyond_the_prior():
    torch.manual_seed(0)
    of_image = 5 * torch.randn(400, 1)  # what the image alone says: the prior knows it too
    shift = torch.cat(
        [0.09 * torch.randn(400, 1), 0.12 * torch.randn(400, 1), torch.full((400, 1), 3.0)], dim=1
    )
    prior = Gaussian(of_image.expand(-1, 3), torch.zeros(400, 3))
    posterior = Gaussian(of_image + shift, torch.zeros(400, 3))
    sums = [
        collapse_sums(
            Gaussian(*(x[rows] for x in posterior)),
            Gaussian(*(x[rows] for x in prior)),
            torch.arange(len(rows)),
            torch.zeros(len(rows), 3),
        )
        for rows in torch.arange(400).split(150)
    ]
    total = {name: sum(part[name] for part in sums) for name in ("shift", "shift_squared")}
    variance = shift.var(dim=0, correction=0)
    assert variance[0] < 0.01 < variance[1] and variance[2] < 0.01
    assert active_units(**total, pairs=400) == 1


@pytest.mark.parametrize(
    "name, suffixes",
    [
        ("vqapg_joint_variational", [""]),
        ("vqapg_sequential_variational", [""]),
        ("vqapg_pipeline_variational", ["_answer", "_question"]),
    ],
)
def test_validation_reports_collapse_over_all_its_batches(
    dictionary, features, batch, name, suffixes
):
    model, elbo = build(name, dictionary, features), criterion(dictionary)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)  # so that some units are active
    parts = [
        batch
        | {key: batch[key][rows] for key in ("image_index", "question", "answer", "noise_keys")}
        for rows in ([0], [1, 2, 3])
    ]
    with metrics.aggregate() as apart:
        for part in parts:
            ElboCriterion.reduce_metrics([elbo(model, sample_of(part))[2]])
    with metrics.aggregate() as together:
        ElboCriterion.reduce_metrics([elbo(model, sample_of(batch))[2]])
    with metrics.aggregate() as summed:
        ElboCriterion.reduce_metrics([elbo(model, sample_of(part))[2] for part in parts])
    latents = model(**batch).latents
    for suffix in suffixes:
        posterior, prior = latents[suffix.removeprefix("_") or "pair"]
        expected = int(((posterior.mean - prior.mean).var(dim=0, correction=0) > 0.01).sum())
        for values in (together, apart, summed):
            assert values.get_smoothed_value(f"active_units{suffix}") == expected > 0
        for key in ("mutual_information", "mutual_information_bound"):
            value = together.get_smoothed_value(key + suffix)
            # The image with two pairs stands in one part.
            assert value == pytest.approx(apart.get_smoothed_value(key + suffix), abs=2e-3)
        assert together.get_smoothed_value(f"mutual_information_bound{suffix}") == pytest.approx(
            0.5 * math.log(2), abs=1e-3
        )
    # Vectors are summed, never shown.
    assert all(isinstance(value, (int, float)) for value in together.get_smoothed_values().values())


def test_training_does_not_spend_time_on_it(dictionary, features, batch):
    model = build("vqapg_joint_variational", dictionary, features).train()
    _, _, log = criterion(dictionary)(model, sample_of(batch))
    assert not any(key.startswith(("shift", "mutual")) or key.endswith("_prior") for key in log)


def test_the_noise_of_the_estimate_is_the_pairs_own(dictionary, features, batch):
    model = build("vqapg_joint_variational", dictionary, features)
    _, _, log = criterion(dictionary)(model, sample_of(batch))
    noise = standard_normal(batch["noise_keys"], 4, Stream.LATENT)
    expected = collapse_sums(*model(**batch).latents["pair"], batch["image_index"], noise)
    torch.testing.assert_close(log["mutual_information"], expected["mutual_information"])
