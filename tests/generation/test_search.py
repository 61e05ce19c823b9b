import itertools
import math

import numpy as np
import pytest
import torch
from fairseq.dataclass.configs import GenerationConfig
from torch import nn

from vqapg.errors import InputError
from vqapg.generation import token_rules
from vqapg.generation.beam_search import BeamSearch
from vqapg.generation.token_rules import TokenRules
from vqapg.generation.token_sampling import Sampling
from vqapg.models.hypothesis import Hypothesis
from vqapg.modules.noise import Stream, uniform
from vqapg.modules.text_decoder import DecoderOutput, Memory, SpecialTokens, TextDecoder

# Tokens 0 and 1 are forbidden (start, padding), 2 is the end, 3 the unknown word, 4 and 5 are
# words.
END, VOCABULARY = 2, 6


def rules(**options):
    return TokenRules(end=END, forbidden=(0, 1), unknown=3, **{"max_len": 3, **options})


@pytest.fixture(params=["regions only", "reads a text"])
def decoder(request):
    torch.manual_seed(0)
    decoder = TextDecoder(
        "answer",
        SpecialTokens(END, 1, 3, 0),
        nn.Embedding(VOCABULARY, 4, padding_idx=1),
        memory_dim=6,
        dim=6,
        latent_dim=3,
        reads_text=request.param == "reads a text",
    ).eval()
    for parameter in decoder.parameters():
        parameter.data.mul_(3)  # far from uniform
    return decoder


@pytest.fixture
def inputs(decoder):
    regions, latent, text = torch.randn(5, 4, 6), torch.randn(5, 3), torch.randn(5, 3, 6)
    real = torch.arange(3) < torch.tensor([[3], [1], [2], [3], [2]])
    memory = Memory(regions) if decoder.text_query is None else Memory(regions, text, real)
    return memory, decoder.initial_state(regions, latent, text[:, 0])


def keys(rows):
    return np.array([[1, 0, row] for row in range(rows)])


def all_texts(decoder, memory, state, rules):
    """Every text that the rules allow for one image, with its log-probability, token by token."""
    for length in range(rules.min_len, rules.max_len + 1):
        for words in itertools.product((3, 4, 5), repeat=length):
            tokens, current, log_probs = [*words, END], state, []
            for step, (previous, token) in enumerate(zip([END, *words], tokens)):
                decoded = decoder(torch.tensor([[previous]]), memory, current)
                current = decoded.state
                scores = decoded.logits[0, 0] / rules.temperature
                scores = scores.log_softmax(-1)
                allowed = [t for t in range(VOCABULARY) if t not in rules.forbidden]
                if step < rules.min_len:
                    allowed.remove(END)
                if step >= rules.max_len:
                    allowed = [END]
                assert token in allowed
                log_probs.append(
                    scores[token].item() - (rules.unknown_penalty if token == 3 else 0)
                )
            yield tokens, log_probs


def test_rules_take_stock_fairseqs_lengths_by_default():
    stock = TokenRules(end=END, forbidden=(), unknown=3)
    assert (stock.min_len, stock.max_len) == (GenerationConfig.min_len, GenerationConfig.max_len_b)
    assert stock.temperature == GenerationConfig.temperature
    assert stock.unknown_penalty == GenerationConfig.unkpen
    assert BeamSearch(stock, beam=1).length_penalty == GenerationConfig.lenpen


@pytest.mark.parametrize(
    "step, allowed",
    [
        (0, [0, 1, 3, 4, 5]),
        (1, [0, 1, 2, 3, 4, 5]),
        (3, [END]),
    ],
)
def test_rules_allow_the_end_from_min_len_on_and_nothing_else_at_max_len(step, allowed):
    the_rules = TokenRules(end=END, forbidden=(), unknown=3, max_len=3)
    log_probs = the_rules.log_probs(torch.zeros(1, VOCABULARY), step)
    assert log_probs[0].isfinite().nonzero().flatten().tolist() == allowed


def test_log_probabilities_of_half_logits_are_float32():
    torch.manual_seed(0)
    logits = 3 * torch.randn(4, VOCABULARY).bfloat16()
    found = rules().log_probs(logits, 1)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, rules().log_probs(logits.float(), 1), atol=0, rtol=0)


