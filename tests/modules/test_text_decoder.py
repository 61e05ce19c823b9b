import pytest
import torch
from torch import nn

from vqapg.modules.attention import attend
from vqapg.modules.text_decoder import TextDecoder, shift_right


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return TextDecoder(nn.Embedding(11, 4, padding_idx=1), dim=6, latent_dim=3).eval()


def test_teacher_forcing_equals_one_step_at_a_time(decoder):
    previous, regions, latent = torch.randint(2, 11, (2, 5)), torch.randn(2, 7, 6), torch.randn(2, 3)
    whole = decoder(previous, regions, decoder.initial_state(regions, latent))
    state = decoder.initial_state(regions, latent)
    for step in range(5):
        single = decoder(previous[:, step : step + 1], regions, state)
        state = single.state
        torch.testing.assert_close(single.logits[:, 0], whole.logits[:, step], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(single.attention[:, 0], whole.attention[:, step], atol=1e-5, rtol=1e-4)


def test_output_comes_from_state_and_attended_regions(decoder):
    previous, regions = torch.randint(2, 11, (2, 1)), torch.randn(2, 7, 6)
    decoded = decoder(previous, regions, decoder.initial_state(regions, torch.zeros(2, 3)))
    hidden = decoded.state[0][-1]  # the top layer's state [B, D]
    attended, attention = attend(hidden.unsqueeze(1), regions)
    expected = torch.cat([hidden, attended.squeeze(1)], dim=1) @ decoder.output.weight.T + decoder.output.bias
    torch.testing.assert_close(decoded.logits[:, 0], expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(decoded.attention, attention)


def test_beams_side_by_side_equal_rows_with_their_own_regions(decoder):
    previous, regions, latent = torch.randint(2, 11, (6, 1)), torch.randn(2, 7, 6), torch.randn(2, 3)
    state = tuple(x.repeat_interleave(3, dim=1) for x in decoder.initial_state(regions, latent))
    together = decoder(previous, regions, state)
    apart = decoder(previous, regions.repeat_interleave(3, dim=0), state)
    torch.testing.assert_close(together.logits, apart.logits, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together.attention, apart.attention, atol=1e-5, rtol=1e-4)


def test_z_is_added_to_the_initial_state_linearly(decoder):
    regions, one, two = torch.randn(2, 7, 6), torch.randn(2, 3), torch.randn(2, 3)

    def state(latent):
        return torch.cat(decoder.initial_state(regions, latent))

    without = state(torch.zeros(2, 3))
    assert not torch.allclose(state(one), without)
    torch.testing.assert_close(state(one) + state(two) - without, state(one + two), atol=1e-5, rtol=1e-4)


def test_shift_right_starts_with_the_first_token_and_keeps_padding():
    target = torch.tensor([[5, 6, 2], [7, 2, 1]])
    assert shift_right(target, 2, 1).tolist() == [[2, 5, 6], [2, 7, 1]]


@pytest.mark.parametrize("part", ["lstm", "output"])
def test_training_drops_half_of_what_goes_into_the_lstm_and_the_output(part):
    torch.manual_seed(0)
    decoder = TextDecoder(nn.Embedding(11, 40), dim=40, dropout=0.5).train()
    dropped = []
    getattr(decoder, part).register_forward_pre_hook(
        lambda module, inputs: dropped.append(inputs[0].eq(0).float().mean().item())
    )
    regions = torch.randn(3, 7, 40)
    decoder(torch.randint(2, 11, (3, 9)), regions, decoder.initial_state(regions))
    decoder.eval()(torch.randint(2, 11, (3, 9)), regions, decoder.initial_state(regions))
    assert dropped[0] == pytest.approx(0.5, abs=0.1) and dropped[1] == 0
