"""How likely an answer is, given image and question, against sums word by word; and the choice."""

import math

import numpy as np
import pytest
import torch

from tests.support.generation_models import build, generate, generation_options, texts_of
from vqapg.errors import InputError
from vqapg.generation.pair_generator import PairGenerator
from vqapg.generation.rescoring import NEXT_CANDIDATE, NEXT_LATENT, Images, Rescoring, Texts
from vqapg.modules.latent import Gaussian
from vqapg.modules.noise import Stream, standard_normal
from vqapg.modules.text_decoder import Memory
from vqapg.tokens import SEPARATOR

WITH_ONE_Z = [
    ("vqapg_joint_variational", None),
    ("vqapg_sequential_variational", "aq"),
    ("vqapg_sequential_variational", "qa"),
]
WITH_OWN_Z = [
    ("vqapg_pipeline_variational", "qa"),
    ("vqapg_pipeline", "qa"),
    ("vqapg_sequential", "qa"),
    ("vqapg_vqa", None),
]
WITHOUT_MEANING = [
    ("vqapg_joint", None),
    ("vqapg_pipeline_variational", "aq"),
    ("vqapg_pipeline", "aq"),
    ("vqapg_sequential", "aq"),
    ("vqapg_vqg", None),
]


def sharpened(name, dictionary, features, order=None):
    model = build(name, dictionary, features, order)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model


def rescoring(model, dictionary, candidates):
    separator = dictionary.index(SEPARATOR)
    return Rescoring(model, candidates, separator, dictionary.eos(), dictionary.pad())


def encoded(dictionary, text):
    return torch.tensor([*map(dictionary.index, text.split()), dictionary.eos()])


def pairs_of(dictionary, row, *pairs):
    return [
        Texts(row, place, *(encoded(dictionary, text) for text in pair))
        for place, pair in enumerate(pairs)
    ]


def word_by_word(decoder, start, words, memory, state, end):
    """The sum of log-softmax of *words* that follow *start*, and the state after them."""
    total, previous = 0.0, start
    for word in words:
        decoded = decoder(torch.tensor([[previous]]), memory, state)
        total += torch.log_softmax(decoded.logits[0, 0].double(), dim=0)[word].item()
        previous, state = word, decoded.state
    return total, state


def said_by_joint(model, regions, z, question, answer, dictionary):
    seen = model.latent.known(z, regions).regions
    totals = []
    for decoder, text in ((model.question_decoder, question), (model.answer_decoder, answer)):
        state = decoder.initial_state(regions, z)
        end = dictionary.eos()
        totals.append(word_by_word(decoder, end, text.tolist(), Memory(seen), state, end)[0])
    return totals


def said_by_sequential(model, regions, z, question, answer, dictionary):
    part, end = model.model, dictionary.eos()
    seen = part.latent.known(z, regions).regions if part.latent else regions
    texts = {"aq": (answer, question), "qa": (question, answer)}[model.order]
    first, second = (text.tolist() for text in texts)
    first[-1] = dictionary.index(SEPARATOR)
    state = part.decoder.initial_state(regions, z)
    one, state = word_by_word(part.decoder, end, first, Memory(seen), state, end)
    other, _ = word_by_word(part.decoder, first[-1], second, Memory(seen), state, end)
    return (other, one) if model.order == "aq" else (one, other)


def texts_read(model, question, answer, dictionary):
    """What the posterior reads of a pair: one row, its encoding."""
    if "Joint" in type(model).__name__:
        both = [model.text_encoder(text.unsqueeze(0)).sequence for text in (question, answer)]
        return torch.cat(both, dim=1)
    first, second = (answer, question) if model.order == "aq" else (question, answer)
    whole = torch.cat([first, second])
    whole[len(first) - 1] = dictionary.index(SEPARATOR)
    return model.model.text_encoder(whole.unsqueeze(0)).sequence


