import numpy as np
import pytest
import torch

from tests.support.generation_models import (
    ALL,
    CONDITIONAL,
    VARIATIONAL,
    build,
    fit,
    generate,
    generation_options,
)
from vqapg.generation.generated_attention import generate_and_look
from vqapg.generation.pair_generator import PairGenerator
from vqapg.tokens import SEPARATOR

MODELS = [(name, order) for name, order in ALL if name not in CONDITIONAL]


def look(model, dictionary, batch, **changes):
    options = generation_options(**changes)
    generator = PairGenerator(model, dictionary, dictionary.index(SEPARATOR), options)
    return generate_and_look(
        model, generator, batch["features"], batch["image_index"], batch["noise_keys"]
    )


def attention_step_by_step(decoder, regions, start, latent, tokens):
    """[T, R]: one token after another, with the softmax of equation 1 written out."""
    state = decoder.initial_state(start, latent)
    previous, rows = decoder.special.end, []
    for token in tokens.tolist():
        hidden, state = decoder.lstm(decoder.embedding(torch.tensor([[previous]])), state)
        scores = torch.stack([decoder.query(hidden)[0, 0] @ region for region in regions[0]])
        rows.append(scores.exp() / scores.exp().sum())
        previous = token
    return torch.stack(rows)


@pytest.mark.parametrize("name, order", MODELS)
def test_the_pair_is_the_one_that_fairseq_generate_prints(name, order, dictionary, features, batch):
    model = build(name, dictionary, features, order)
    printed = generate(model, dictionary, batch, beam=3)
    for (score, looks), (best, *_) in zip(
        look(model, dictionary, batch, beam=3), printed, strict=True
    ):
        assert score == pytest.approx(best["score"], abs=1e-5)
        text = dictionary.string(best["tokens"]).split()
        if looks is None:
            assert text.count(SEPARATOR) != 1
            continue
        question, answer = (
            dictionary.string(looks[half].tokens).split() for half in ("question", "answer")
        )
        assert [*question, SEPARATOR, *answer] == text
        for half in looks.values():
            assert (
                half.attention.shape == (len(half.tokens), 6)
                and half.tokens[-1] == dictionary.eos()
            )
            torch.testing.assert_close(half.attention.sum(dim=1), torch.ones(len(half.tokens)))
            assert (half.weights is None) == (name not in VARIATIONAL)


@torch.no_grad()
def test_weights_and_attention_of_the_joint_model_are_those_of_equations_5_and_1(
    dictionary, features, batch
):
    model = build("vqapg_joint_variational", dictionary, features)
    latents = model.sample(batch["features"], batch["image_index"], batch["noise_keys"], 1.0).latent
    images = model.image_encoder(batch["features"])
    found = look(model, dictionary, batch, beam=2)
    for row, (_, looks) in enumerate(found):
        image, z = images[batch["image_index"][row]], latents[row]
        scores = image @ model.latent.scaling.mlp(z)
        weights = [min(1.0, 6 * float(share)) for share in scores.exp() / scores.exp().sum()]
        regions = torch.tensor(weights).unsqueeze(1) * image
        for half, decoder in (
            ("question", model.question_decoder),
            ("answer", model.answer_decoder),
        ):
            torch.testing.assert_close(looks[half].weights, torch.tensor(weights))
            expected = attention_step_by_step(
                decoder, regions[None], image[None], z[None], looks[half].tokens
            )
            torch.testing.assert_close(looks[half].attention, expected)
    # They differ from row to row, so a row mixed up would have been seen.
    assert not torch.allclose(found[0][1]["question"].weights, found[1][1]["question"].weights)


@torch.no_grad()
@pytest.mark.parametrize("order", ["aq", "qa"])
def test_a_pipeline_has_weights_of_its_own_for_each_text(order, dictionary, features, batch):
    model = build("vqapg_pipeline_variational", dictionary, features, order)
    (_, looks), *_ = look(model, dictionary, batch, beam=2)
    assert not torch.allclose(looks["question"].weights, looks["answer"].weights)
    # X's are those that its own z gives.
    image = model.x_model.image_encoder(batch["features"])
    prior = model.x_model.prior(image).select(batch["image_index"])
    drawn = model.x_model.latent(prior, image[batch["image_index"]], batch["noise_keys"])
    torch.testing.assert_close(looks[model.x].weights, drawn.gate.weights[0])


@pytest.mark.parametrize("order", ["aq", "qa"])
def test_a_sequential_models_attention_is_cut_at_the_separator(order, dictionary, features, batch):
    model = build("vqapg_sequential_variational", dictionary, features, order)
    # Untrained it says no separator.
    fit(model, dictionary, batch, steps=200, rate=0.02)
    found = look(model, dictionary, batch, beam=4, max_len_b=12)
    printed = generate(model, dictionary, batch, beam=4, max_len_b=12)
    images = model.model.image_encoder(batch["features"])
    prior = model.model.prior(images).select(batch["image_index"])
    regions, start, latents, *_ = model.model.latent(
        prior, images[batch["image_index"]], batch["noise_keys"]
    )
    first, second = ("answer", "question") if order == "aq" else ("question", "answer")
    assert all(looks is not None for _, looks in found)
    for row, (_, looks) in enumerate(found):
        question, answer = (
            dictionary.string(looks[half].tokens) for half in ("question", "answer")
        )
        assert (
            dictionary.string(printed[row][0]["tokens"]) == f"{question} {SEPARATOR} {answer}"
            and question
            and answer
        )
        text = torch.cat([looks[first].tokens, looks[second].tokens])
        text[len(looks[first].tokens) - 1] = dictionary.index(SEPARATOR)
        with torch.no_grad():
            expected = attention_step_by_step(
                model.model.decoder,
                regions[row : row + 1],
                start[row : row + 1],
                latents[row : row + 1],
                text,
            )
        torch.testing.assert_close(
            torch.cat([looks[first].attention, looks[second].attention]), expected
        )


def test_without_region_scaling_there_are_no_weights_and_no_hook_stays(dictionary, features, batch):
    model = build("vqapg_joint_variational", dictionary, features, region_scaling=False)
    assert all(
        half.weights is None
        for _, looks in look(model, dictionary, batch)
        for half in looks.values()
    )
    model = build("vqapg_joint_variational", dictionary, features)
    look(model, dictionary, batch)
    assert not any(part._forward_hooks for part in model.modules())


def test_draws_of_one_image_differ(dictionary, features, batch):
    model = build("vqapg_joint_variational", dictionary, features)
    keys = np.array([[1, draw, 0] for draw in range(3)])
    inputs = batch | {"image_index": torch.zeros(3, dtype=torch.long), "noise_keys": keys}
    first, second, third = (looks["answer"].weights for _, looks in look(model, dictionary, inputs))
    assert not torch.allclose(first, second) and not torch.allclose(second, third)
