"""What holds for every generation model."""

from collections import Counter

import numpy as np
import pytest
import torch

from tests.support.generation_models import (
    ALL,
    BASELINES,
    CONDITIONAL,
    VARIATIONAL,
    build,
    criterion,
    fit,
    generate,
    sample_of,
    texts_of,
)
from vqapg.errors import InputError
from vqapg.models import origin


@pytest.fixture(params=ALL, ids=lambda param: "-".join(filter(None, param)))
def model(request, dictionary, features):
    name, order = request.param
    return build(name, dictionary, features, order)


def slow_nll(logits, text, padding):
    log_probs = logits.log_softmax(-1)
    return -sum(
        log_probs[step, token].item()
        for step, token in enumerate(text.tolist())
        if token != padding
    )


@pytest.mark.parametrize("mode", ["paper", "train-prior"])
def test_the_loss_is_the_sum_of_the_terms_of_table_1(model, dictionary, batch, mode):
    """Equation 4's term is in the joint model's own test."""
    elbo = criterion(
        dictionary, kl_free_bits=0.2, free_bits_mode=mode, attention_alignment_weight=0.0
    )
    loss, pairs, _ = elbo(model, sample_of(batch))
    output, expected = model(**batch), 0.0
    for row in range(4):
        for text, logits in output.logits.items():
            expected += slow_nll(logits[row], output.targets[text][row], dictionary.pad())
        for posterior, prior in output.latents.values():
            q, p = (
                torch.distributions.Normal(g.mean[row], (g.log_variance[row] / 2).exp())
                for g in (posterior, prior)
            )
            kl = torch.distributions.kl_divergence(q, p).sum().item()
            expected += max(kl, 0.2) + (kl if mode == "train-prior" else 0)
    assert pairs == 4 and loss.item() == pytest.approx(expected, rel=1e-4)


def test_a_pairs_loss_does_not_depend_on_its_batch(model, dictionary, batch):
    together = criterion(dictionary)(model, sample_of(batch))[0].item()
    apart = 0.0
    for row in range(4):
        padding = torch.full((1, 3), dictionary.pad())
        alone = {
            # The image stands in the batch twice, and the texts are padded further.
            "features": batch["features"][batch["image_index"][row]].expand(2, -1, -1),
            "image_index": torch.tensor([1]),
            "question": torch.cat([batch["question"][row : row + 1], padding], dim=1),
            "answer": torch.cat([batch["answer"][row : row + 1], padding], dim=1),
            "noise_keys": batch["noise_keys"][row : row + 1],
        }
        apart += criterion(dictionary)(model, sample_of(alone))[0].item()
    assert together == pytest.approx(apart, rel=1e-5)


def test_every_parameter_gets_a_finite_gradient_that_is_not_zero(model, dictionary, batch):
    # Without the minima, which hold gradients back by design.
    elbo = criterion(dictionary, kl_free_bits=0.0, attention_alignment_free_bits=0.0)
    elbo(model, sample_of(batch))[0].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_a_pair_does_not_depend_on_its_batch_in_generation(model, dictionary, batch):
    for options in ({"beam": 3, "nbest": 2}, {"sampling": True, "beam": 3, "nbest": 3}):
        together = generate(model, dictionary, batch, **options)
        for row in range(4):
            alone = batch | {
                name: batch[name][[row]]
                for name in ("image_index", "question", "answer", "noise_keys")
            }
            (found,) = generate(model, dictionary, alone, **options)
            assert [h["tokens"].tolist() for h in found] == [
                h["tokens"].tolist() for h in together[row]
            ]


@pytest.mark.parametrize("name", [*BASELINES, *CONDITIONAL])
def test_a_baseline_has_no_latent_variable_and_ignores_where_it_would_come_from(
    name, dictionary, features, batch
):
    model = build(name, dictionary, features)
    _, _, log = criterion(dictionary)(model, sample_of(batch))
    assert not any(
        key.startswith(("kl", "active", "mutual")) or key.endswith("_prior") for key in log
    )
    one, other = (
        generate(model, dictionary, batch | {"noise_keys": batch["noise_keys"] + shift})
        for shift in (0, 9)
    )
    assert texts_of(one, dictionary) == texts_of(other, dictionary)


@pytest.mark.parametrize("name", VARIATIONAL)
def test_the_latent_temperature_cools_variety_down_to_one_pair_an_image(
    name, dictionary, features, batch
):
    model = build(name, dictionary, features)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)  # far enough from uniform for z to be seen
    keys = np.array([[1, 0, pair] for pair in range(40)])
    inputs = {
        "features": batch["features"],
        "image_index": torch.zeros(40, dtype=torch.long),
        "noise_keys": keys,
    }

    def variety(temperature):
        found = generate(model, dictionary, inputs, latent_temperature=temperature, beam=2)
        return len({text for (text,) in texts_of(found, dictionary)})

    assert variety(0.0) == 1 < variety(1.0)


def test_a_latent_temperature_without_latent_variable_is_refused(dictionary, features, batch):
    with pytest.raises(
        InputError, match="--latent-temperature has no meaning for a model without latent variable"
    ):
        generate(
            build("vqapg_joint", dictionary, features), dictionary, batch, latent_temperature=0.5
        )