def by_importance(model, features, key, pair, answers, dictionary):
    """log P(A | I, Q) of one pair by the formula, sum by sum."""
    part = model if "Joint" in type(model).__name__ else model.model
    said = said_by_joint if part is model else said_by_sequential
    regions = part.image_encoder(features)
    prior = part.prior(regions)
    posteriors = [
        part.posterior(texts_read(model, pair.question, answer, dictionary), regions)
        for answer in answers
    ]
    normal = [
        torch.distributions.Normal(g.mean[0].double(), (g.log_variance[0].double() / 2).exp())
        for g in (prior, *posteriors)
    ]
    weights = weighted = 0.0
    for j, posterior in enumerate(posteriors):
        noise_key = np.array([[key[0], key[1] + NEXT_LATENT * (1 + j), key[2]]])
        noise = standard_normal(noise_key, posterior.mean.size(1), Stream.LATENT)
        z = posterior.mean + (posterior.log_variance / 2).exp() * noise
        of_question, of_answer = said(model, regions, z, pair.question, pair.answer, dictionary)
        of_prior, *of_posteriors = (one.log_prob(z[0].double()).sum().item() for one in normal)
        weight = math.exp(of_question + of_prior) / sum(map(math.exp, of_posteriors))
        weights += weight
        weighted += weight * math.exp(of_answer)
    return math.log(weighted / weights)


PAIRS = [
    ("what color is the shape ?", "red"),
    ("is there a circle ?", "yes"),
    ("is there ?", "red"),
]


@pytest.mark.parametrize("name, order", WITH_ONE_Z)
@torch.no_grad()
def test_one_z_is_weighted_as_in_a_loop(name, order, dictionary, features, batch):
    model = sharpened(name, dictionary, features, order)
    # Two rows, so that answers of one must not count for the other
    texts = pairs_of(dictionary, 0, *PAIRS) + pairs_of(dictionary, 1, ("a shape ?", "a circle"))
    image_index = torch.tensor([1, 1, 1, 2])
    keys = np.array([[5, 0, 7], [5, NEXT_CANDIDATE, 7], [5, 2 * NEXT_CANDIDATE, 7], [5, 3, 8]])
    found = rescoring(model, dictionary, 3).log_probs(
        texts, Images(batch["features"]), image_index, keys
    )
    answers = [encoded(dictionary, "red"), encoded(dictionary, "yes")]
    for place, pair in enumerate(texts):
        expected = by_importance(
            model,
            batch["features"][image_index[[place]]],
            keys[place],
            pair,
            answers if pair.row == 0 else [pair.answer],
            dictionary,
        )
        assert found[place].item() == pytest.approx(expected, abs=1e-4)


@torch.no_grad()
def test_it_nears_the_ratio_of_two_means_over_the_prior(dictionary, features, batch):
    """P(A | I, Q) = E P(Q | z) P(A | z) / E P(Q | z), z from the prior, is exact in the limit."""
    model = sharpened("vqapg_joint_variational", dictionary, features)
    # An untrained posterior is anywhere; this one covers the prior.
    last = list(model.posterior.head.parameters())[-2:]
    last[0].zero_()
    last[1].copy_(torch.tensor([0.0] * 4 + [0.3] * 4))
    generator = np.random.default_rng(0)
    words = "red blue circle yes no shape there".split()
    answers = ["red"]
    while len(answers) < 100:
        answers = list(dict.fromkeys([*answers, " ".join(generator.choice(words, size=3))]))
    question = "is there ?"
    texts = pairs_of(dictionary, 0, *((question, answer) for answer in answers))
    keys = np.array([[1, NEXT_CANDIDATE * k, 3] for k in range(100)])
    images = Images(batch["features"][:1])
    zero = torch.zeros(100, dtype=torch.long)
    found = rescoring(model, dictionary, 100).log_probs(texts, images, zero, keys)[0].exp().item()

    count = 20_000
    prior = model.prior(model.image_encoder(images.features)).select(torch.zeros(count).long())
    z = prior.sample(torch.randn(count, 4, generator=torch.Generator().manual_seed(0)))
    ends = [encoded(dictionary, text).expand(count, -1) for text in (question, "red")]
    output = model(
        images.features,
        torch.zeros(count, dtype=torch.long),
        *ends,
        np.zeros((count, 3), np.int64),
        latent_from=Gaussian.at(z),
    )
    of_question, of_answer = (
        output.logits[name].log_softmax(-1).gather(2, text.unsqueeze(2)).sum(dim=(1, 2))
        for name, text in zip(("question", "answer"), ends)
    )
    exact = (of_question + of_answer).exp().mean() / of_question.exp().mean()
    assert found == pytest.approx(exact.item(), rel=0.1)
    # The prior alone gives another figure, so the question was heard.
    assert of_answer.exp().mean().item() != pytest.approx(exact.item(), rel=0.1)


