import pytest
import torch

from tests.support.generation_models import ALL, build, generate, texts_of
from vqapg.models.hypothesis import Hypothesis
from vqapg.modules.noise import Stream, standard_normal
from vqapg.modules.text_decoder import Memory

MODELS = [(name, order) for name, order in ALL if "sequential" in name]


def whole_text(batch, row, dictionary, order):
    """T = X <sep> Y of one pair, word by word."""
    texts = {}
    for name in ("question", "answer"):
        tokens = batch[name][row].tolist()
        texts[name] = tokens[: tokens.index(dictionary.eos())]
    first, second = ("answer", "question") if order == "aq" else ("question", "answer")
    return torch.tensor(
        [[*texts[first], dictionary.index("<sep>"), *texts[second], dictionary.eos()]]
    )


@pytest.mark.parametrize("latent_from", ["posterior", "prior"])
@pytest.mark.parametrize("name, order", MODELS)
def test_forward_follows_section_4_4_pair_by_pair(
    dictionary, features, batch, name, order, latent_from
):
    model = build(name, dictionary, features, order)
    output, part = model(**batch, latent_from=latent_from), model.model
    for row in range(4):
        text, keys = whole_text(batch, row, dictionary, order), batch["noise_keys"][row : row + 1]
        length = text.size(1)
        assert output.targets["pair"][row, :length].tolist() == text[0].tolist()
        assert output.targets["pair"][row, length:].eq(dictionary.pad()).all()
        regions, z = (
            part.image_encoder(batch["features"][batch["image_index"][row]].unsqueeze(0)),
            None,
        )
        unscaled = regions
        if part.latent is not None:  # alike equations 2 and 3, of the whole text
            prior, posterior = (
                part.prior(regions),
                part.posterior(part.text_encoder(text).sequence, regions),
            )
            for got, expected in zip(output.latents["pair"], (posterior, prior)):
                torch.testing.assert_close(got.mean[row], expected.mean[0], atol=1e-5, rtol=1e-4)
            source = posterior if latent_from == "posterior" else prior
            z = source.mean + (source.log_variance / 2).exp() * standard_normal(
                keys, 4, Stream.LATENT
            )
            shares = (regions[0] @ part.latent.scaling.mlp(z)[0]).softmax(0)  # equation 5
            regions = torch.minimum(torch.ones(6), 6 * shares).view(1, -1, 1) * regions
        decoded = part.decoder.teacher_forced(
            text, Memory(regions), part.decoder.initial_state(unscaled, z), keys
        )
        torch.testing.assert_close(
            output.logits["pair"][row, :length], decoded.logits[0], atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize("order", ["aq", "qa"])
def test_a_generated_text_comes_question_first_and_a_malformed_one_as_it_is(
    dictionary, features, batch, order
):
    model = build("vqapg_sequential", dictionary, features, order)

    def search(decoder, memory, state, noise_keys):
        """Says two texts of every image: a pair, and one with two separators."""
        words = [[dictionary.index(w) for w in text.split()] + [dictionary.eos()] for text in texts]
        log_probs = -torch.arange(1.0, 20)
        return [
            [
                Hypothesis(torch.tensor(w), log_probs[: len(w)], log_probs[: len(w)].sum().item())
                for w in words
            ]
            for _ in range(4)
        ]

    texts = [
        "red <sep> what color ?" if order == "aq" else "what color ? <sep> red",
        "red <sep> red <sep> red",
    ]
    pairs = model.generate(batch["features"], batch["image_index"], batch["noise_keys"], search)
    for pair, malformed in pairs:
        assert dictionary.string(pair["question"].tokens) == "what color ?"
        assert dictionary.string(pair["answer"].tokens) == "red"
        assert sum(text.total for text in pair.values()) == -21
        # Each text has the probabilities of its own words.
        first = [-1.0, -2.0] if order == "aq" else [-1.0, -2.0, -3.0, -4.0]
        assert pair["answer" if order == "aq" else "question"].log_probs.tolist() == first
        assert dictionary.string(malformed["pair"].tokens) == texts[1]


@pytest.mark.parametrize("name, order", MODELS)
def test_its_score_is_that_of_the_whole_text(dictionary, features, batch, name, order):
    model = build(name, dictionary, features, order)
    for row in generate(model, dictionary, batch, beam=4, nbest=4):
        for hypothesis in row:
            mean = hypothesis["positional_scores"].sum().item() / len(hypothesis["tokens"])
            assert hypothesis["score"] == pytest.approx(mean, abs=1e-5)
        assert [h["score"] for h in row] == sorted((h["score"] for h in row), reverse=True)


def test_an_untrained_model_may_say_what_is_no_pair(dictionary, features, batch):
    """The separator is free to come, or not."""
    model = build("vqapg_sequential_variational", dictionary, features)
    found = texts_of(
        generate(model, dictionary, batch, sampling=True, beam=50, nbest=50), dictionary
    )
    counts = {text.split().count("<sep>") for row in found for text in row}
    assert {0, 1, 2} <= counts
