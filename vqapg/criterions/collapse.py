"""Collapse made visible: what is reported of each latent variable, and of region scaling."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from fairseq.logging import metrics
from torch import Tensor

from vqapg.modules.latent import Gaussian
from vqapg.modules.region_scaling import ScaledRegions

# Burda et al. 2016, section 5.2, https://arxiv.org/abs/1509.00519
ACTIVE_ABOVE = 0.01


def collapse_sums(
    posterior: Gaussian, prior: Gaussian, image_index: Tensor, noise: Tensor
) -> dict[str, Tensor]:
    """Sums over the pairs of a batch; those of all batches add up.

    - ``shift``, ``shift_squared`` ``[Z]``: posterior mean minus prior mean. The prior sees the
      image too, so what both do with the image alone is no use of the latent variable.
    - ``mutual_information``: log q(z | x) - log mean_j q(z | x_j), z ~ q(z | x), over the pairs x_j
      of the same image in the batch: an estimate of I(Z; Q, A | I) (Hoffman and Johnson 2016; in
      the form of He et al. 2019, section 4.2, https://arxiv.org/abs/1901.05534). It cannot exceed
      ``mutual_information_bound``, the log of their number, which keeps it low where images have
      few pairs or batches cut them apart.

    Args:
        posterior, prior: of the latent variable
        image_index: which image a pair is of
        noise: standard normal

    Shape: Gaussians and noise ``[B, Z]``, image_index ``[B]``.
    """
    shift = (posterior.mean - prior.mean).double()
    mean, variance = posterior.mean.double(), posterior.log_variance.double().exp()
    z = mean + variance.sqrt() * noise.to(mean)
    # log q(z_i | x_j), [B, B], the square multiplied out: never [B, B, Z]
    distance = (
        z.pow(2) @ variance.reciprocal().T
        - 2 * z @ (mean / variance).T
        + (mean.pow(2) / variance).sum(dim=1)
    )
    log_q = -0.5 * (distance + (2 * math.pi * variance).log().sum(dim=1))
    same_image = image_index.unsqueeze(1).eq(image_index.unsqueeze(0))
    of_image = same_image.sum(dim=1).log()
    aggregate = log_q.masked_fill(~same_image, -torch.inf).logsumexp(dim=1) - of_image
    return {
        "shift": shift.sum(dim=0),
        "shift_squared": shift.pow(2).sum(dim=0),
        "mutual_information": (log_q.diagonal() - aggregate).sum(),
        "mutual_information_bound": of_image.sum(),
    }


def gate_statistics(gate: ScaledRegions) -> dict[str, Tensor]:
    """What tells whether region scaling has become a hard switch (section 4.5), of each pair.

    - ``gate_scores_std``: standard deviation of the scores over the regions. It begins below 1;
      at 10 and more the softmax is saturated.
    - ``gate_regions_kept``: sum of the weights, the number of regions that are kept

    Shape: ``[B]`` each.
    """
    scores = gate.scores.detach().float()
    return {
        "gate_scores_std": _deviation(scores, gate.real),
        "gate_regions_kept": gate.weights.detach().float().sum(dim=1),
    }


def _deviation(scores: Tensor, real: Tensor | None) -> Tensor:
    """Standard deviation over the regions that are no padding: ``[B, R], [B, R] -> [B]``."""
    if real is None:
        return scores.std(dim=1, unbiased=False)
    scores = scores.masked_fill(~real, 0)
    count = real.sum(dim=1, keepdim=True)
    from_mean = (scores - scores.sum(dim=1, keepdim=True) / count).masked_fill(~real, 0)
    return (from_mean.pow(2).sum(dim=1) / count.squeeze(1)).sqrt()


def active_units(shift: Tensor, shift_squared: Tensor, pairs: float) -> int:
    """How many dimensions vary over the pairs: variance of posterior mean minus prior mean above
    0.01.
    """
    variance = shift_squared / pairs - (shift / pairs) ** 2
    return int((variance > ACTIVE_ABOVE).sum())


def log_collapse(totals: Mapping[str, Any], pairs: float) -> None:
    """Logs ``mutual_information*`` and ``active_units*`` from the summed logging outputs.

    Meters are added over batches, and the vectors' names begin with an underscore, which keeps
    fairseq from printing them.
    """
    for name, value in totals.items():
        if name.startswith("mutual_information"):
            metrics.log_scalar(name, float(value) / pairs, pairs, round=3)
        elif name.startswith("shift_squared"):
            suffix = name.removeprefix("shift_squared")
            metrics.log_scalar_sum(f"_shift{suffix}", totals[f"shift{suffix}"])
            metrics.log_scalar_sum(f"_shift_squared{suffix}", value)
            metrics.log_scalar_sum(f"_pairs{suffix}", pairs)
            metrics.log_derived(f"active_units{suffix}", _ActiveUnits(suffix))


class _ActiveUnits:
    """A function of meters that can be copied, as fairseq copies its aggregators."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix

    def __call__(self, meters: Mapping[str, Any]) -> int:
        return active_units(
            *(meters[f"_{name}{self.suffix}"].sum for name in ("shift", "shift_squared", "pairs"))
        )
