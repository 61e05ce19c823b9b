import numpy as np
import pytest
import torch
from torch import nn

from vqapg.modules.noise import Stream, uniform
from vqapg.modules.text_decoder import Memory, SpecialTokens, TextDecoder

SPECIAL = SpecialTokens(end=2, padding=1, unknown=3, separator=4)


def make(memory_dim=6, dim=6, width=4, **options):
    torch.manual_seed(0)
    embedding = nn.Embedding(11, width, padding_idx=1)
    return TextDecoder("question", SPECIAL, embedding, memory_dim, dim, **options)


@pytest.fixture(params=["regions only", "reads a text", "narrower than the regions"])
def decoder(request):
    options = {
        "regions only": {},
        "reads a text": {"reads_text": True},
        "narrower than the regions": {"dim": 5, "reads_text": True},
    }[request.param]
    return make(latent_dim=3, **options).eval()


@pytest.fixture
def begun(decoder):
    """A memory of two rows, the second text shorter, and the state before the first token."""
    torch.manual_seed(1)
    regions, text = torch.randn(2, 7, 6), torch.randn(2, 4, 6)
    real = torch.tensor([[True] * 4, [True, True, False, False]])
    memory = Memory(regions, text, real) if decoder.text_query is not None else Memory(regions)
    return memory, decoder.initial_state(regions, torch.randn(2, 3), text[:, 0])


def test_teacher_forcing_equals_one_step_at_a_time(decoder, begun):
    memory, state = begun
    previous = torch.randint(2, 11, (2, 5))
    whole = decoder(previous, memory, state)
    for step in range(5):
        single = decoder(previous[:, step : step + 1], memory, state)
        state = single.state
        torch.testing.assert_close(single.logits[:, 0], whole.logits[:, step], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            single.attention[:, 0], whole.attention[:, step], atol=1e-5, rtol=1e-4
        )


def test_output_comes_from_state_and_attended_row_by_row(decoder, begun):
    memory, state = begun
    decoded = decoder(torch.randint(2, 11, (2, 1)), memory, state)
    for row in range(2):
        hidden = decoded.state[0][-1, row]  # the top layer's state
        query = hidden if hidden.numel() == 6 else decoder.query.weight @ hidden
        attention = (memory.regions[row] @ query).softmax(0)
        parts = [hidden, sum(a * h for a, h in zip(attention, memory.regions[row]))]
        if memory.text is not None:
            # Separately over the text, of which padding has no share.
            tokens = memory.text[row][memory.text_real[row]]
            shares = (tokens @ (decoder.text_query.weight @ hidden)).softmax(0)
            parts.append(sum(a * h for a, h in zip(shares, tokens)))
        combined = torch.tanh(decoder.combine.weight @ torch.cat(parts) + decoder.combine.bias)
        expected = decoder.output.weight @ combined + decoder.output.bias
        torch.testing.assert_close(decoded.logits[row, 0], expected, atol=1e-5, rtol=1e-4)
        # The region attention stays a distribution over the regions alone.
        torch.testing.assert_close(decoded.attention[row, 0], attention)


