import numpy as np
import pytest
import torch

from tests.support.generation_models import ALL, build, criterion, generate, sample_of, texts_of
from vqapg.generation.beam_search import BeamSearch
from vqapg.generation.token_rules import TokenRules
from vqapg.modules.noise import Stream, standard_normal
from vqapg.modules.text_decoder import Memory

MODELS = [(name, order) for name, order in ALL if "pipeline" in name]
VARIATIONAL = [(name, order) for name, order in MODELS if "variational" in name]


@pytest.mark.parametrize("latent_from", ["posterior", "prior"])
@pytest.mark.parametrize("name, order", VARIATIONAL)
def test_forward_follows_section_4_2_pair_by_pair(
    dictionary, features, batch, name, order, latent_from
):
    model = build(name, dictionary, features, order)
    output = model(**batch, latent_from=latent_from)
    x_name, y_name = ("answer", "question") if order == "aq" else ("question", "answer")
    for row in range(4):
        x, y = (
            batch[text][row][batch[text][row].ne(dictionary.pad())].unsqueeze(0)
            for text in (x_name, y_name)
        )
        keys = batch["noise_keys"][row : row + 1]
        for text, part, gold, stream in (
            (x_name, model.x_model, x, Stream.LATENT),
            (y_name, model.y_model, y, Stream.LATENT_OF_Y),
        ):
            regions = part.image_encoder(batch["features"][batch["image_index"][row]].unsqueeze(0))
            h_x = part.text_encoder(x)
            if part is model.x_model:  # equation 2
                prior, posterior = part.prior(regions), part.posterior(h_x.sequence, regions)
            else:  # equation 3
                both = torch.cat([h_x.sequence, part.text_encoder(y).sequence], dim=1)
                prior, posterior = part.prior(h_x.sequence, regions), part.posterior(both, regions)
            for got, expected in zip(output.latents[text], (posterior, prior)):
                torch.testing.assert_close(got.mean[row], expected.mean[0], atol=1e-5, rtol=1e-4)
                torch.testing.assert_close(
                    got.log_variance[row], expected.log_variance[0], atol=1e-5, rtol=1e-4
                )
            source = posterior if latent_from == "posterior" else prior
            z = source.mean + (source.log_variance / 2).exp() * standard_normal(keys, 4, stream)
            unscaled = regions
            shares = (regions[0] @ part.latent.scaling.mlp(z)[0]).softmax(0)  # equation 5
            regions = torch.minimum(torch.ones(6), 6 * shares).view(1, -1, 1) * regions
            memory, h = Memory(regions), None
            if part is model.y_model:
                memory, h = Memory(regions, h_x.tokens, h_x.real), h_x.sequence
            decoded = part.decoder.teacher_forced(
                gold, memory, part.decoder.initial_state(unscaled, z, h), keys
            )
            length = gold.size(1)
            torch.testing.assert_close(
                output.logits[text][row, :length], decoded.logits[0], atol=1e-4, rtol=1e-4
            )


@pytest.mark.parametrize("name, order", MODELS)
def test_the_sub_models_share_no_parameter_and_train_alone(
    dictionary, features, batch, name, order
):
    model = build(name, dictionary, features, order)
    x, y = ({id(p) for p in part.parameters()} for part in (model.x_model, model.y_model))
    assert not x & y and len(x) + len(y) == len(list(model.parameters()))
    # What one sub-model says is no part of what the other is trained on.
    loss, _, _ = criterion(dictionary)(model, sample_of(batch))
    loss.backward()
    together = {name: p.grad.clone() for name, p in model.x_model.named_parameters()}
    model.zero_grad()
    with torch.no_grad():
        for parameter in model.y_model.parameters():
            parameter.mul_(2)
    criterion(dictionary)(model, sample_of(batch))[0].backward()
    for name, p in model.x_model.named_parameters():
        torch.testing.assert_close(p.grad, together[name], msg=name)


@pytest.mark.parametrize("nbest", [1, 2])
@pytest.mark.parametrize("name, order", MODELS)
@torch.no_grad()
def test_y_is_generated_from_the_predicted_x(dictionary, features, batch, name, order, nbest):
    model = build(name, dictionary, features, order)
    rules = TokenRules(end=2, forbidden=(0, 1, 4), unknown=3, max_len=5)
    search = BeamSearch(rules, beam=3)
    inputs = batch["features"], batch["image_index"], batch["noise_keys"]
    found = model.generate(*inputs, search, nbest=nbest)
    x_name, y_name = ("answer", "question") if order == "aq" else ("question", "answer")
    xs = model.x_model.generate(*inputs, search, 1.0)
    for row in range(4):
        expected = []
        for x in xs[row][:nbest]:
            (ys,) = model.y_model.generate(
                batch["features"],
                batch["image_index"][[row]],
                x.tokens.unsqueeze(0),
                batch["noise_keys"][[row]],
                search,
                1.0,
            )
            expected += [(x.tokens.tolist(), y.tokens.tolist()) for y in ys]
        assert [
            (h[x_name].tokens.tolist(), h[y_name].tokens.tolist()) for h in found[row]
        ] == expected


def test_each_sub_model_draws_noise_of_its_own(dictionary, features, batch):
    model = build("vqapg_pipeline_variational", dictionary, features)
    keys = np.array([[1, 0, 5]])
    assert model.x_model.latent.stream != model.y_model.latent.stream
    x, y = (standard_normal(keys, 4, part.latent.stream) for part in (model.x_model, model.y_model))
    assert not torch.isclose(x, y).any()


def test_the_objective_of_each_sub_model_is_logged(dictionary, features, batch):
    from fairseq.logging import metrics

    model = build("vqapg_pipeline_variational", dictionary, features)
    elbo = criterion(dictionary)
    _, _, log = elbo(model, sample_of(batch))
    with metrics.aggregate() as values:
        elbo.reduce_metrics([log])
    for text in ("question", "answer"):
        expected = -(log[f"nll_{text}"] + log[f"kl_{text}"]).item() / 4
        assert values.get_smoothed_value(f"elbo_{text}") == pytest.approx(expected, abs=2e-3)
    both = sum(values.get_smoothed_value(f"elbo_{text}") for text in ("question", "answer"))
    assert values.get_smoothed_value("elbo") == pytest.approx(both, abs=4e-3)


def test_generated_lines_are_question_first_whatever_the_order(dictionary, features, batch):
    for name, order in MODELS:
        model = build(name, dictionary, features, order)
        streams = []
        found = model.generate(
            batch["features"],
            batch["image_index"],
            batch["noise_keys"],
            lambda decoder, memory, state, keys: (
                streams.append(decoder.stream)
                or BeamSearch(TokenRules(2, (0, 1, 4), 3, max_len=3), 1)(
                    decoder, memory, state, keys
                )
            ),
        )
        assert streams == (
            [Stream.ANSWER, Stream.QUESTION] if order == "aq" else [Stream.QUESTION, Stream.ANSWER]
        )
        for (text,), (pair,) in zip(
            texts_of(generate(model, dictionary, batch, beam=1, max_len_b=3), dictionary), found
        ):
            question, answer = text.split(" <sep> ")
            assert question == dictionary.string(pair["question"].tokens)
            assert answer == dictionary.string(pair["answer"].tokens)
