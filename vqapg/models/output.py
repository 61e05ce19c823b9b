"""What models return to the criterion, from a teacher-forced forward pass."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor

from vqapg.modules.latent import Gaussians
from vqapg.modules.region_scaling import ScaledRegions


class TextOutput(NamedTuple):
    """One text: its ``logits [B, T, V]``; the Gaussians of its latent variable, None in a
    baseline; and what scaled its regions, None without region scaling.
    """

    logits: Tensor
    gaussians: Gaussians | None
    gate: ScaledRegions | None


class PairOutput(NamedTuple):
    """Everything the objectives of Table 1 and equation 4 are made of.

    A tuple, since fairseq's and PyTorch's hooks look for tensors in tuples and dicts only.

    Attributes:
        logits: by text, ``[B, T, V]``; "question", "answer", or "pair" where they are one text
        targets: by text, ``[B, T]``, ended and padded
        latents: by the text that a latent variable is of ("pair" where it is of both), its
            Gaussians; empty in a baseline
        attention: by text, attention over regions ``[B, T, R]``, where the objective aligns them
            (the variational joint model only)
        gates: by the text of the latent variable, what it scaled the regions by; empty without
            region scaling
    """

    logits: dict[str, Tensor]
    targets: dict[str, Tensor]
    latents: dict[str, Gaussians]
    attention: dict[str, Tensor]
    gates: Mapping[str, ScaledRegions] = MappingProxyType({})

    @classmethod
    def of_texts(
        cls, outputs: Mapping[str, TextOutput], targets: dict[str, Tensor]
    ) -> "PairOutput":
        """From :class:`TextOutput` by text."""
        latents = {
            text: output.gaussians
            for text, output in outputs.items()
            if output.gaussians is not None
        }
        gates = {text: output.gate for text, output in outputs.items() if output.gate is not None}
        logits = {text: output.logits for text, output in outputs.items()}
        return cls(logits, targets, latents, {}, gates)
