import numpy as np
import pytest
import torch

from tests.support.generation_models import build, generation_options
from vqapg.generation.pair_generator import PairGenerator
from vqapg.sampling.region_weights import RegionWeights, region_weights_of
from vqapg.tokens import SEPARATOR


def gathered(model, dictionary, batch):
    generator = PairGenerator(
        model, dictionary, dictionary.index(SEPARATOR), generation_options(beam=2)
    )
    with region_weights_of(model) as weights:
        generator.best(batch["features"], batch["image_index"], batch["noise_keys"])
    return weights


def test_they_are_those_that_scaled_the_regions(dictionary, features, batch):
    model = build("vqapg_joint_variational", dictionary, features)
    weights = gathered(model, dictionary, batch)
    with torch.no_grad():
        image = model.image_encoder(batch["features"])[batch["image_index"]]
        inputs = [batch[name] for name in ("features", "image_index", "noise_keys")]
        scaled = model.sample(*inputs, 1.0).regions
    assert list(weights) == ["pair"] and weights["pair"].shape == (4, 6)
    torch.testing.assert_close(weights["pair"].unsqueeze(2) * image, scaled)
    assert weights["pair"].min() < 1


@pytest.mark.parametrize("order", ["aq", "qa"])
def test_a_pipeline_has_some_for_each_text(dictionary, features, batch, order):
    model = build("vqapg_pipeline_variational", dictionary, features, order)
    weights = gathered(model, dictionary, batch)
    assert set(weights) == {"question", "answer"}
    first = weights[model.x]
    prior = model.x_model.prior(model.x_model.image_encoder(batch["features"])).select(
        batch["image_index"]
    )
    image = model.x_model.image_encoder(batch["features"])[batch["image_index"]]
    scaled = model.x_model.latent(prior, image, batch["noise_keys"]).regions
    torch.testing.assert_close(first.unsqueeze(2) * image, scaled)


@pytest.mark.parametrize("name", ["vqapg_joint", "vqapg_joint_variational"])
def test_none_without_region_scaling(dictionary, features, batch, name):
    options = {"region_scaling": False} if "variational" in name else {}
    assert gathered(build(name, dictionary, features, **options), dictionary, batch) == {}


def test_no_hook_is_left_behind(dictionary, features, batch):
    model = build("vqapg_joint_variational", dictionary, features)
    before = gathered(model, dictionary, batch)["pair"].clone()
    assert not model.latent.scaling._forward_hooks
    torch.testing.assert_close(gathered(model, dictionary, batch)["pair"], before)


def test_files_hold_a_byte_a_region():
    weights = RegionWeights(np.array([[0, 0.5, 1.0]], np.float32))
    assert list(weights.as_bytes()) == [0, 128, 255]
