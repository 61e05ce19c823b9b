"""``--optimizer vqapg_fused_adam``: fairseq's Adam, computed by torch's fused kernel.

fairseq's Adam reads and writes each weight in ten operations; the kernel does so in one.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from fairseq.dataclass import FairseqDataclass
from fairseq.optim import FairseqOptimizer, register_optimizer
from fairseq.optim.adam import Adam, FairseqAdam
from omegaconf import II
from torch import Tensor
from torch.optim.adamw import adamw

HALF = (torch.float16, torch.bfloat16)


class FusedAdam(Adam):
    """fairseq's Adam: the same weights up to rounding, and the same state, int for int.

    Half-precision weights and gradients are computed with in float32, as there.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every weight that has a gradient.

        Raises:
            RuntimeError: on a sparse gradient, as fairseq's
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            # Weights without a gradient in some update are behind in their count.
            of_step: dict[int, list[Tensor]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                if weight.grad.is_sparse:
                    raise RuntimeError("Adam takes no sparse gradients")
                of_step[self._counted(weight)].append(weight)
            for step, weights in of_step.items():
                self._update(group, step, weights)
        return loss

    def _counted(self, weight: Tensor) -> int:
        """Counts an update of *weight*, whose state begins with the first; its number, from 1."""
        state = self.state[weight]
        state.setdefault("step", 0)
        for name in ("exp_avg", "exp_avg_sq"):
            # A checkpoint may have been written at another precision.
            moment = state.get(name, torch.zeros_like(weight))
            state[name] = _as_computed(moment.to(weight.device))
        state["step"] += 1
        return int(state["step"])

    def _update(self, group: dict[str, Any], step: int, weights: list[Tensor]) -> None:
        whole = [_as_computed(weight) for weight in weights]
        states = [self.state[weight] for weight in weights]
        beta1, beta2 = group["betas"]
        adamw(
            whole,
            [_as_computed(weight.grad) for weight in weights if weight.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            # The kernel counts this update by itself, in tensors of its own.
            list(torch.full((len(whole),), step - 1.0, device=whole[0].device).unbind()),
            fused=True,
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            # torch adds it to sqrt(v / (1 - beta2^t)), fairseq to sqrt(v).
            eps=group["eps"] / math.sqrt(1 - beta2**step),
            maximize=False,
        )
        for weight, x in zip(weights, whole):
            if x is not weight:
                weight.copy_(x)


def _as_computed(x: Tensor) -> Tensor:
    """In float32 where it is half, and row by row: on a CPU the kernel looks at no strides."""
    return (x.float() if x.dtype in HALF else x).contiguous()


@dataclass
class FusedAdamConfig(FairseqDataclass):
    adam_betas: Any = field(
        default=(0.9, 0.999), metadata={"help": "betas, as of --optimizer adam"}
    )
    adam_eps: float = field(default=1e-8, metadata={"help": "epsilon, as of --optimizer adam"})
    weight_decay: float = field(
        default=0.0, metadata={"help": "decoupled weight decay, as of --optimizer adam"}
    )
    lr: list[float] = II("optimization.lr")  # noqa: RUF009  another section's


@register_optimizer("vqapg_fused_adam", dataclass=FusedAdamConfig)
class FairseqFusedAdam(FairseqAdam):
    """fairseq's ``--optimizer adam`` with :class:`FusedAdam` inside."""

    def __init__(self, cfg: FusedAdamConfig, params: Iterable[Tensor]) -> None:
        # FairseqAdam's own would build the slow one.
        FairseqOptimizer.__init__(self, cfg)
        self._optimizer = FusedAdam(params, **self.optimizer_config)


# The state is that of --optimizer adam, so a checkpoint of either goes on with the other. fairseq
# compares the names of the classes.
FairseqFusedAdam.__name__ = FairseqAdam.__name__
