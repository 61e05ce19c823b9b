import math

import pytest
import torch

from vqapg.modules.attention import TextImageAttention, attend


def slow_attention(query, regions):
    """Equation 1 for one query [D] and one image [R, D], in plain loops."""
    scores = [sum(q * h for q, h in zip(query.tolist(), region)) for region in regions.tolist()]
    largest = max(scores)
    exponentials = [math.exp(score - largest) for score in scores]
    weights = [e / sum(exponentials) for e in exponentials]
    attended = [
        sum(w * region[d] for w, region in zip(weights, regions.tolist()))
        for d in range(len(query))
    ]
    return attended, weights


def test_attend_is_equation_1():
    torch.manual_seed(1)
    queries, regions = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    attended, weights = attend(queries, regions)
    for row in range(2):
        for step in range(3):
            expected, expected_weights = slow_attention(queries[row, step], regions[row])
            assert attended[row, step].tolist() == pytest.approx(expected, abs=1e-5)
            assert weights[row, step].tolist() == pytest.approx(expected_weights, abs=1e-6)


def test_padding_gets_no_attention():
    torch.manual_seed(3)
    queries, tokens = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    real = torch.tensor([[True] * 5, [True, True, False, False, False]])
    attended, weights = attend(queries, tokens, real)
    alone, alone_weights = attend(queries[1:], tokens[1:, :2])
    torch.testing.assert_close(attended[1:], alone)
    torch.testing.assert_close(weights[1:, :, :2], alone_weights)
    assert not weights[1, :, 2:].any() and weights[0].gt(0).all()


@pytest.mark.parametrize("query_dim", [4, 8])
def test_text_image_attention_is_f_of_equation_1(query_dim):
    torch.manual_seed(2)
    module = TextImageAttention(query_dim, 4)
    query, regions = torch.randn(3, query_dim), torch.randn(3, 6, 4)
    result = module(query, regions)
    assert result.shape == (3, 4)
    first, second = module.mlp[0], module.mlp[3]
    for row in range(3):
        # Only a concatenation is projected to the width of the regions.
        q = (
            query[row]
            if query_dim == 4
            else module.project.weight @ query[row] + module.project.bias
        )
        attended, _ = slow_attention(q, regions[row])
        joined = torch.cat([q, torch.tensor(attended)])
        expected = second.weight @ torch.relu(first.weight @ joined + first.bias) + second.bias
        torch.testing.assert_close(result[row], expected, atol=1e-5, rtol=1e-4)
