"""A pipeline's sub-model alone: built, trained and validated as in the whole pipeline."""

import pytest
import torch
from fairseq.logging import metrics

from tests.support.generation_models import ALL, build, criterion, generate, sample_of
from vqapg.errors import InputError

MODELS = [(name, order) for name, order in ALL if "pipeline" in name]


def half_of(whole, name, order, sub_model, dictionary, features):
    """A model of *sub_model* alone that has the weights of *whole*."""
    half = build(name, dictionary, features, order, sub_model=sub_model)
    weights = whole.state_dict()
    half.load_state_dict(
        {key: weights[key] for key in half.state_dict() if not key.startswith("_")}, strict=False
    )
    return half


@pytest.mark.parametrize("sub_model", ["x", "y"])
@pytest.mark.parametrize("name, order", MODELS)
def test_sub_model_alone_has_its_output_in_the_pipeline(
    dictionary, features, batch, name, order, sub_model
):
    whole = build(name, dictionary, features, order)
    half = half_of(whole, name, order, sub_model, dictionary, features)
    assert {key.split(".")[0] for key in half.state_dict()} == {
        f"{sub_model}_model",
        "_extra_state",
    }
    text = whole.x if sub_model == "x" else whole.y
    expected, got = whole(**batch), half(**batch)
    assert set(got.logits) == set(got.targets) == {text}
    torch.testing.assert_close(got.logits[text], expected.logits[text], rtol=0, atol=0)
    assert torch.equal(got.targets[text], batch[text])
    for one, other in zip(got.latents.get(text, ()), expected.latents.get(text, ()), strict=True):
        torch.testing.assert_close(one.mean, other.mean, rtol=0, atol=0)


@pytest.mark.parametrize("sub_model", ["x", "y"])
@pytest.mark.parametrize("name", ["vqapg_pipeline", "vqapg_pipeline_variational"])
def test_metric_elbo_of_a_sub_model_is_its_own(dictionary, features, batch, name, sub_model):
    whole = build(name, dictionary, features, "aq")
    half = half_of(whole, name, "aq", sub_model, dictionary, features)
    _, _, of_whole = criterion(dictionary)(whole, sample_of(batch))
    loss, _, log = criterion(dictionary)(half, sample_of(batch))
    text = {"x": "answer", "y": "question"}[sub_model]
    kl = of_whole.get(f"kl_{text}", torch.tensor(0.0))
    with metrics.aggregate() as values:
        criterion(dictionary).reduce_metrics([log])
    expected = -(of_whole[f"nll_{text}"] + kl).item() / 4
    assert values.get_smoothed_value("elbo") == pytest.approx(expected, abs=2e-3)
    loss.backward()
    assert all(value.grad is not None for value in half.parameters())


@pytest.mark.parametrize("sub_model", ["x", "y"])
def test_half_a_pipeline_generates_nothing(dictionary, features, batch, sub_model):
    half = build("vqapg_pipeline_variational", dictionary, features, "aq", sub_model=sub_model)
    line = f"half a pipeline, its {sub_model.upper()}-model; join it: vqapg checkpoint X_FOLDER"
    with pytest.raises(InputError, match=line):
        generate(half, dictionary, batch)
    with pytest.raises(InputError, match=line):
        assert half.completes


def test_checkpoint_of_another_sub_model_is_refused(dictionary, features):
    whole, x, y = (
        build("vqapg_pipeline", dictionary, features, "aq", sub_model=sub_model)
        for sub_model in ("both", "x", "y")
    )
    # Checkpoints of before there were sub-models are of whole pipelines.
    assert whole.origin["model"] == "PipelineModel, --order aq"
    for model, other in ((whole, x), (x, y), (y, whole)):
        with pytest.raises(InputError, match="give the flags it was trained with"):
            model.set_extra_state(other.get_extra_state())
        model.set_extra_state(model.get_extra_state())
