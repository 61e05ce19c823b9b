"""Free bits of the KL term (section 5.3), and its warm-up."""

from collections.abc import Callable

from torch import Tensor

from vqapg.modules.latent import Gaussian, kl_divergence, kl_per_dimension

# What free bits may hold: KL of each dimension [B, Z] and the free bits of a pair -> what is held,
# a pair [B]. Over dimensions alike Kingma et al. 2016, appendix C.8,
# https://arxiv.org/abs/1606.04934, but for each pair, where theirs hold each dimension's mean over
# the batch.
HELD_OVER: dict[str, Callable[[Tensor, float], Tensor]] = {
    "pair": lambda kl, free_bits: kl.sum(dim=1).clamp(min=free_bits),
    "dimension": lambda kl, free_bits: kl.clamp(min=free_bits / kl.size(1)).sum(dim=1),
    "batch": lambda kl, free_bits: kl.sum(dim=1).mean().clamp(min=free_bits).expand(len(kl)),
}


def kl_term(
    posterior: Gaussian,
    prior: Gaussian,
    free_bits: float,
    mode: str,
    over: str = "pair",
    weight: float = 1.0,
) -> Tensor:
    """The KL term that is optimised, of each pair.

    "paper" is max(KL, free bits). Below the threshold it trains neither network, so the prior never
    learns where the posterior goes; "train-prior" therefore is max(KL(q || sg(p)), free bits) +
    KL(sg(q) || p), sg without gradient. Above the threshold both have the same gradient; the value
    is larger by KL, which is why KL and ELBO are reported from the plain KL.

    Shape: Gaussians ``[B, Z]`` -> ``[B]``.

    Args:
        posterior, prior: of the latent variable
        free_bits: in nats
        mode: "train-prior" or "paper"
        over: what free bits hold, see :data:`HELD_OVER`
        weight: of what holds the posterior to the prior (KL warm-up); in "train-prior" the prior is
            trained at full weight throughout
    """
    held = HELD_OVER[over]
    if mode == "paper":
        return weight * held(kl_per_dimension(posterior, prior), free_bits)
    held_posterior = held(kl_per_dimension(posterior, prior.detach()), free_bits)
    return weight * held_posterior + kl_divergence(posterior.detach(), prior)


def kl_weight(num_updates: int, warmup_updates: int, cycle_updates: int) -> float:
    """Linear warm-up (Bowman et al. 2016, https://aclanthology.org/K16-1002), or begun anew every
    cycle (Fu et al. 2019, https://aclanthology.org/N19-1021): in [0, 1].
    """
    if not warmup_updates:
        return 1.0
    if cycle_updates:
        num_updates %= cycle_updates
    return min(1.0, num_updates / warmup_updates)
