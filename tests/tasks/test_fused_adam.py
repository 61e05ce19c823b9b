"""``--optimizer vqapg_fused_adam`` beside fairseq's own Adam."""

import copy

import pytest
import torch
from fairseq.optim import OPTIMIZER_DATACLASS_REGISTRY, build_optimizer
from fairseq.optim.fp16_optimizer import MemoryEfficientFP16Optimizer
from omegaconf import OmegaConf

import vqapg.tasks.fused_adam  # noqa: F401  registers it

NAMES = ("adam", "vqapg_fused_adam")
HALF_PRECISION = OmegaConf.create(
    {
        "common": {
            "tpu": False,
            "model_parallel_size": 1,
            "fp16_init_scale": 4,
            "fp16_scale_window": None,
            "fp16_scale_tolerance": 0.0,
            "threshold_loss_scale": None,
            "min_loss_scale": 1e-4,
        },
        "distributed_training": {"distributed_world_size": 1},
        "optimization": {"update_freq": [1]},
        "optimizer": None,
    }
)


def weights(dtype=torch.float32):
    torch.manual_seed(0)
    # Of sizes that fill no vector register, and one that is not contiguous
    shapes = [(5, 3), (17,), (2, 3, 4)]
    made = [torch.randn(shape).to(dtype) for shape in shapes] + [torch.randn(6, 4).to(dtype).t()]
    return [torch.nn.Parameter(weight) for weight in made]


def optimizer(name, parameters, **options):
    cfg = OPTIMIZER_DATACLASS_REGISTRY[name]()
    cfg._name, cfg.lr = name, [0.05]
    cfg = OmegaConf.structured(cfg)
    OmegaConf.set_struct(cfg, False)
    for option, value in {"tpu": False, **options}.items():
        cfg[option] = value
    return build_optimizer(cfg, parameters)


def train(made, parameters, steps):
    """Updates with gradients of the steps' own, from tiny to large; the last weight gets every
    third."""
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        for number, weight in enumerate(parameters):
            gradient = torch.randn(weight.shape, generator=generator) * 10.0 ** (step % 9 - 6)
            weight.grad = gradient.to(weight.dtype)
            if number == 3 and step % 3:
                weight.grad = None
        made.set_lr(0.05 / (1 + step / 50))
        made.step()


def assert_near(found, expected, tolerance=1e-6):
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "options",
    [{}, {"weight_decay": 0.1}, {"adam_eps": 1e-3, "adam_betas": "(0.8, 0.95)"}],
    ids=["plain", "decay", "epsilon"],
)
def test_fused_adam_takes_the_steps_of_fairseqs(options):
    both = [weights(), weights()]
    for name, parameters in zip(NAMES, both):
        train(optimizer(name, parameters, **options), parameters, range(300))
    assert_near(both[1], both[0])
    assert (both[0][0] - weights()[0]).abs().max() > 0.1


def test_each_step_is_fairseqs_from_equal_state():
    """Rounding cannot add up here, so that the bound is that of one update."""
    slow, fast = weights(), weights()
    ours, theirs = optimizer("vqapg_fused_adam", fast), optimizer("adam", slow)
    for step in range(60):
        train(theirs, slow, [step])
        train(ours, fast, [step])
        assert_near(fast, slow, 2e-7)
        ours.load_state_dict(copy.deepcopy(theirs.state_dict()))
        with torch.no_grad():
            for one, other in zip(fast, slow):
                one.copy_(other)


@pytest.mark.parametrize("first", NAMES)
def test_a_run_goes_on_with_the_other_from_its_state(first):
    (second,) = set(NAMES) - {first}
    undisturbed, parameters = weights(), weights()
    train(optimizer(first, undisturbed), undisturbed, range(40))
    before, after = optimizer(first, parameters), optimizer(second, parameters)
    train(before, parameters, range(20))
    state = before.state_dict()
    after.load_state_dict(copy.deepcopy(state), after.optimizer_config)
    restored = after.state_dict()
    assert restored["param_groups"][0].keys() == state["param_groups"][0].keys()
    assert restored["state"].keys() == state["state"].keys()
    for number, of_weight in state["state"].items():
        assert type(of_weight["step"]) is int
        torch.testing.assert_close(restored["state"][number], of_weight, rtol=0, atol=0)
    train(after, parameters, range(20, 40))
    assert_near(parameters, undisturbed)
    # fairseq's trainer goes on only with an optimizer of the same name.
    assert type(before).__name__ == type(after).__name__


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_weights_are_updated_in_float32_as_fairseqs(dtype):
    both = [weights(dtype), weights(dtype)]
    for name, parameters in zip(NAMES, both):
        made = optimizer(name, parameters, weight_decay=0.1)
        train(made, parameters, range(50))
        for of_weight in made.optimizer.state.values():
            assert of_weight["exp_avg"].dtype == torch.float32
    # A last bit, where rounding differs
    assert_near(both[1], both[0], torch.finfo(dtype).eps)


@pytest.mark.parametrize("bf16", [False, True], ids=["fp16", "bf16"])
def test_fairseqs_half_precision_wrapper_takes_it(bf16):
    """That of --memory-efficient-fp16 and -bf16, which also runs without a GPU."""
    dtype, found = torch.bfloat16 if bf16 else torch.float16, []
    for name in NAMES:
        cfg, parameters = HALF_PRECISION.copy(), weights(dtype)
        cfg.common.bf16, cfg.common.fp16 = bf16, not bf16
        cfg.optimizer = OPTIMIZER_DATACLASS_REGISTRY[name](lr=[0.05])
        cfg.optimizer._name = name
        made = MemoryEfficientFP16Optimizer.build_optimizer(cfg, parameters)
        for step in range(30):
            generator = torch.Generator().manual_seed(step)
            made.zero_grad()
            parts = (
                weight * torch.randn(weight.shape, generator=generator) for weight in parameters
            )
            made.backward(sum(part.float().sum() for part in parts))
            made.clip_grad_norm(5.0)
            made.step()
        found.append(parameters)
    assert_near(found[1], found[0], torch.finfo(dtype).eps)


def test_a_sparse_gradient_is_refused():
    embedding = torch.nn.Embedding(4, 2, sparse=True)
    made = optimizer("vqapg_fused_adam", list(embedding.parameters()))
    embedding(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="sparse"):
        made.step()
