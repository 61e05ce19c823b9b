import pytest
import torch

from tests.support.generation_models import build
from vqapg.modules.noise import Stream, standard_normal
from vqapg.modules.text import shift_right
from vqapg.modules.text_decoder import Memory


@pytest.mark.parametrize("latent_from", ["posterior", "prior"])
@pytest.mark.parametrize(
    "region_scaling, scaled_start, separate",
    [(True, False, False), (True, True, False), (False, False, True)],
)
def test_forward_follows_section_4_3_pair_by_pair(
    dictionary, features, batch, latent_from, region_scaling, scaled_start, separate
):
    model = build(
        "vqapg_joint_variational",
        dictionary,
        features,
        region_scaling=region_scaling,
        scaled_start=scaled_start,
        separate_text_encoders=separate,
    )
    encoders = {
        "question": model.text_encoder,
        "answer": model.answer_encoder if separate else model.text_encoder,
    }
    output = model(**batch, latent_from=latent_from)
    posterior, prior = output.latents["pair"]
    noise = standard_normal(batch["noise_keys"], 4, Stream.LATENT)
    for row in range(4):
        regions = model.image_encoder(batch["features"][batch["image_index"][row]].unsqueeze(0))
        # Equation 2: the prior reads the mean region
        mean, log_variance = model.prior.head.mlp(regions[0].mean(dim=0)).chunk(2)
        torch.testing.assert_close(prior.mean[row], mean, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(prior.log_variance[row], log_variance, atol=1e-5, rtol=1e-4)
        # Equation 3: the posterior reads question, answer and image
        texts = torch.cat(
            [
                encoders[name](batch[name][row : row + 1]).sequence
                for name in ("question", "answer")
            ],
            dim=1,
        )
        fused = model.posterior.attention(texts, regions)
        mean, log_variance = model.posterior.head.mlp(fused)[0].chunk(2)
        torch.testing.assert_close(posterior.mean[row], mean, atol=1e-5, rtol=1e-4)
        source = {"posterior": posterior, "prior": prior}[latent_from]
        z = source.mean[row] + torch.exp(source.log_variance[row] / 2) * noise[row]
        start = regions
        if region_scaling:  # equation 5
            scores = regions[0] @ model.latent.scaling.mlp(z)
            weights = torch.minimum(torch.ones(6), 6 * scores.softmax(0))
            regions = weights.unsqueeze(1) * regions
        if scaled_start:
            start = regions
        for name, decoder in (
            ("question", model.question_decoder),
            ("answer", model.answer_decoder),
        ):
            previous = shift_right(batch[name][row : row + 1], dictionary.eos(), dictionary.pad())
            decoded = decoder(
                previous, Memory(regions), decoder.initial_state(start, z.unsqueeze(0))
            )
            real = batch[name][row].ne(dictionary.pad())
            torch.testing.assert_close(
                output.logits[name][row][real], decoded.logits[0][real], atol=1e-4, rtol=1e-4
            )


@pytest.mark.parametrize("region_scaling", [True, False])
def test_a_sample_is_decoded_from_regions_scaled_by_its_z(
    dictionary, features, batch, region_scaling
):
    model = build("vqapg_joint_variational", dictionary, features, region_scaling=region_scaling)
    regions, start, latent, *_ = model.sample(
        batch["features"], batch["image_index"], batch["noise_keys"], 1.0
    )
    for row in range(4):
        unscaled = model.image_encoder(batch["features"])[batch["image_index"][row]]
        torch.testing.assert_close(start[row], unscaled)
        expected = unscaled
        if region_scaling:  # equation 5
            shares = (expected @ model.latent.scaling.mlp(latent[row])).softmax(0)
            weights = torch.tensor([min(1.0, 6 * share) for share in shares.tolist()])
            assert weights.min() < 0.999  # so that leaving it out is seen
            expected = weights.unsqueeze(1) * expected
        torch.testing.assert_close(regions[row], expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 0.0])
def test_sampling_draws_from_the_prior_as_hot_as_asked(dictionary, features, batch, temperature):
    model = build("vqapg_joint_variational", dictionary, features)
    inputs = [batch[name] for name in ("features", "image_index", "noise_keys")]
    latent = model.sample(*inputs, temperature).latent
    _, prior = model(**batch).latents["pair"]
    noise = standard_normal(batch["noise_keys"], 4, Stream.LATENT)
    torch.testing.assert_close(
        latent, prior.mean + temperature * (prior.log_variance / 2).exp() * noise
    )


def test_the_two_decoders_share_z_but_no_weights(dictionary, features):
    model = build("vqapg_joint_variational", dictionary, features)
    question = {id(p) for p in model.question_decoder.parameters()} - {id(model.embedding.weight)}
    answer = {id(p) for p in model.answer_decoder.parameters()} - {id(model.embedding.weight)}
    assert question and not question & answer


def test_baseline_returns_no_attention_to_align(dictionary, features, batch):
    baseline = build("vqapg_joint", dictionary, features)
    assert baseline(**batch).attention == {}
    variational = build("vqapg_joint_variational", dictionary, features)
    assert set(variational(**batch).attention) == {"question", "answer"}
