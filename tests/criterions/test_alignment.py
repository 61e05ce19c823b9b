import math

import pytest
import torch

from vqapg.criterions.alignment import attention_alignment


def test_alignment_is_equation_4_over_real_tokens_only():
    torch.manual_seed(0)
    beta, gamma = torch.randn(2, 4, 5).softmax(-1), torch.randn(2, 3, 5).softmax(-1)
    beta_real = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()
    gamma_real = torch.tensor([[1, 0, 0], [1, 1, 1]]).bool()
    result = attention_alignment(beta, beta_real, gamma, gamma_real)
    for row in range(2):
        means = []
        for attention, real in ((beta, beta_real), (gamma, gamma_real)):
            steps = [attention[row, t].tolist() for t in range(attention.size(1)) if real[row, t]]
            means.append([sum(step[i] for step in steps) / len(steps) for i in range(5)])
        question, answer = means
        expected = sum(b * math.log(b / g) for b, g in zip(question, answer))
        assert result[row].item() == pytest.approx(expected, abs=1e-5)


def test_equal_attention_costs_nothing_and_the_order_of_the_arguments_counts():
    real = torch.ones(1, 1).bool()
    one, other = torch.tensor([[[0.9, 0.1]]]), torch.tensor([[[0.5, 0.5]]])
    assert attention_alignment(one, real, one, real).item() == pytest.approx(0, abs=1e-6)
    assert attention_alignment(one, real, other, real).item() == pytest.approx(
        0.9 * math.log(1.8) + 0.1 * math.log(0.2), abs=1e-5
    )


def test_a_weight_that_underflowed_gives_a_finite_gradient():
    logits = torch.tensor([[[0.0, -200.0]]], requires_grad=True)
    real = torch.ones(1, 1).bool()
    attention_alignment(
        torch.tensor([[[0.5, 0.5]]]), real, logits.softmax(-1), real
    ).sum().backward()
    assert logits.grad.isfinite().all()


def test_a_region_without_weight_in_the_question_counts_nothing():
    """0 log 0 is 0, in value and in gradient."""
    real = torch.ones(1, 1).bool()
    beta = torch.tensor([[[1.0, 0.0]]], requires_grad=True)
    result = attention_alignment(beta, real, torch.tensor([[[0.5, 0.5]]]), real)
    assert result.item() == pytest.approx(math.log(2), abs=1e-6)
    result.sum().backward()
    assert beta.grad.isfinite().all()


def test_bfloat16_attention_is_compared_in_float32():
    torch.manual_seed(0)
    beta, gamma = (torch.randn(2, 30, 64).softmax(-1).bfloat16() for _ in range(2))
    real = torch.ones(2, 30).bool()
    in_float32 = attention_alignment(beta.float(), real, gamma.float(), real)
    torch.testing.assert_close(attention_alignment(beta, real, gamma, real), in_float32)


def test_the_other_direction_is_the_divergence_of_the_swapped_texts():
    torch.manual_seed(0)
    beta, gamma = torch.randn(2, 4, 5).softmax(-1), torch.randn(2, 3, 5).softmax(-1)
    beta_real, gamma_real = torch.ones(2, 4).bool(), torch.ones(2, 3).bool()
    found = attention_alignment(beta, beta_real, gamma, gamma_real, direction="answer-question")
    for row in range(2):
        question, answer = beta[row].mean(dim=0).tolist(), gamma[row].mean(dim=0).tolist()
        expected = sum(g * math.log(g / b) for b, g in zip(question, answer))
        assert found[row].item() == pytest.approx(expected, abs=1e-5)
