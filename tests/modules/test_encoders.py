import numpy as np
import pytest
import torch
from torch import nn

from vqapg.modules.image_encoder import ImageEncoder
from vqapg.modules.text_encoder import TextEncoder


def slow_lstm(lstm, inputs, layer, reverse):
    """One direction of one layer, cell by cell: [T, I] -> hidden states [T, H], last one [H]."""
    suffix = f"l{layer}" + ("_reverse" if reverse else "")
    w_ih, w_hh, b_ih, b_hh = (
        getattr(lstm, f"{name}_{suffix}")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    hidden = cell = torch.zeros(lstm.hidden_size)
    states = []
    for x in reversed(inputs) if reverse else inputs:
        i, f, g, o = (w_ih @ x + b_ih + w_hh @ hidden + b_hh).chunk(4)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        states.append(hidden)
    return states[::-1] if reverse else states, hidden


def slow_bidirectional(lstm, inputs):
    """All layers: T vectors -> T vectors of both directions, and the top layer's last states."""
    for layer in range(lstm.num_layers):
        forward, last_forward = slow_lstm(lstm, inputs, layer, reverse=False)
        backward, last_backward = slow_lstm(lstm, inputs, layer, reverse=True)
        inputs = [torch.cat(pair) for pair in zip(forward, backward)]
    return inputs, torch.cat([last_forward, last_backward])


def test_image_encoder_standardises_embeds_and_reads_both_ways():
    torch.manual_seed(0)
    mean, std = np.array([1.0, -2.0, 0.5]), np.array([2.0, 0.5, 1.0])
    encoder = ImageEncoder(mean, std, embed_dim=4, dim=6).eval()
    features = torch.randn(2, 5, 3).half()
    encoded = encoder(features)
    assert encoded.shape == (2, 5, 6)
    for row in range(2):
        standardised = (features[row].float() - torch.tensor(mean).float()) / torch.tensor(
            std
        ).float()
        embedded = [encoder.embed.weight @ x + encoder.embed.bias for x in standardised]
        expected, _ = slow_bidirectional(encoder.lstm, embedded)
        torch.testing.assert_close(encoded[row], torch.stack(expected), atol=1e-5, rtol=1e-4)


class Doubling(nn.Module):
    """Stands where dropout stands and doubles what passes, so that its places can be told."""

    def forward(self, x):
        return 2 * x


def test_image_encoder_drops_embedded_and_encoded_regions():
    torch.manual_seed(0)
    encoder = ImageEncoder(np.zeros(3), np.ones(3), embed_dim=4, dim=6).eval()
    encoder.dropout = Doubling()
    features = torch.randn(1, 5, 3)
    embedded = [2 * (encoder.embed.weight @ x + encoder.embed.bias) for x in features[0]]
    states, _ = slow_bidirectional(encoder.lstm, embedded)
    torch.testing.assert_close(encoder(features)[0], 2 * torch.stack(states), atol=1e-5, rtol=1e-4)


def test_text_encoder_drops_embeddings_tokens_and_sequence():
    torch.manual_seed(0)
    embedding = nn.Embedding(9, 4, padding_idx=1)
    encoder = TextEncoder(embedding, dim=6).eval()
    encoder.dropout = Doubling()
    tokens = torch.tensor([[4, 5, 2]])
    states, last = slow_bidirectional(encoder.lstm, list(2 * embedding.weight[tokens[0]]))
    encoded = encoder(tokens)
    torch.testing.assert_close(encoded.tokens[0], 2 * torch.stack(states), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(encoded.sequence[0], 2 * last, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_statistics_stay_float32_in_a_model_of_lower_precision(precision):
    """--fp16 calls .half() on the model: 1e5 would become infinite, and 1e-9 would become 0."""
    encoder = ImageEncoder(np.full(3, 1e5), np.full(3, 1e-9), embed_dim=4, dim=6).to(precision)
    assert encoder.embed.weight.dtype == encoder.lstm.weight_ih_l0.dtype == precision
    assert encoder.feature_mean.dtype == encoder.feature_std.dtype == torch.float32
    torch.testing.assert_close(encoder.feature_mean, torch.full((3,), 1e5), atol=0, rtol=0)
    torch.testing.assert_close(encoder.feature_std, torch.full((3,), 1e-9), atol=0, rtol=0)


def test_statistics_follow_the_weights_to_their_device():
    encoder = ImageEncoder(np.ones(3), np.ones(3), embed_dim=4, dim=6).to("meta")
    assert encoder.feature_mean.is_meta and encoder.feature_std.is_meta


def test_half_features_are_standardised_in_float32():
    """60,000 - (-60,000) is beyond half precision; over 30,000 it is 4."""
    encoder = ImageEncoder(np.full(3, -6e4), np.full(3, 3e4), embed_dim=4, dim=6)
    standardised = []
    encoder.embed.register_forward_pre_hook(lambda module, inputs: standardised.append(inputs[0]))
    encoder(torch.full((1, 2, 3), 6e4).half())
    torch.testing.assert_close(standardised[0], torch.full((1, 2, 3), 4.0), atol=0.01, rtol=0)


def test_statistics_are_a_copy_of_what_was_given():
    mean = np.ones(3, dtype=np.float32)
    encoder = ImageEncoder(mean, np.ones(3), embed_dim=4, dim=6)
    mean += 1
    assert encoder.feature_mean.tolist() == [1, 1, 1]


def test_image_encoder_takes_its_statistics_to_the_checkpoint():
    encoder = ImageEncoder(np.ones(3), np.full(3, 2.0), embed_dim=4, dim=6)
    other = ImageEncoder(np.zeros(3), np.ones(3), embed_dim=4, dim=6)
    other.load_state_dict(encoder.state_dict())
    assert other.feature_mean.tolist() == [1, 1, 1] and other.feature_std.tolist() == [2, 2, 2]


def test_text_encoder_is_the_states_of_both_directions_and_never_reads_padding():
    torch.manual_seed(0)
    embedding = nn.Embedding(9, 4, padding_idx=1)
    encoder = TextEncoder(embedding, dim=6).eval()
    tokens = torch.tensor([[4, 5, 6, 7, 2, 1], [8, 2, 1, 1, 1, 1], [3, 3, 2, 1, 1, 1]])
    encoded = encoder(tokens)
    assert encoded.tokens.shape == (3, 6, 6)
    for row, length in zip(range(3), (5, 2, 3)):
        states, last = slow_bidirectional(
            encoder.lstm, list(embedding.weight[tokens[row, :length]])
        )
        torch.testing.assert_close(encoded.sequence[row], last, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            encoded.tokens[row, :length], torch.stack(states), atol=1e-5, rtol=1e-4
        )
        assert not encoded.tokens[row, length:].any()
        assert encoded.real[row].tolist() == [True] * length + [False] * (6 - length)


def test_both_encoders_have_two_layers():
    image = ImageEncoder(np.zeros(3), np.ones(3), 4, 6)
    text = TextEncoder(nn.Embedding(9, 4, padding_idx=1), 6)
    assert image.lstm.num_layers == text.lstm.num_layers == 2


@pytest.mark.parametrize(
    "build",
    [
        lambda: ImageEncoder(np.zeros(3), np.ones(3), embed_dim=4, dim=5),
        lambda: TextEncoder(nn.Embedding(9, 4, padding_idx=1), dim=5),
    ],
)
def test_an_odd_width_fails_early_with_the_value(build):
    with pytest.raises(ValueError, match="even, not 5"):
        build()
