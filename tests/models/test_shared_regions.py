"""Regions kept once an image give the losses and gradients that a copy for each pair gives."""

import numpy as np
import pytest
import torch

from tests.support.generation_models import ALL, VARIATIONAL, build, criterion, sample_of

MODULES = ("joint", "image_to_text", "image_and_text_to_text", "consistency_evaluator")
# Nine pairs of four images, in no order: more than the mean of one image, and fewer of another
IMAGE_INDEX = torch.tensor([1, 0, 1, 3, 1, 2, 1, 1, 0])
SCALINGS = [
    {"region_scaling": False},
    {"scaled_start": True},
    {"region_scaling_factor": 100.0},
    {"region_scaling_scores": "scaled-dot-product", "region_scaling_map": "linear"},
]


@pytest.fixture
def copied(monkeypatch):
    """A switch: from then on each pair has a copy of its image's regions, scaled by itself."""

    def switch():
        for name in MODULES:
            monkeypatch.setattr(
                f"vqapg.models.{name}.share_regions", lambda image, index: image[index]
            )

    return switch


@pytest.fixture(params=[False, True], ids=["equal R", "padded"])
def pairs(request, batch):
    """Pairs of images with six regions each, or with their own numbers of them."""
    torch.manual_seed(1)
    rows = torch.randint(4, (9,))
    found = {name: batch[name][rows] for name in ("question", "answer")}
    found |= {"features": 2 * torch.randn(4, 6, 5), "image_index": IMAGE_INDEX}
    found["noise_keys"] = np.array([[1, 0, pair] for pair in range(9)])
    if request.param:
        found["regions_real"] = torch.arange(6) < torch.tensor([[6], [2], [4], [5]])
    return found


def build_sharp(name, dictionary, features, order=None, **options):
    model = build(name, dictionary, features, order, **options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model


def loss_and_gradients(model, dictionary, pairs):
    elbo = criterion(dictionary, kl_free_bits=0.0, attention_alignment_free_bits=0.0)
    model.zero_grad()
    loss, _, log = elbo(model, sample_of(pairs))
    loss.backward()
    found = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    return found | {f"logged {name}": torch.as_tensor(value) for name, value in log.items()}


def assert_equal(found, expected, tolerance=1e-5):
    assert found.keys() == expected.keys()
    for name, value in found.items():
        largest = expected[name].double().abs().max().item()
        assert (value - expected[name]).abs().max().item() <= tolerance * max(largest, 1e-3), name


@pytest.mark.parametrize("name, order", ALL)
def test_losses_and_gradients_equal_those_of_copies(
    name, order, dictionary, features, pairs, copied
):
    model = build_sharp(name, dictionary, features, order)
    shared = loss_and_gradients(model, dictionary, pairs)
    copied()
    assert_equal(shared, loss_and_gradients(model, dictionary, pairs))


@pytest.mark.parametrize("options", SCALINGS, ids=str)
@pytest.mark.parametrize("name", VARIATIONAL)
def test_every_scaling_equals_that_of_copies(name, options, dictionary, features, pairs, copied):
    model = build_sharp(name, dictionary, features, **options)
    shared = loss_and_gradients(model, dictionary, pairs)
    copied()
    assert_equal(shared, loss_and_gradients(model, dictionary, pairs))


@pytest.mark.parametrize("weights", [False, True], ids=["autocast", "half weights"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_rounds_no_further_than_with_copies(
    dtype, weights, dictionary, features, pairs, copied
):
    model = build_sharp("vqapg_joint_variational", dictionary, features)
    exact = loss_and_gradients(model, dictionary, pairs)
    if weights:
        model.to(dtype)

    def worst():
        # oneDNN has no LSTM in float16.
        with (
            torch.backends.mkldnn.flags(enabled=False),
            torch.autocast("cpu", dtype=dtype, enabled=not weights),
        ):
            found = loss_and_gradients(model, dictionary, pairs)
        return max(
            float((value.float() - exact[name]).abs().max() / exact[name].abs().max().clamp(1e-3))
            for name, value in found.items()
        )

    shared = worst()
    copied()
    assert 0 < shared < 2 * worst() < 1


def test_the_evaluator_judges_as_with_copies(dictionary, features, pairs, copied):
    options = {"question_attention": True, "contrastive_weight": 0.5}
    model = build_sharp("vqapg_consistency", dictionary, features, **options)
    triples = torch.stack([IMAGE_INDEX, torch.arange(9), torch.arange(9).flip(0)], dim=1)
    inputs = {
        key: value for key, value in pairs.items() if key not in ("image_index", "noise_keys")
    }

    def judged():
        model.zero_grad()
        judgement = model(**inputs, triples=triples)
        judgement.logits.square().sum().backward()
        found = {n: weight.grad.clone() for n, weight in model.named_parameters()}
        return found | {"logits": judgement.logits.detach()}

    shared = judged()
    copied()
    assert_equal(shared, judged())