def test_beams_side_by_side_equal_rows_with_their_own_memory(decoder, begun):
    memory, state = begun
    previous, state = (
        torch.randint(2, 11, (6, 1)),
        tuple(x.repeat_interleave(3, dim=1) for x in state),
    )
    together = decoder(previous, memory, state)
    apart = decoder(previous, memory.select(torch.tensor([0, 0, 0, 1, 1, 1])), state)
    torch.testing.assert_close(together.logits, apart.logits, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together.attention, apart.attention, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("added", ["latent", "text"])
def test_z_and_the_text_read_are_added_to_the_initial_state_linearly(added):
    decoder = make(latent_dim=6, reads_text=True).eval()
    regions, one, two = torch.randn(2, 7, 6), torch.randn(2, 6), torch.randn(2, 6)

    def state(vector):
        inputs = {"latent": torch.zeros(2, 6), "text": torch.zeros(2, 6)} | {added: vector}
        return torch.cat(decoder.initial_state(regions, **inputs))

    without = state(torch.zeros(2, 6))
    assert not torch.allclose(state(one), without)
    torch.testing.assert_close(
        state(one) + state(two) - without, state(one + two), atol=1e-5, rtol=1e-4
    )


def test_the_initial_state_is_a_linear_map_of_the_mean_region():
    decoder = make(memory_dim=6, dim=5).eval()
    nn.init.normal_(decoder.state_from_image.bias)
    regions = torch.randn(2, 7, 6)
    hidden, cell = decoder.initial_state(regions)
    assert hidden.shape == cell.shape == (2, 2, 5)
    for row in range(2):
        mean = sum(regions[row]) / 7
        whole = decoder.state_from_image.weight @ mean + decoder.state_from_image.bias
        # h of both layers, then c of both layers
        expected = whole.split(5)
        found = hidden[0, row], hidden[1, row], cell[0, row], cell[1, row]
        for vector, expected_vector in zip(found, expected, strict=True):
            torch.testing.assert_close(vector, expected_vector, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("added", ["latent", "text"])
def test_z_and_the_text_are_added_to_what_the_image_gives(added):
    decoder = make(latent_dim=6, reads_text=True).eval()
    regions, vector = torch.randn(2, 7, 6), torch.randn(2, 6)
    inputs = {"latent": torch.zeros(2, 6), "text": torch.zeros(2, 6)}
    nothing = decoder.initial_state(regions, **inputs)
    found = decoder.initial_state(regions, **inputs | {added: vector})
    of_vector = vector @ getattr(decoder, f"state_from_{added}").weight.T
    # [B, 2 * layers * dim] -> h and c, each [layers, B, dim]
    parts = of_vector.view(2, 2, 2, 6).permute(1, 2, 0, 3)
    for part, before, after in zip(parts, nothing, found, strict=True):
        torch.testing.assert_close(after, before + part, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(nothing[0][0, 0], nothing[0][0, 1])


@pytest.mark.parametrize("part", ["lstm", "combine", "output"])
def test_training_drops_half_of_what_goes_into_each_part(part):
    decoder = make(40, 40, width=40, dropout=0.5).train()
    dropped = []
    getattr(decoder, part).register_forward_pre_hook(
        lambda module, inputs: dropped.append(inputs[0].eq(0).float().mean().item())
    )
    regions = torch.randn(3, 7, 40)
    for mode in (decoder.train, decoder.eval):
        mode()(torch.randint(2, 11, (3, 9)), Memory(regions), decoder.initial_state(regions))
    assert dropped[0] == pytest.approx(0.5, abs=0.1) and dropped[1] == 0


def test_word_dropout_hides_inputs_in_training_only():
    decoder = make(word_dropout=0.5)
    text, keys = torch.randint(5, 11, (300, 6)), np.array([[1, 0, row] for row in range(300)])
    text[:, -1] = SPECIAL.end
    seen = []
    decoder.embedding.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    regions = torch.randn(300, 2, 6)
    for mode in (decoder.train, decoder.eval):
        mode().teacher_forced(text, Memory(regions), decoder.initial_state(regions), keys)
    shifted = torch.cat([torch.full((300, 1), SPECIAL.end), text[:, :-1]], dim=1)
    assert torch.equal(seen[1], shifted)
    hidden = seen[0].ne(shifted)
    assert seen[0][hidden].eq(SPECIAL.unknown).all() and not hidden[:, 0].any()
    assert hidden[:, 1:].float().mean().item() == pytest.approx(0.5, abs=0.05)
    # Each row by its key, whatever the batch.
    some = torch.tensor([7, 3])
    decoder.train().teacher_forced(
        text[some], Memory(regions[some]), decoder.initial_state(regions[some]), keys[some.numpy()]
    )
    assert torch.equal(seen[2], seen[0][some])


def test_word_dropout_draws_from_the_stream_of_words():
    decoder, seen = make(word_dropout=0.5).train(), []
    text = torch.tensor([[5, 6, 7, 8, 9, SPECIAL.end]] * 20)
    keys = np.array([[1, 0, row] for row in range(20)])
    decoder.embedding.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    regions = torch.randn(20, 2, 6)
    decoder.teacher_forced(text, Memory(regions), decoder.initial_state(regions), keys)
    dropped = uniform(keys, 6, Stream.QUESTION_WORDS)[:, 1:] < 0.5
    assert torch.equal(seen[0][:, 1:], text[:, :-1].masked_fill(dropped, SPECIAL.unknown))


def test_texts_draw_from_streams_of_their_own():
    streams = [
        stream
        for text in ("question", "answer", "pair")
        for decoder in [TextDecoder(text, SPECIAL, nn.Embedding(11, 4), 6, 6)]
        for stream in (decoder.stream, decoder.words_stream)
    ]
    assert len(set(streams)) == 6 and not {Stream.LATENT, Stream.LATENT_OF_Y} & set(streams)