@pytest.mark.parametrize("name, order", WITH_OWN_Z)
@torch.no_grad()
def test_an_answers_own_z_is_drawn_given_the_question(name, order, dictionary, features, batch):
    model = sharpened(name, dictionary, features, order)
    (pair,) = pairs_of(dictionary, 0, PAIRS[1])
    key = np.array([[5, 2, 7]])
    found = rescoring(model, dictionary, 3).log_probs(
        [pair], Images(batch["features"]), torch.tensor([1]), key
    )
    image = batch["features"][[1]]
    if name == "vqapg_sequential":
        regions = model.model.image_encoder(image)
        expected = said_by_sequential(model, regions, None, *pair[2:], dictionary)[1]
        assert found.item() == pytest.approx(expected, abs=1e-4)
        return
    part = model.model if name == "vqapg_vqa" else model.y_model
    regions = part.image_encoder(image)
    x = part.text_encoder(pair.question.unsqueeze(0))
    probabilities = []
    for draw in range(4 if model.variational else 1):
        z, seen = None, regions
        if part.latent is not None:
            noise_key = key + np.array([[0, NEXT_LATENT * (1 + draw), 0]])
            prior = part.prior(x.sequence, regions)
            z = prior.sample(standard_normal(noise_key, 4, Stream.LATENT_OF_Y))
            seen = part.latent.known(z, regions).regions
        state = part.decoder.initial_state(regions, z, x.sequence)
        memory = Memory(seen, x.tokens, x.real)
        end = dictionary.eos()
        total, _ = word_by_word(part.decoder, end, pair.answer.tolist(), memory, state, end)
        probabilities.append(math.exp(total))
    assert found.exp().item() == pytest.approx(np.mean(probabilities), rel=1e-3)


@pytest.fixture
def chosen(dictionary, features, batch, monkeypatch):
    """chosen(probabilities by answer, rows of pairs) -> the places that are kept."""

    def choose(probabilities, *rows):
        model = build("vqapg_joint_variational", dictionary, features)
        one = rescoring(model, dictionary, len(rows[0]))
        asked = []

        def log_probs(texts, images, image_index, keys):
            asked.extend(dictionary.string(text.answer) for text in texts)
            assert len(image_index) == len(keys) == len(texts)
            return torch.tensor([math.log(probabilities[answer]) for answer in asked])

        monkeypatch.setattr(one, "log_probs", log_probs)
        tokens = [encoded(dictionary, text) for row in rows for text in row]
        keys = np.zeros((len(tokens), 3), np.int64)
        index = torch.zeros(len(tokens), dtype=torch.long)
        kept = one.kept(tokens, Images(batch["features"]), index, keys)
        return kept, asked

    return choose


def test_the_likeliest_answer_of_each_row_is_kept(chosen):
    probabilities = {"red": 0.2, "blue": 0.7, "yes": 0.4, "no": 0.1}
    rows = ["what ? <sep> red", "what ? <sep> blue"], ["is ? <sep> yes", "is ? <sep> no"]
    assert chosen(probabilities, *rows)[0] == [1, 2]


def test_of_answers_equal_to_a_tenth_the_first_is_kept(chosen):
    sure = {"red": 0.96, "blue": 0.999, "yes": 0.9}
    assert chosen(sure, ["what ? <sep> red", "what ? <sep> blue"])[0] == [0]
    assert chosen(sure, ["is ? <sep> yes", "what ? <sep> red"])[0] == [1]


