from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vqapg.criterions.elbo import ElboConfig, ElboCriterion
from vqapg.data.directory import SEPARATOR
from vqapg.errors import InputError
from vqapg.generation.pair_generator import PairGenerator
from vqapg.models.base import ModelConfig, VariationalModelConfig
from vqapg.models.joint import JointModel, VariationalJointModel
from vqapg.modules.noise import Stream, standard_normal
from vqapg.modules.text_decoder import shift_right

SIZES = {"hidden_size": 8, "embed_dim": 6}


def variational(dictionary, features, **options):
    torch.manual_seed(0)
    return VariationalJointModel(
        VariationalModelConfig(latent_dim=4, **SIZES, **options), dictionary, features
    ).eval()


@pytest.mark.parametrize("latent_from", ["posterior", "prior"])
@pytest.mark.parametrize("region_scaling", [True, False])
def test_forward_follows_section_4_3_pair_by_pair(dictionary, features, batch, latent_from, region_scaling):
    model = variational(dictionary, features, region_scaling=region_scaling)
    output = model(**batch, latent_from=latent_from)
    (posterior, prior) = output.latents["z"]
    noise = standard_normal(batch["noise_keys"], 4, Stream.LATENT)
    for row in range(4):
        regions = model.image_encoder(batch["features"][batch["image_index"][row]].unsqueeze(0))
        # Equation 2: the prior reads the mean region
        mean, log_variance = model.prior.head.mlp(regions[0].mean(dim=0)).chunk(2)
        torch.testing.assert_close(prior.mean[row], mean, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(prior.log_variance[row], log_variance, atol=1e-5, rtol=1e-4)
        # Equation 3: the posterior reads question, answer and image
        texts = torch.cat(
            [model.text_encoder(batch[name][row : row + 1]) for name in ("question", "answer")], dim=1
        )
        fused = model.posterior.attention(texts, regions)
        mean, log_variance = model.posterior.head.mlp(fused)[0].chunk(2)
        torch.testing.assert_close(posterior.mean[row], mean, atol=1e-5, rtol=1e-4)
        source = {"posterior": posterior, "prior": prior}[latent_from]
        z = source.mean[row] + torch.exp(source.log_variance[row] / 2) * noise[row]
        if region_scaling:  # equation 5
            scores = regions[0] @ model.region_scaling.mlp(z)
            weights = torch.minimum(torch.ones(6), 6 * scores.softmax(0))
            regions = weights.unsqueeze(1) * regions
        for name, decoder in (("question", model.question_decoder), ("answer", model.answer_decoder)):
            previous = shift_right(batch[name][row : row + 1], dictionary.eos(), dictionary.pad())
            decoded = decoder(previous, regions, decoder.initial_state(regions, z.unsqueeze(0)))
            real = batch[name][row].ne(dictionary.pad())
            torch.testing.assert_close(
                output.logits[name][row][real], decoded.logits[0][real], atol=1e-4, rtol=1e-4
            )


def fit(model, dictionary, pairs, cfg, steps):
    """Trains on the same pairs over and over, with new noise each time."""
    criterion = ElboCriterion(cfg, SimpleNamespace(target_dictionary=dictionary))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    keys = pairs["noise_keys"].copy()
    for step in range(steps):
        keys[:, 1] = step
        optimizer.zero_grad()
        sample = {"net_input": pairs | {"noise_keys": keys}, "nsentences": len(keys), "ntokens": 30}
        criterion(model, sample)[0].backward()
        optimizer.step()


def generate(model, dictionary, inputs, **options):
    """Pairs as text, a list an image."""
    options = SimpleNamespace(
        max_len_b=20, min_len=1, unnormalized=False, lenpen=1.0, unkpen=0.0, temperature=1.0, **options
    )
    generator = PairGenerator(model, dictionary, dictionary.index(SEPARATOR), options)
    found = generator.generate([model], {"net_input": inputs})
    return [[dictionary.string(hypothesis["tokens"]) for hypothesis in row] for row in found]


@pytest.mark.parametrize("region_scaling", [True, False])
def test_what_a_sample_is_decoded_from_is_scaled_by_its_own_z(dictionary, features, batch, region_scaling):
    model = variational(dictionary, features, region_scaling=region_scaling)
    regions, latent = model.sample(batch["features"], batch["image_index"], batch["noise_keys"])
    for row in range(4):
        expected = model.image_encoder(batch["features"])[batch["image_index"][row]]
        if region_scaling:  # equation 5
            shares = (expected @ model.region_scaling.mlp(latent[row])).softmax(0)
            weights = torch.tensor([min(1.0, 6 * share) for share in shares.tolist()])
            assert weights.min() < 0.999  # so that leaving it out is seen
            expected = weights.unsqueeze(1) * expected
        torch.testing.assert_close(regions[row], expected, atol=1e-6, rtol=1e-4)


def test_sampling_draws_from_the_prior(dictionary, features, batch):
    model = variational(dictionary, features)
    inputs = {name: batch[name] for name in ("features", "image_index", "noise_keys")}
    _, latent = model.sample(**inputs)
    _, prior = model(**batch).latents["z"]
    expected = prior.sample(standard_normal(batch["noise_keys"], 4, Stream.LATENT))
    torch.testing.assert_close(latent, expected)


def test_the_two_decoders_share_z_but_no_weights(dictionary, features):
    model = variational(dictionary, features)
    question = {id(p) for p in model.question_decoder.parameters()} - {id(model.embedding.weight)}
    answer = {id(p) for p in model.answer_decoder.parameters()} - {id(model.embedding.weight)}
    assert question and not question & answer


def test_a_joint_model_overfits_a_few_pairs_and_generates_them_back(dictionary, features, batch):
    torch.manual_seed(0)
    cfg = ModelConfig(hidden_size=32, embed_dim=16, dropout=0.0)
    model = JointModel(cfg, dictionary, features)
    # One pair an image: a baseline cannot say two things of one.
    pairs = {name: x[[0, 1, 3]] for name, x in batch.items() if name != "features"} | {
        "features": batch["features"]
    }
    fit(model, dictionary, pairs, ElboConfig(), steps=150)
    assert generate(model, dictionary, pairs, beam=3, nbest=1, sampling=False) == [
        ["what color is the shape ? <sep> red"],
        ["is there a circle ? <sep> yes"],
        ["is there a red shape ? <sep> no"],
    ]


def test_the_latent_variable_says_all_that_training_said_of_an_image(dictionary, features, batch):
    torch.manual_seed(0)
    cfg = VariationalModelConfig(hidden_size=32, embed_dim=16, dropout=0.0, latent_dim=8)
    model = VariationalJointModel.build_model(cfg, SimpleNamespace(dictionary=dictionary, features=features))
    fit(model, dictionary, batch, ElboConfig(kl_free_bits=1.0), steps=300)
    images = {
        "features": batch["features"],
        "image_index": torch.arange(3),
        "noise_keys": np.array([[1, 0, image] for image in range(3)]),
    }
    # The most probable tokens given z, so all variety is that of z.
    options = {"beam": 40, "nbest": 40, "sampling": True, "sampling_topk": 1, "sampling_topp": -1}
    first, second, third = map(Counter, generate(model, dictionary, images, **options))
    assert first["what color is the shape ? <sep> red"] >= 32
    assert third["is there a red shape ? <sep> no"] >= 32
    # Two pairs of one image: each comes, question and answer together
    one, other = second["is there a circle ? <sep> yes"], second["what is the shape ? <sep> a circle"]
    assert min(one, other) >= 4 and one + other >= 32


def test_a_checkpoint_refuses_other_features_and_other_dictionaries(dictionary, features):
    state = variational(dictionary, features).state_dict()
    variational(dictionary, features).load_state_dict(state)

    features.source = features.source | {"backbone": "resnet50"}
    with pytest.raises(InputError, match="features.h5: was made by resnet50 at 64 px .* trained on features of resnet18 at 64 px"):
        variational(dictionary, features).load_state_dict(state)
    features.source = features.source | {"backbone": "resnet18"}
    dictionary.add_symbol("square")
    with pytest.raises(InputError, match=r"data/dict.txt: is not the dictionary .* \(19 and 18 entries"):
        variational(dictionary, features).load_state_dict(state)