def one_row(memory, state, row):
    return memory.select([row]), tuple(x[:, row : row + 1] for x in state)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"min_len": 2},
        {"temperature": 0.7, "unknown_penalty": 1.5},
    ],
)
@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0])
@torch.no_grad()
def test_a_beam_wide_enough_equals_brute_force(decoder, inputs, options, length_penalty):
    memory, state = inputs
    the_rules = rules(**options)
    search = BeamSearch(the_rules, beam=60, length_penalty=length_penalty)
    found = search(decoder, memory, state, keys(5))
    for row in range(5):
        expected = sorted(
            all_texts(decoder, *one_row(memory, state, row), the_rules),
            key=lambda text: sum(text[1]) / len(text[1]) ** length_penalty,
            reverse=True,
        )
        assert [h.tokens.tolist() for h in found[row]] == [tokens for tokens, _ in expected]
        for hypothesis, (_, log_probs) in zip(found[row], expected):
            assert hypothesis.log_probs.tolist() == pytest.approx(log_probs, abs=1e-4)


@torch.no_grad()
def test_a_beam_of_one_is_greedy(decoder, inputs):
    memory, state = inputs
    found = BeamSearch(rules(max_len=8), beam=1)(decoder, memory, state, keys(5))
    for row in range(5):
        row_memory, current = one_row(memory, state, row)
        tokens = [END]
        while len(tokens) < 10 and (len(tokens) == 1 or tokens[-1] != END):
            decoded = decoder(torch.tensor([[tokens[-1]]]), row_memory, current)
            current = decoded.state
            scores = decoded.logits[0, 0].clone()
            scores[[0, 1]] = -math.inf
            if len(tokens) == 1:
                scores[END] = -math.inf
            tokens.append(END if len(tokens) == 9 else int(scores.argmax()))
        assert found[row][0].tokens.tolist() == tokens[1:]


def slow_beam(decoder, memory, state, rules, beam, length_penalty, stop_early):
    """The rules for one image, with Python lists."""

    def score(log_probs, length):
        return sum(log_probs) / length**length_penalty

    live, finished = [([END], [], state)], []
    for step in range(rules.max_len + 1):
        candidates = []
        for tokens, log_probs, current in live:
            decoded = decoder(torch.tensor([[tokens[-1]]]), memory, current)
            scores = decoded.logits[0, 0].log_softmax(-1)
            for token in (END, 3, 4, 5):
                if (token == END and step < rules.min_len) or (
                    token != END and step == rules.max_len
                ):
                    continue
                candidates.append(
                    ([*tokens, token], [*log_probs, scores[token].item()], decoded.state)
                )
        candidates = sorted(candidates, key=lambda c: sum(c[1]), reverse=True)[: 2 * beam]
        finished += [
            (tokens[1:], log_probs)
            for tokens, log_probs, _ in candidates[:beam]
            if tokens[-1] == END
        ]
        finished = sorted(finished, key=lambda f: score(f[1], len(f[1])), reverse=True)[:beam]
        live = [c for c in candidates if c[0][-1] != END][:beam]
        if not live:
            break
        # The best beam as if it ended with the next token, at no cost
        if (
            stop_early
            and len(finished) == beam
            and score(live[0][1], step + 2) <= score(finished[-1][1], len(finished[-1][1]))
        ):
            break
    return finished


@pytest.mark.parametrize("beam", [1, 2, 3, 5])
@pytest.mark.parametrize("length_penalty, stop_early", [(0.0, False), (0.0, True), (1.0, True)])
@torch.no_grad()
def test_narrow_beams_equal_a_slow_search_row_by_row(
    decoder, inputs, beam, length_penalty, stop_early
):
    """Without length normalisation, stopping early loses nothing."""
    memory, state = inputs
    the_rules = rules(max_len=7)
    found = BeamSearch(the_rules, beam, length_penalty)(decoder, memory, state, keys(5))
    for row in range(5):
        expected = slow_beam(
            decoder, *one_row(memory, state, row), the_rules, beam, length_penalty, stop_early
        )
        assert [h.tokens.tolist() for h in found[row]] == [tokens for tokens, _ in expected]


