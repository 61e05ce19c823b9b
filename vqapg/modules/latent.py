"""The latent variable: Gaussians, reparametrisation, KL divergence (section 4.1)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vqapg.modules.attention import TextImageAttention
from vqapg.modules.mlp import MLP
from vqapg.modules.noise import NoiseKeys, Stream, standard_normal
from vqapg.modules.region_scaling import RegionScaling, ScaledRegions
from vqapg.modules.regions import Regions, mean_region


class Gaussian(NamedTuple):
    """A diagonal Gaussian a row: ``mean`` and ``log_variance``, both ``[B, Z]``."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """The reparametrisation trick: mean + standard deviation * noise.

        Shape: standard normal noise ``[B, Z]`` -> z ``[B, Z]``.
        """
        return self.mean + torch.exp(0.5 * self.log_variance) * noise.to(self.mean)

    def log_density(self, z: Tensor) -> Tensor:
        """log N(z; mean, variance), in nats: ``[B, Z] -> [B]``, float32."""
        z, mean, log_variance = (x.float() for x in (z, *self))
        squared = (z - mean).pow(2) * (-log_variance).exp()
        density: Tensor = -0.5 * (squared + log_variance + math.log(2 * math.pi)).sum(dim=-1)
        return density

    @classmethod
    def at(cls, z: Tensor) -> "Gaussian":
        """What draws are always *z* of: standard deviation 0."""
        return cls(z, torch.full_like(z, -torch.inf))

    def detach(self) -> "Gaussian":
        """The same distribution without gradient: sg(.) of the training objective."""
        return Gaussian(self.mean.detach(), self.log_variance.detach())

    def select(self, rows: Tensor) -> "Gaussian":
        """The distributions of the given rows, e.g. of each pair's image."""
        return Gaussian(self.mean[rows], self.log_variance[rows])


class Gaussians(NamedTuple):
    """What is believed of a latent variable with and without the text: two
    Gaussians of ``[B, Z]``.
    """

    posterior: Gaussian
    prior: Gaussian

    def source(self, latent_from: str | Gaussian) -> Gaussian:
        """What z is drawn from: "posterior", "prior", or the Gaussian that is given."""
        if isinstance(latent_from, Gaussian):
            return latent_from
        return self.posterior if latent_from == "posterior" else self.prior


def kl_per_dimension(q: Gaussian, p: Gaussian) -> Tensor:
    """KL(q || p) of diagonal Gaussians, in nats, each dimension's share.

    Shape: Gaussians ``[B, Z]`` -> ``[B, Z]``, float32.
    """
    q_mean, q_log_variance = (x.float() for x in (q.mean, q.log_variance))
    p_mean, p_log_variance = (x.float() for x in (p.mean, p.log_variance))
    kl: Tensor = 0.5 * (
        p_log_variance
        - q_log_variance
        + (q_log_variance - p_log_variance).exp()
        + (q_mean - p_mean).pow(2) * (-p_log_variance).exp()
        - 1
    )
    return kl


def kl_divergence(q: Gaussian, p: Gaussian) -> Tensor:
    """KL(q || p) of diagonal Gaussians, in nats, summed over dimensions.

    Shape: Gaussians ``[B, Z]`` -> ``[B]``, float32.
    """
    return kl_per_dimension(q, p).sum(dim=-1)


