"""Denormal numbers are 0 while a network works, and its results are what they were."""

import numpy as np
import pytest
import torch

from tests.support.generation_models import build, generate
from tests.support.tiny_checkpoints import backbone
from vqapg.denormals import are_flushed, denormals_flushed, flush_denormals
from vqapg.judges.context import JudgeContext
from vqapg.judges.evaluator import EvaluatorJudge
from vqapg.judges.judge import Triple
from vqapg.modules.attention import attend
from vqapg.sampling.images_in_hand import ImagesInHand
from vqapg.tasks.checkpoints import load_generation_model

SMALLEST = torch.tensor([1], dtype=torch.int32).view(torch.float32)


def torch_flushes() -> bool:
    # The bits, since a comparison would take a denormal for 0 itself.
    return not (SMALLEST * 1).view(torch.int32).any()


def test_flushing_lasts_from_its_call_on():
    assert not are_flushed() and not torch_flushes()
    flush_denormals()
    assert are_flushed() and torch_flushes()


@pytest.mark.parametrize("before", [False, True])
def test_flushing_for_a_while_restores_what_was(before):
    torch.set_flush_denormal(before)
    with pytest.raises(KeyError), denormals_flushed():
        assert are_flushed() and torch_flushes()
        raise KeyError
    assert are_flushed() == torch_flushes() == before


def saturated() -> tuple[torch.Tensor, torch.Tensor]:
    """Queries and keys of which half of the weights are denormal: e^-90 to e^-100."""
    torch.manual_seed(0)
    keys = torch.randn(3, 8, 16)
    keys[:, :, 0] = torch.tensor([0, 1, 0, 1] + [-95.0] * 4) + torch.rand(3, 8)
    queries = torch.zeros(3, 5, 16)
    queries[:, :, 0] = 1
    return queries, keys


def test_saturated_attention_is_equal_without_denormals():
    queries, keys = saturated()
    expected = attend(queries, keys)
    denormal = (expected.weights > 0) & (expected.weights < torch.finfo().tiny)
    assert denormal.float().mean() == 0.5
    with denormals_flushed():
        found = attend(queries, keys)
        bits = found.weights.view(torch.int32).clone()
    assert (bits[denormal] == 0).all()
    torch.testing.assert_close(found.attended, expected.attended, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.weights, expected.weights, atol=1e-5, rtol=0)


def test_gradients_of_saturated_attention_are_equal_without_denormals():
    def gradients() -> tuple[torch.Tensor, ...]:
        queries, keys = (part.requires_grad_() for part in saturated())
        loss = attend(queries, keys).attended.square().sum()
        return torch.autograd.grad(loss, (queries, keys))

    expected = gradients()
    with denormals_flushed():
        found = gradients()
    for part, right in zip(found, expected, strict=True):
        torch.testing.assert_close(part, right, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("sampling", [False, True])
def test_pairs_are_generated_without_denormals(sampling, dictionary, features, batch):
    model, seen = build("vqapg_joint_variational", dictionary, features), []
    model.question_decoder.register_forward_hook(lambda *_: seen.append(torch_flushes()))
    found = generate(model, dictionary, batch, sampling=sampling, nbest=5)
    assert seen and all(seen) and not are_flushed()
    assert len(found) == 4


def test_evaluator_scores_without_denormals(checkpoint):
    evaluator = checkpoint("vqapg_consistency", "evaluator.pt")
    in_hand = ImagesInHand(load_generation_model(checkpoint("vqapg_joint_variational")), "cpu")
    in_hand.hold(np.ones((1, 4, backbone().channels), np.float16), ["a.png"])
    judge, seen = EvaluatorJudge(str(evaluator), JudgeContext(features=in_hand)), []
    judge.model.register_forward_hook(lambda *_: seen.append(torch_flushes()))
    judge.score([Triple("a.png", "what color is the shape ?", "red")])
    assert seen == [True] and not are_flushed()