@torch.no_grad()
def test_rows_that_are_done_stay_as_they_are_however_late_that_is_asked(
    decoder, inputs, monkeypatch
):
    memory, state = inputs
    search = BeamSearch(rules(max_len=7), beam=2)
    at_once = search(decoder, memory, state, keys(5))
    monkeypatch.setitem(token_rules.CHECKS_EVERY, "cpu", 3)
    for row, late in zip(at_once, search(decoder, memory, state, keys(5)), strict=True):
        assert [(h.tokens.tolist(), h.total) for h in row] == [
            (h.tokens.tolist(), h.total) for h in late
        ]


class Peaked:
    """Says 4 4 4 4 with probability near 1; all else, with an end at any time, is improbable."""

    def __call__(self, previous, memory, state, parents=None):
        (step,) = state[0].unique().tolist()
        logits = torch.zeros(len(previous), 1, VOCABULARY)
        logits[..., END if step == 4 else 4] = 9.0
        state = (state[0] + 1, state[1])
        return DecoderOutput(logits, None, state)


class EndsNext:
    """4; then the end with probability 0.51, or 4 again and then the end for sure."""

    def __call__(self, previous, memory, state, parents=None):
        (step,) = state[0].unique().tolist()
        logits = torch.full((len(previous), 1, VOCABULARY), -30.0)
        logits[..., 4 if step == 0 else END] = math.log(0.51)
        if step == 1:
            logits[..., 4] = math.log(0.49)
        return DecoderOutput(logits, None, (state[0] + 1, state[1]))


def test_a_beam_that_would_end_better_with_the_next_token_goes_on():
    memory, state = Memory(torch.zeros(1, 1, 1)), (torch.zeros(1, 1, 1), torch.zeros(1, 1, 1))
    (row,) = BeamSearch(rules(max_len=9), beam=1)(EndsNext(), memory, state, keys(1))
    # (log 0.51) / 2 = -0.34, (log 0.49) / 3 = -0.24; "4 4" as a text of two tokens would be -0.36.
    assert [h.tokens.tolist() for h in row] == [[4, 4, END]]


class EndsLater:
    """4; then the end with probability 0.6, or 4 4 and then the end for sure."""

    def __call__(self, previous, memory, state, parents=None):
        (step,) = state[0].unique().tolist()
        logits = torch.full((len(previous), 1, VOCABULARY), -30.0)
        logits[..., END if step == 3 else 4] = math.log(0.4)
        if step == 1:
            logits[..., END] = math.log(0.6)
        return DecoderOutput(logits, None, (state[0] + 1, state[1]))


@pytest.mark.parametrize("checks_every", [1, 4])
def test_a_beam_that_would_not_better_with_the_next_token_is_given_up(checks_every, monkeypatch):
    monkeypatch.setitem(token_rules.CHECKS_EVERY, "cpu", checks_every)
    memory, state = Memory(torch.zeros(1, 1, 1)), (torch.zeros(1, 1, 1), torch.zeros(1, 1, 1))
    (row,) = BeamSearch(rules(max_len=9), beam=1)(EndsLater(), memory, state, keys(1))
    # (log 0.6) / 2 = -0.26. "4 4" could end at (log 0.4) / 3 = -0.31, and a token later at
    # (log 0.4) / 4 = -0.23.
    assert [h.tokens.tolist() for h in row] == [[4, END]]


class EndsTwice:
    """4; then the end or another 4, each with probability 1/2; then the end for sure."""

    def __call__(self, previous, memory, state, parents=None):
        (step,) = state[0].unique().tolist()
        logits = torch.full((len(previous), 1, VOCABULARY), -math.inf)
        logits[..., END if step == 2 else 4] = 0.0
        if step == 1:
            logits[..., END] = 0.0
        return DecoderOutput(logits, None, (state[0] + 1, state[1]))


def test_of_equal_texts_the_shorter_comes_first():
    memory, state = Memory(torch.zeros(1, 1, 1)), (torch.zeros(1, 1, 1), torch.zeros(1, 1, 1))
    search = BeamSearch(rules(max_len=9), beam=2, length_penalty=0.0)
    (row,) = search(EndsTwice(), memory, state, keys(1))
    assert [h.tokens.tolist() for h in row] == [[4, END], [4, 4, END]]
    assert row[0].total == row[1].total == pytest.approx(math.log(0.5))