@pytest.mark.parametrize(
    "trained, loaded",
    [
        (("vqapg_pipeline", "qa"), ("vqapg_pipeline", "aq")),
        (("vqapg_sequential_variational", "aq"), ("vqapg_sequential_variational", "qa")),
        (("vqapg_vqg", None), ("vqapg_vqa", None)),
    ],
)
def test_weights_of_another_model_with_the_same_names_are_refused(
    dictionary, features, trained, loaded
):
    (name, order), (other, other_order) = trained, loaded
    state = build(name, dictionary, features, order).state_dict()
    build(name, dictionary, features, order).load_state_dict(state)
    with pytest.raises(
        InputError, match="the checkpoint is of .*, not of .*; give the flags it was trained with"
    ):
        build(other, dictionary, features, other_order).load_state_dict(state)
    # Checkpoints of before do not say.
    record = origin.from_tensor(state["_extra_state"])
    del record["model"]
    state["_extra_state"] = origin.to_tensor(record)
    build(other, dictionary, features, other_order).load_state_dict(state)


@pytest.mark.parametrize(
    "name, value",
    [
        ("hidden_size", 0),
        ("hidden_size", 7),
        ("latent_dim", 0),
        ("decoder_hidden_size", -1),
        ("dropout", 1.0),
        ("word_dropout", 1.0),
        ("word_dropout", -0.1),
    ],
)
def test_sizes_that_cannot_be_are_refused_by_flag(dictionary, features, name, value):
    with pytest.raises(InputError, match=f"--{name.replace('_', '-')} must be .*, not {value}"):
        build("vqapg_sequential_variational", dictionary, features, **{name: value})


def thirty_two_pairs(dictionary):
    """32 images, each with a pair of its own."""
    torch.manual_seed(3)
    colours, end, pad = ["red", "blue", "yes", "no"], dictionary.eos(), dictionary.pad()
    questions = [
        "what color is the shape ?",
        "is there a circle ?",
        "what is the shape ?",
        "is there a red shape ?",
        "what is there ?",
        "is the shape blue ?",
        "is the circle red ?",
        "what color is there ?",
    ]

    def rows(texts):
        tokens = [[dictionary.index(word) for word in text.split()] + [end] for text in texts]
        width = max(map(len, tokens))
        return torch.tensor([row + [pad] * (width - len(row)) for row in tokens])

    pairs = [(question, colour) for question in questions for colour in colours]
    return {
        "features": torch.randn(32, 6, 5).half(),
        "image_index": torch.arange(32),
        "question": rows([question for question, _ in pairs]),
        "answer": rows([colour for _, colour in pairs]),
        "noise_keys": np.array([[1, 0, pair] for pair in range(32)]),
    }, [f"{question} <sep> {colour}" for question, colour in pairs]


def test_every_model_overfits_32_pairs_and_generates_them_back(
    request, model, dictionary, features
):
    name, order = request.node.callspec.params["model"]
    options = {"latent_dim": 8} if name in VARIATIONAL else {}
    model = build(
        name, dictionary, features, order, hidden_size=32, embed_dim=16, dropout=0.0, **options
    )
    pairs, expected = thirty_two_pairs(dictionary)
    # No nat for z: an image has one pair, so nothing is left for it to tell.
    fit(model, dictionary, pairs, steps=100, rate=0.02, kl_free_bits=0.0)
    # Other noise than in training.
    inputs = pairs | {"noise_keys": pairs["noise_keys"] + [[9, 0, 0]]}
    found = [
        text
        for (text,) in texts_of(
            generate(model, dictionary, inputs, beam=3, max_len_b=20), dictionary
        )
    ]
    assert found == expected


@pytest.mark.parametrize("name", VARIATIONAL)
def test_the_latent_variable_says_all_that_training_said_of_an_image(
    name, dictionary, features, batch
):
    model = build(
        name, dictionary, features, hidden_size=32, embed_dim=16, dropout=0.0, latent_dim=8
    )
    fit(model, dictionary, batch, steps=120, rate=0.02, kl_free_bits=1.0)
    images = {
        "features": batch["features"],
        "image_index": torch.arange(3),
        "noise_keys": np.array([[1, 0, image] for image in range(3)]),
    }
    # The most probable tokens given z, so all variety is that of z.
    found = generate(
        model, dictionary, images, beam=40, nbest=40, sampling=True, sampling_topk=1, max_len_b=20
    )
    first, second, third = map(Counter, texts_of(found, dictionary))
    assert first["what color is the shape ? <sep> red"] >= 32
    assert third["is there a red shape ? <sep> no"] >= 32
    # Two pairs of one image: each comes, question and answer together
    one, other = (
        second["is there a circle ? <sep> yes"],
        second["what is the shape ? <sep> a circle"],
    )
    assert min(one, other) >= 4 and one + other >= 32


def test_a_checkpoint_refuses_other_features_and_other_dictionaries(dictionary, features):
    def made():
        return build("vqapg_joint_variational", dictionary, features)

    state = made().state_dict()
    made().load_state_dict(state)
    features.source = features.source | {"backbone": "resnet50"}
    message = (
        "features.h5: was made by resnet50 at 64 px .* trained on features of resnet18 at 64 px"
    )
    with pytest.raises(InputError, match=message):
        made().load_state_dict(state)
    features.source = features.source | {"backbone": "resnet18"}
    dictionary.add_symbol("square")
    with pytest.raises(
        InputError, match=r"data/dict.txt: is not the dictionary .* \(19 and 18 entries"
    ):
        made().load_state_dict(state)
