import numpy as np
import pytest
import torch

from vqapg.modules.noise import Stream, standard_normal, uniform


def keys(*pairs, seed=1, draw=0):
    return np.array([[seed, draw, pair] for pair in pairs])


def test_a_row_depends_on_its_key_only():
    alone = standard_normal(keys(7), 4, Stream.LATENT)
    among_others = standard_normal(keys(3, 7, 5), 4, Stream.LATENT)
    assert torch.equal(alone[0], among_others[1])
    longer = standard_normal(keys(7), 9, Stream.LATENT)
    assert torch.equal(longer[:, :4], alone)


def test_every_part_of_the_key_and_the_stream_matter():
    base = keys(7)
    others = [
        standard_normal(keys(8), 4, Stream.LATENT),
        standard_normal(keys(7, draw=1), 4, Stream.LATENT),
        standard_normal(keys(7, seed=2), 4, Stream.LATENT),
        standard_normal(base, 4, Stream.QUESTION),
    ]
    for other in others:
        assert not torch.isclose(standard_normal(base, 4, Stream.LATENT), other).any()


def test_rows_of_neighbouring_keys_are_independent_standard_normals():
    noise = standard_normal(keys(*range(4000)), 8, Stream.LATENT)
    assert abs(noise.mean().item()) < 0.02
    assert abs(noise.std().item() - 1) < 0.02
    correlation = np.corrcoef(noise[:-1, 0], noise[1:, 0])[0, 1]
    assert abs(correlation) < 0.06


def test_uniform_covers_the_unit_interval():
    numbers = uniform(keys(*range(2000)), 3, Stream.ANSWER)
    assert numbers.min() >= 0 and numbers.max() < 1
    counts = torch.histc(numbers.float(), bins=10, min=0, max=1)
    assert (counts - 600).abs().max() < 120


def test_no_two_streams_are_one():
    assert len(Stream) == len(Stream.__members__) == len(set(map(int, Stream)))


def test_draw_and_pair_are_told_apart():
    one, other = keys(7, draw=3), keys(3, draw=7)
    assert not torch.isclose(uniform(one, 4, Stream.PAIR), uniform(other, 4, Stream.PAIR)).any()


@pytest.mark.parametrize("other", [keys(8), keys(7, draw=1), keys(7, seed=2)])
def test_long_rows_of_neighbouring_keys_share_no_number(other):
    """A generator's sequence must not run into the next one's."""
    row, neighbour = (uniform(key, 200, Stream.QUESTION)[0].tolist() for key in (keys(7), other))
    assert not set(row) & set(neighbour)