class GaussianHead(nn.Module):
    """The MLP that gives mean and log-variance: ``[B, D] -> Gaussian [B, Z]``."""

    def __init__(self, dim: int, latent_dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.mlp = MLP(dim, dim, 2 * latent_dim, dropout)

    def forward(self, x: Tensor) -> Gaussian:
        return Gaussian(*self.mlp(x).chunk(2, dim=-1))


class ImagePrior(nn.Module):
    """P(Z | I) = M(mean_i h_i), equation 2.

    Shape: regions ``[U, R, D]``, real ``[U, R]`` or None -> Gaussian ``[U, Z]``.
    """

    def __init__(self, dim: int, latent_dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.head = GaussianHead(dim, latent_dim, dropout)

    def forward(self, regions: Tensor, real: Tensor | None = None) -> Gaussian:
        prior: Gaussian = self.head(mean_region(regions, real))
        return prior


class TextImageGaussian(nn.Module):
    """M o f(h_text, h_I): every posterior, and the Y-model's prior (equations 2 and 3).

    Args:
        text_dim: width of the text's encoding, or of several concatenated

    Shape: text ``[B, text_dim]``, regions ``[B, R, D]`` or shared by B pairs, real ``[B, R]`` or
    None -> Gaussian ``[B, Z]``.
    """

    def __init__(self, text_dim: int, dim: int, latent_dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention = TextImageAttention(text_dim, dim, dropout)
        self.head = GaussianHead(dim, latent_dim, dropout)

    def forward(self, text: Tensor, regions: Regions, real: Tensor | None = None) -> Gaussian:
        gaussian: Gaussian = self.head(self.attention(text, regions, real))
        return gaussian


class Conditioning(NamedTuple):
    """What a text is decoded from.

    Attributes:
        regions: of B pairs, what decoders attend to, scaled where there is region scaling
        start: of B pairs, the regions whose mean decoders start from
        latent: z ``[B, Z]``; None without a latent variable
        gate: what scaled the regions; None without region scaling
        real: bool ``[B, R]``, False on padding among the regions; None where there is none
        unscaled: of B pairs, the regions before z scaled them; None in a baseline
    """

    regions: Regions
    start: Regions
    latent: Tensor | None = None
    gate: ScaledRegions | None = None
    real: Tensor | None = None
    unscaled: Regions | None = None

    @classmethod
    def of_image(cls, regions: Regions, real: Tensor | None = None) -> "Conditioning":
        """The regions of an image alone, as in a baseline."""
        return cls(regions, regions, real=real)


class LatentVariable(nn.Module):
    """z, drawn from a Gaussian, and the regions as it scales them (sections 4.1 and 4.5).

    Args:
        latent_dim: width Z
        scaling: scales the regions by z (equation 5); None: they stay as they are
        stream: the :class:`~vqapg.modules.noise.Stream` its noise comes from
        scaled_start: decoders start from the scaled regions too, and not only attend to them
    """

    def __init__(
        self,
        latent_dim: int,
        scaling: RegionScaling | None,
        stream: Stream,
        scaled_start: bool = False,
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.stream = stream
        self.scaling = scaling
        self.scaled_start = scaled_start

    def forward(
        self,
        source: Gaussian,
        regions: Regions,
        noise_keys: NoiseKeys,
        temperature: float = 1.0,
        real: Tensor | None = None,
    ) -> Conditioning:
        """Draws z.

        Args:
            source: the Gaussian to draw from
            regions: of each row's image
            noise_keys: see :mod:`vqapg.modules.noise`
            temperature: scales the standard deviation; at 0 z is the Gaussian's mean
            real: False on padding among the regions; None where there is none

        Shape:
            source ``[B, Z]``, regions ``[B, R, D]`` or shared by B pairs, noise_keys ``[B, 3]``,
            real ``[B, R]``

        Returns:
            z, and the regions to decode from
        """
        noise = standard_normal(noise_keys, self.latent_dim, self.stream)
        return self.known(source.sample(temperature * noise), regions, real)

    def known(self, latent: Tensor, regions: Regions, real: Tensor | None = None) -> Conditioning:
        """What texts are decoded from where z is known: nothing is drawn.

        Args:
            latent: z
            regions, real: as in :meth:`forward`

        Shape: latent ``[B, Z]``.
        """
        if self.scaling is None:
            return Conditioning(regions, regions, latent, None, real, regions)
        gate: ScaledRegions = self.scaling(latent, regions, real)
        start = gate.regions if self.scaled_start else regions
        return Conditioning(gate.regions, start, latent, gate, real, regions)