def test_a_pair_drawn_twice_is_read_once(chosen):
    row = ["is ? <sep> no", "what ? <sep> red", "what ? <sep> red"]
    assert chosen({"red": 0.9, "no": 0.5}, row) == ([1], ["no", "red"])


def test_malformed_draws_are_kept_only_among_themselves(chosen):
    malformed = ["what red", "what <sep> is <sep> red", "<sep> red", "what <sep>"]
    assert chosen({"no": 1e-6}, [*malformed, "is ? <sep> no"]) == ([4], ["no"])
    assert chosen({}, malformed) == ([0], [])


DRAWN, SEARCHED = {"sampling": True, "beam": 2, "nbest": 2}, {"beam": 2}


# Without z nothing is drawn in a search.
@pytest.mark.parametrize(
    "name, order, how",
    [
        *((*model, how) for model in WITH_ONE_Z for how in (DRAWN, SEARCHED)),
        ("vqapg_pipeline_variational", "qa", DRAWN),
        ("vqapg_pipeline_variational", "qa", SEARCHED),
        ("vqapg_sequential", "qa", DRAWN),
    ],
)
def test_a_rescored_pair_does_not_depend_on_its_batch(
    name, order, how, dictionary, features, batch
):
    model = sharpened(name, dictionary, features, order)
    how = how | {"rescore": 3, "refine": int(model.variational)}
    together = generate(model, dictionary, batch, **how)
    for row in (3, 1):
        alone = batch | {
            key: batch[key][[row]] for key in ("image_index", "question", "answer", "noise_keys")
        }
        assert texts_of(generate(model, dictionary, alone, **how), dictionary) == [
            texts_of(together, dictionary)[row]
        ]
    other = generate(
        model, dictionary, batch | {"noise_keys": batch["noise_keys"] + [[1, 0, 0]]}, **how
    )
    assert texts_of(other, dictionary) != texts_of(together, dictionary)


@pytest.mark.parametrize("name, order", [*WITH_ONE_Z, ("vqapg_pipeline_variational", "qa")])
def test_the_kept_pair_is_one_of_the_plain_draws(name, order, dictionary, features, batch):
    model = sharpened(name, dictionary, features, order)
    how = {"sampling": True, "beam": 1}
    draws = []
    for candidate in range(4):
        keys = batch["noise_keys"] + [[0, NEXT_CANDIDATE * candidate, 0]]
        generator = PairGenerator(
            model, dictionary, dictionary.index(SEPARATOR), generation_options(**how)
        )
        found = generator.best(batch["features"], batch["image_index"], keys)
        draws.append(texts_of(found, dictionary))
    kept = texts_of(generate(model, dictionary, batch, rescore=4, **how), dictionary)
    for row, text in enumerate(kept):
        assert text in [draw[row] for draw in draws]
    assert kept != draws[0]
    assert texts_of(generate(model, dictionary, batch, rescore=1, **how), dictionary) == draws[0]


@pytest.mark.parametrize("name, order", WITHOUT_MEANING)
def test_rescoring_without_meaning_is_refused(name, order, dictionary, features, batch):
    model = build(name, dictionary, features, order)
    with pytest.raises(InputError, match="^--rescore has no meaning for this model: it makes"):
        generate(model, dictionary, batch, rescore=2, sampling=True)


@pytest.mark.parametrize(
    "name, how, message",
    [
        ("vqapg_joint", {"refine": 1}, "--refine has no meaning for a model without latent"),
        ("vqapg_joint_variational", {"refine": -1}, "--refine must be at least 0, not -1"),
        ("vqapg_joint_variational", {"rescore": 0}, "--rescore must be at least 1, not 0"),
        ("vqapg_vqa", {"rescore": 2}, "--rescore: nothing is drawn in this model with beam search"),
    ],
)
def test_numbers_that_cannot_be_are_refused(name, how, message, dictionary, features, batch):
    with pytest.raises(InputError) as error:
        generate(build(name, dictionary, features), dictionary, batch, **how)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)
