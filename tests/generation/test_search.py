import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from vqapg.generation.search import BeamSearch, Sampling, TokenRules
from vqapg.modules.noise import Stream
from vqapg.modules.text_decoder import TextDecoder

# Tokens 0 and 1 are forbidden (start, padding), 2 is the end, 3 the unknown word, 4 and 5 are words.
END, VOCABULARY = 2, 6


def rules(**options):
    return TokenRules(end=END, forbidden=(0, 1), unknown=3, **{"max_len": 3, **options})


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    decoder = TextDecoder(nn.Embedding(VOCABULARY, 4, padding_idx=1), dim=6, latent_dim=3).eval()
    for parameter in decoder.parameters():
        parameter.data.mul_(3)  # far from uniform
    return decoder


@pytest.fixture
def inputs(decoder):
    regions, latent = torch.randn(5, 4, 6), torch.randn(5, 3)
    return regions, decoder.initial_state(regions, latent)


def keys(rows):
    return np.array([[1, 0, row] for row in range(rows)])


def all_texts(decoder, regions, state, rules):
    """Every text that the rules allow for one image, with its log-probability, token by token."""
    for length in range(rules.min_len, rules.max_len + 1):
        for words in itertools.product((3, 4, 5), repeat=length):
            tokens, current, log_probs = [*words, END], state, []
            for step, (previous, token) in enumerate(zip([END, *words], tokens)):
                decoded = decoder(torch.tensor([[previous]]), regions, current)
                current = decoded.state
                scores = decoded.logits[0, 0] / rules.temperature
                scores = scores.log_softmax(-1)
                allowed = [t for t in range(VOCABULARY) if t not in rules.forbidden]
                if step < rules.min_len:
                    allowed.remove(END)
                if step >= rules.max_len:
                    allowed = [END]
                assert token in allowed
                log_probs.append(scores[token].item() - (rules.unknown_penalty if token == 3 else 0))
            yield tokens, log_probs


def one_row(regions, state, row):
    return regions[row : row + 1], tuple(x[:, row : row + 1] for x in state)


@pytest.mark.parametrize("options", [
    {},
    {"min_len": 2},
    {"temperature": 0.7, "unknown_penalty": 1.5},
])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0])
@torch.no_grad()
def test_a_beam_wide_enough_equals_brute_force(decoder, inputs, options, length_penalty):
    regions, state = inputs
    the_rules = rules(**options)
    search = BeamSearch(the_rules, beam=60, length_penalty=length_penalty)
    found = search(decoder, regions, state, keys(5), Stream.QUESTION)
    for row in range(5):
        expected = sorted(
            all_texts(decoder, *one_row(regions, state, row), the_rules),
            key=lambda text: sum(text[1]) / len(text[1]) ** length_penalty,
            reverse=True,
        )
        assert [h.tokens.tolist() for h in found[row]] == [tokens for tokens, _ in expected]
        for hypothesis, (_, log_probs) in zip(found[row], expected):
            assert hypothesis.log_probs.tolist() == pytest.approx(log_probs, abs=1e-4)


@torch.no_grad()
def test_a_beam_of_one_is_greedy(decoder, inputs):
    regions, state = inputs
    found = BeamSearch(rules(max_len=8), beam=1)(decoder, regions, state, keys(5), Stream.QUESTION)
    for row in range(5):
        row_regions, current = one_row(regions, state, row)
        tokens = [END]
        while len(tokens) < 10 and (len(tokens) == 1 or tokens[-1] != END):
            decoded = decoder(torch.tensor([[tokens[-1]]]), row_regions, current)
            current = decoded.state
            scores = decoded.logits[0, 0].clone()
            scores[[0, 1]] = -math.inf
            if len(tokens) == 1:
                scores[END] = -math.inf
            tokens.append(END if len(tokens) == 9 else int(scores.argmax()))
        assert found[row][0].tokens.tolist() == tokens[1:]


def slow_beam(decoder, regions, state, rules, beam):
    """fairseq's rules for one image, with Python lists."""
    live, finished = [([END], [], state)], []
    for step in range(rules.max_len + 1):
        candidates = []
        for tokens, log_probs, current in live:
            decoded = decoder(torch.tensor([[tokens[-1]]]), regions, current)
            for token, value in enumerate(rules.log_probs(decoded.logits[0, 0], step).tolist()):
                candidates.append(([*tokens, token], [*log_probs, value], decoded.state))
        candidates = sorted(candidates, key=lambda c: sum(c[1]), reverse=True)[: 2 * beam]
        for tokens, log_probs, _ in candidates[:beam]:
            if tokens[-1] == END and math.isfinite(sum(log_probs)) and len(finished) < beam:
                finished.append((tokens[1:], log_probs))
        live = [c for c in candidates if c[0][-1] != END and math.isfinite(sum(c[1]))][:beam]
        if len(finished) == beam or not live:
            break
    return sorted(finished, key=lambda f: sum(f[1]) / len(f[1]), reverse=True)


