"""What a generation model's teacher-forced forward pass returns to the criterion."""

from typing import NamedTuple

from torch import Tensor

from vqapg.modules.latent import Gaussian


class PairOutput(NamedTuple):
    """Everything the objectives of Table 1 and equation 4 are made of.

    A tuple, since fairseq's and PyTorch's hooks look for tensors in tuples and dicts only.

    Attributes:
        logits: by text ("question", "answer"), ``[B, T, V]``
        attention: by text, attention over regions ``[B, T, R]``, where the objective aligns them (joint model only)
        latents: by latent variable, its (posterior, prior), both ``[B, Z]``
    """

    logits: dict[str, Tensor]
    attention: dict[str, Tensor]
    latents: dict[str, tuple[Gaussian, Gaussian]]