class CountsTo:
    """Says as many 4s as the number in the row's only region; counts how often it is asked."""

    def __init__(self):
        self.calls = 0

    def __call__(self, previous, memory, state, parents=None):
        self.calls += 1
        (step,) = state[0].unique().tolist()
        lengths = memory.regions[:, 0, 0].repeat_interleave(len(previous) // len(memory.regions))
        logits = torch.full((len(previous), 1, VOCABULARY), -math.inf)
        logits[torch.arange(len(previous)), 0, torch.where(lengths == step, END, 4)] = 0.0
        return DecoderOutput(logits, None, (state[0] + 1, state[1]))


@pytest.mark.parametrize("beam", [1, 3])
def test_rows_that_go_on_keep_their_own_memory(beam):
    lengths, decoder = [1, 4, 2, 5, 1, 3], CountsTo()
    memory, state = Memory(torch.tensor(lengths).view(6, 1, 1)), (torch.zeros(1, 6, 1),) * 2
    found = BeamSearch(rules(max_len=9), beam)(decoder, memory, state, keys(6))
    said = [[h.tokens.tolist() for h in row] for row in found]
    assert said == [[[4] * n + [END]] for n in lengths]
    # Nothing is left to go on with once the longest has ended.
    assert decoder.calls == 6


def test_improbable_ends_do_not_crowd_out_a_probable_text():
    memory, state = Memory(torch.zeros(2, 1, 1)), (torch.zeros(1, 2, 1),) * 2
    for row in BeamSearch(rules(max_len=9), beam=3)(Peaked(), memory, state, keys(2)):
        assert row[0].tokens.tolist() == [4, 4, 4, 4, END] and row[0].total > -0.1
        scores = [h.total / len(h.tokens) for h in row]
        assert len(row) == 3 and scores == sorted(scores, reverse=True)


@torch.no_grad()
def test_sampling_follows_the_models_distribution(decoder, inputs):
    memory, state = one_row(*inputs, 0)
    draws = 20_000
    many_memory, many_state = (
        memory.select([0] * draws),
        tuple(x.repeat(1, draws, 1) for x in state),
    )
    the_rules = rules(max_len=2)
    found = Sampling(the_rules)(decoder, many_memory, many_state, keys(draws))
    counts = {}
    for (hypothesis,) in found:
        text = tuple(hypothesis.tokens.tolist())
        counts[text] = counts.get(text, 0) + 1
    expected = sampling_distribution(decoder, memory, state, the_rules)
    assert sum(expected.values()) == pytest.approx(1, abs=1e-5)
    for text, share in expected.items():
        error = 4 * math.sqrt(share * (1 - share) / draws) + 1e-4
        assert counts.get(text, 0) / draws == pytest.approx(share, abs=error)


def sampling_distribution(decoder, memory, state, rules, tokens=(), probability=1.0):
    """Every text with its probability.

    What is forbidden at a step has its share spread over what is left.
    """
    if tokens and tokens[-1] == END:
        return {tokens: probability}
    decoded = decoder(torch.tensor([[tokens[-1] if tokens else END]]), memory, state)
    shares = decoded.logits[0, 0].softmax(-1).tolist()
    allowed = [t for t in (END, 3, 4, 5) if t != END or len(tokens) >= rules.min_len]
    if len(tokens) == rules.max_len:
        allowed = [END]
    total = sum(shares[t] for t in allowed)
    texts = {}
    for token in allowed:
        chance = probability * shares[token] / total
        texts |= sampling_distribution(
            decoder, memory, decoded.state, rules, (*tokens, token), chance
        )
    return texts


@torch.no_grad()
def test_a_sample_depends_on_its_key_not_on_its_batch(decoder, inputs):
    memory, state = inputs
    search = Sampling(rules(max_len=6))
    together = search(decoder, memory, state, keys(5))
    for row in range(5):
        alone = search(decoder, *one_row(memory, state, row), keys(5)[row : row + 1])
        assert alone[0][0].tokens.tolist() == together[row][0].tokens.tolist()
    others = search(decoder, memory, state, keys(5) + np.array([[1, 0, 0]]))
    assert [h[0].tokens.tolist() for h in others] != [h[0].tokens.tolist() for h in together]


class SaysOneWord:
    """4 or 5, each with probability 1/2; then the end."""

    def __init__(self, stream):
        self.stream = stream

    def __call__(self, previous, memory, state, parents=None):
        (step,) = state[0].unique().tolist()
        logits = torch.full((len(previous), 1, VOCABULARY), -math.inf)
        logits[..., [4, 5] if step == 0 else END] = 0.0
        return DecoderOutput(logits, None, (state[0] + 1, state[1]))


@pytest.mark.parametrize("stream", [Stream.QUESTION, Stream.ANSWER, Stream.PAIR])
def test_a_sample_is_drawn_by_the_numbers_of_its_decoders_stream(stream):
    memory, state = Memory(torch.zeros(20, 1, 1)), (torch.zeros(1, 20, 1),) * 2
    found = Sampling(rules())(SaysOneWord(stream), memory, state, keys(20))
    numbers = uniform(keys(20), 1, stream)[:, 0].tolist()
    expected = [[4 if number < 0.5 else 5, END] for number in numbers]
    assert [h.tokens.tolist() for (h,) in found] == expected
    for (hypothesis,) in found:
        assert hypothesis.log_probs.tolist() == pytest.approx([math.log(0.5), 0])
        assert hypothesis.total == pytest.approx(math.log(0.5))


@torch.no_grad()
def test_a_samples_total_ends_with_its_text(decoder, inputs):
    memory, state = inputs
    found = [row[0] for row in Sampling(rules(max_len=6))(decoder, memory, state, keys(5))]
    assert len({len(hypothesis.tokens) for hypothesis in found}) > 1
    for hypothesis in found:
        assert len(hypothesis.log_probs) == len(hypothesis.tokens)
        assert hypothesis.total == pytest.approx(hypothesis.log_probs.sum().item(), abs=1e-5)


def test_a_bound_between_tokens_belongs_to_the_next_one():
    # In double precision these are exact. The first token reaches a top-p of 1/2 by itself.
    log_probs = torch.tensor([[0.5, 0.25, 0.25]]).double().log()
    drawn = [
        Sampling(rules(), top_p=top_p)._draw(log_probs, torch.tensor([[number]]).double()).item()
        for top_p, number in ((-1.0, 0.25), (-1.0, 0.5), (-1.0, 0.75), (0.5, 0.75))
    ]
    assert drawn == [0, 1, 2, 0]


def test_a_token_without_probability_is_never_drawn():
    # At 0 the first token with probability, and at what rounding may make of 1 the last.
    assert draw([0.0, 0.0, 0.5, 0.5], 0.0) == 2
    assert draw([0.0, 0.0, 0.5, 0.5], 1.0) == 3
    assert draw([0.6, 0.4, 0.0, 0.0], 1.0, top_k=1) == 0


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


def test_a_pairs_text_is_split_at_its_only_separator():
    log_probs = torch.tensor([-1.0, -2.0, -3.0, -4.0, -5.0])
    pair = Hypothesis(torch.tensor([7, 8, 4, 9, END]), log_probs, -15.0)
    first, second = pair.split(separator=4, end=END)
    # The first text ends where the separator stood, and with its probability.
    assert first.tokens.tolist() == [7, 8, END] and first.log_probs.tolist() == [-1, -2, -3]
    assert second.tokens.tolist() == [9, END] and second.log_probs.tolist() == [-4, -5]
    assert (first.total, second.total) == (-6, -9)
    assert pair.tokens.tolist() == [7, 8, 4, 9, END]


@pytest.mark.parametrize("tokens", [[7, 8, END], [7, 4, 8, 4, END]])
def test_a_text_without_exactly_one_separator_is_not_split(tokens):
    text = Hypothesis(torch.tensor(tokens), torch.zeros(len(tokens)), 0.0)
    assert text.split(separator=4, end=END) is None


@pytest.mark.parametrize("search", [BeamSearch(rules(), beam=2), Sampling(rules())])
@pytest.mark.parametrize("weight", [3e38, float("inf")])
def test_weights_too_large_for_any_probability_are_told(decoder, inputs, search, weight):
    for parameter in decoder.parameters():
        parameter.data.fill_(weight)
    with pytest.raises(InputError, match="gives no text a probability"):
        search(decoder, *inputs, keys(5))