@pytest.mark.parametrize("beam", [2, 3, 5])
@torch.no_grad()
def test_narrow_beams_equal_a_slow_search_row_by_row(decoder, inputs, beam):
    regions, state = inputs
    the_rules = rules(max_len=7)
    found = BeamSearch(the_rules, beam)(decoder, regions, state, keys(5), Stream.QUESTION)
    for row in range(5):
        expected = slow_beam(decoder, *one_row(regions, state, row), the_rules, beam)
        assert [h.tokens.tolist() for h in found[row]] == [tokens for tokens, _ in expected]


@torch.no_grad()
def test_sampling_follows_the_models_distribution(decoder, inputs):
    regions, state = one_row(*inputs, 0)
    draws = 20_000
    many_regions, many_state = regions.expand(draws, -1, -1), tuple(x.repeat(1, draws, 1) for x in state)
    the_rules = rules(max_len=2)
    found = Sampling(the_rules)(decoder, many_regions, many_state, keys(draws), Stream.ANSWER)
    counts = {}
    for (hypothesis,) in found:
        text = tuple(hypothesis.tokens.tolist())
        counts[text] = counts.get(text, 0) + 1
    expected = sampling_distribution(decoder, regions, state, the_rules)
    assert sum(expected.values()) == pytest.approx(1, abs=1e-5)
    for text, share in expected.items():
        error = 4 * math.sqrt(share * (1 - share) / draws) + 1e-4
        assert counts.get(text, 0) / draws == pytest.approx(share, abs=error)


def sampling_distribution(decoder, regions, state, rules, tokens=(), probability=1.0):
    """Every text with its probability; what is forbidden at a step has its share spread over what is left."""
    if tokens and tokens[-1] == END:
        return {tokens: probability}
    decoded = decoder(torch.tensor([[tokens[-1] if tokens else END]]), regions, state)
    shares = decoded.logits[0, 0].softmax(-1).tolist()
    allowed = [t for t in (END, 3, 4, 5) if t != END or len(tokens) >= rules.min_len]
    if len(tokens) == rules.max_len:
        allowed = [END]
    total = sum(shares[t] for t in allowed)
    texts = {}
    for token in allowed:
        chance = probability * shares[token] / total
        texts |= sampling_distribution(decoder, regions, decoded.state, rules, (*tokens, token), chance)
    return texts


@torch.no_grad()
def test_a_sample_depends_on_its_key_not_on_its_batch(decoder, inputs):
    regions, state = inputs
    search = Sampling(rules(max_len=6))
    together = search(decoder, regions, state, keys(5), Stream.ANSWER)
    for row in range(5):
        alone = search(decoder, *one_row(regions, state, row), keys(5)[row : row + 1], Stream.ANSWER)
        assert alone[0][0].tokens.tolist() == together[row][0].tokens.tolist()
    others = search(decoder, regions, state, keys(5) + [[1, 0, 0]], Stream.ANSWER)
    assert [h[0].tokens.tolist() for h in others] != [h[0].tokens.tolist() for h in together]


def draw(probabilities, number, **options):
    log_probs = torch.tensor([probabilities]).log()
    return Sampling(rules(), **options)._draw(log_probs, torch.tensor([[number]]).double()).item()


def test_top_k_and_top_p_keep_the_tokens_they_should():
    probabilities = [0.1, 0.4, 0.2, 0.3]
    # In order of probability: token 1 to .4, token 3 to .7, token 2 to .9, token 0 to 1.
    assert [draw(probabilities, n) for n in (0.0, 0.39, 0.41, 0.71, 0.91)] == [1, 1, 3, 2, 0]
    assert [draw(probabilities, n, top_k=2) for n in (0.0, 0.56, 0.58, 0.999999)] == [1, 1, 3, 3]
    assert [draw(probabilities, n, top_p=0.5) for n in (0.56, 0.58, 0.999999)] == [1, 3, 3]
    assert [draw(probabilities, n, top_p=0.3) for n in (0.0, 0.999999)] == [1, 1]
    assert draw(probabilities, 0.95, top_k=99) == 0
