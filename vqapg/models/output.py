"""What a generation model's teacher-forced forward pass returns to the criterion."""

from dataclasses import dataclass, field

from torch import Tensor

from vqapg.modules.latent import Gaussian


@dataclass
class PairOutput:
    """Everything the objectives of Table 1 and equation 4 are made of.

    Attributes:
        logits: by text ("question", "answer"), ``[B, T, V]``
        attention: by text, attention over regions ``[B, T, R]``, where the objective aligns them (joint model only)
        latents: by latent variable, its (posterior, prior), both ``[B, Z]``
    """

    logits: dict[str, Tensor] = field(default_factory=dict)
    attention: dict[str, Tensor] = field(default_factory=dict)
    latents: dict[str, tuple[Gaussian, Gaussian]] = field(default_factory=dict)
