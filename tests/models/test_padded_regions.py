"""Images of different numbers of regions: padding changes no figure of any model."""

import pytest
import torch

from tests.support.generation_models import ALL, build, criterion, generate, sample_of

COUNTS = [6, 2, 4]  # regions of the three images of the fixture ``batch``


@pytest.fixture(params=ALL, ids=lambda param: "-".join(filter(None, param)))
def model(request, dictionary, features):
    name, order = request.param
    # Sharper than at its start, so that a region more or less is seen.
    return sharpened(build(name, dictionary, features, order))


def sharpened(model):
    model.double()  # sums of another order differ in the last digits of float32
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model


def padded(batch, garbage):
    """The batch with COUNTS regions an image, and *garbage* behind them."""
    real = torch.arange(6) < torch.tensor(COUNTS).unsqueeze(1)
    features = batch["features"].masked_fill(~real.unsqueeze(2), garbage)
    return batch | {"features": features, "regions_real": real}


def alone(batch, row):
    """Pair *row* of the batch, with its image's own regions and no padding."""
    image = int(batch["image_index"][row])
    own = {name: batch[name][row : row + 1] for name in ("question", "answer", "noise_keys")}
    return own | {
        "features": batch["features"][image : image + 1, : COUNTS[image]],
        "image_index": torch.tensor([0]),
    }


def gradients(model):
    found = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()
    return found


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        largest = expected[name].abs().max().item()
        assert torch.allclose(gradient, expected[name], rtol=1e-5, atol=1e-6 * max(1, largest)), (
            name
        )


@pytest.mark.parametrize("garbage", [0.0, 300.0, torch.nan])
def test_padding_leaves_loss_and_gradients(model, dictionary, batch, garbage):
    elbo = criterion(dictionary, kl_free_bits=0.0, attention_alignment_free_bits=0.0)
    loss, _, log = elbo(model, sample_of(padded(batch, garbage)))
    loss.backward()
    together = gradients(model)
    expected, expected_log = 0.0, {}
    for row in range(4):
        one, _, own_log = elbo(model, sample_of(alone(batch, row)))
        one.backward()
        expected += one.item()
        for name, value in own_log.items():
            expected_log[name] = expected_log.get(name, 0) + value
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    assert_equal(together, gradients(model))
    for name in log:
        # Two pairs of one image stand in one batch, and apart they do not.
        if "mutual_information" not in name and "shift" not in name:
            assert float(log[name]) == pytest.approx(
                float(expected_log[name]), rel=1e-5, abs=1e-6
            ), name


@pytest.mark.parametrize("garbage", [300.0, torch.nan])
def test_padding_leaves_generated_pairs(model, dictionary, batch, garbage):
    for options in ({"beam": 3, "nbest": 2}, {"sampling": True, "beam": 3, "nbest": 3}):
        together = generate(model, dictionary, padded(batch, garbage), **options)
        for row in range(4):
            (found,) = generate(model, dictionary, alone(batch, row), **options)
            for one, other in zip(together[row], found, strict=True):
                assert one["tokens"].tolist() == other["tokens"].tolist()
                assert one["score"] == pytest.approx(other["score"], abs=1e-6)


@pytest.mark.parametrize(
    "options",
    [{}, {"question_attention": True, "contrastive_weight": 0.5, "answer_prediction_weight": 0.5}],
    ids=["paper", "extended"],
)
@pytest.mark.parametrize("garbage", [300.0, torch.nan])
def test_padding_leaves_the_evaluator(dictionary, features, batch, options, garbage):
    model = sharpened(build("vqapg_consistency", dictionary, features, **options))
    triples = torch.tensor([[0, 0, 0], [1, 1, 1], [1, 2, 2], [2, 3, 3], [2, 0, 1]])
    texts = {name: batch[name] for name in ("question", "answer")}
    inputs = padded(batch, garbage)
    inputs = {name: inputs[name] for name in ("features", "regions_real")}
    logits = model(**inputs, **texts, triples=triples).logits
    logits.square().sum().backward()
    together = gradients_of_used(model)
    expected = []
    for image, question, answer in triples.tolist():
        own = batch["features"][image : image + 1, : COUNTS[image]]
        row = torch.tensor([[0, question, answer]])
        logit = model(own, **texts, triples=row).logits
        logit.square().sum().backward()
        expected.append(logit.item())
    assert logits.tolist() == pytest.approx(expected, abs=1e-6)
    assert_equal(together, gradients_of_used(model))


def gradients_of_used(model):
    used = {
        name: parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    model.zero_grad()
    return used


def test_equal_numbers_of_regions_pack_nothing(dictionary, features, batch, monkeypatch):
    def packs(*arguments, **options):
        raise AssertionError("packed")

    monkeypatch.setattr("vqapg.modules.image_encoder.pack_padded_sequence", packs)
    model = build("vqapg_joint_variational", dictionary, features)
    criterion(dictionary)(model, sample_of(batch))
    with pytest.raises(AssertionError, match="packed"):
        criterion(dictionary)(model, sample_of(padded(batch, 0.0)))


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("vqapg_joint_variational", None),
        ("vqapg_sequential_variational", "aq"),
        ("vqapg_pipeline_variational", "qa"),
    ],
)
def test_padding_changes_no_refined_and_rescored_pair(name, order, dictionary, features, batch):
    model = sharpened(build(name, dictionary, features, order))
    how = {"sampling": True, "beam": 2, "nbest": 2, "refine": 1, "rescore": 3}
    together = generate(model, dictionary, padded(batch, torch.nan), **how)
    for row in range(4):
        (found,) = generate(model, dictionary, alone(batch, row), **how)
        assert [h["tokens"].tolist() for h in found] == [
            h["tokens"].tolist() for h in together[row]
        ]
