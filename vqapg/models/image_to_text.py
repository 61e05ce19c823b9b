"""From an image to one text: the pipeline's X-model (section 4.2), and the sequential model's, of a
whole pair.
"""

from fairseq.data import Dictionary
from torch import Tensor, nn

from vqapg.models import parts
from vqapg.models.hypothesis import Hypothesis, Search, best_texts
from vqapg.models.output import TextOutput
from vqapg.models.vqapg_model import GenerationModelConfig, TrainingFeatures
from vqapg.modules.latent import (
    Conditioning,
    Gaussian,
    Gaussians,
    ImagePrior,
    LatentVariable,
    TextImageGaussian,
)
from vqapg.modules.noise import NoiseKeys, Stream
from vqapg.modules.regions import Regions, select_real, share_regions
from vqapg.modules.text_decoder import LSTMState, Memory


class ImageToText(nn.Module):
    """P(X | I); with a latent variable E_z log P(X | I, z) - KL(P(z | I, X) || P(z | I)): Table 1.

    Args:
        text: what X is, "question", "answer" or "pair"
        variational: with a latent variable, or the baseline
    """

    def __init__(
        self,
        cfg: GenerationModelConfig,
        dictionary: Dictionary,
        features: TrainingFeatures,
        text: str,
        variational: bool,
    ) -> None:
        super().__init__()
        self.image_encoder = parts.image_encoder(cfg, features)
        self.embedding = parts.embedding(cfg, dictionary)
        self.decoder = parts.text_decoder(cfg, text, dictionary, self.embedding, variational)
        self.latent: LatentVariable | None = None
        if variational:
            embedding = parts.encoder_embedding(cfg, dictionary, self.embedding)
            self.text_encoder = parts.text_encoder(cfg, embedding)
            self.prior = ImagePrior(cfg.hidden_size, cfg.latent_dim, cfg.dropout)
            self.posterior = TextImageGaussian(
                cfg.hidden_size, cfg.hidden_size, cfg.latent_dim, cfg.dropout
            )
            self.latent = parts.latent_variable(cfg, Stream.LATENT)

    def forward(
        self,
        features: Tensor,
        image_index: Tensor,
        text: Tensor,
        noise_keys: NoiseKeys,
        latent_from: str | Gaussian,
        regions_real: Tensor | None = None,
    ) -> TextOutput:
        """Teacher forcing of *text* ``[B, T]``; the rest as in
        :class:`~vqapg.models.generation_model.GenerationModel`.
        """
        image = self.image_encoder(features, regions_real)
        regions, real = share_regions(image, image_index), select_real(regions_real, image_index)
        source, gaussians = Conditioning.of_image(regions, real), None
        if self.latent is not None:
            posterior = self._posterior(text, regions, real)
            # P(z | I) = M(mean_i h_i), once an image
            prior = self.prior(image, regions_real).select(image_index)
            gaussians = Gaussians(posterior, prior)
            source = self.latent(gaussians.source(latent_from), regions, noise_keys, real=real)
        decoded = self.decoder.teacher_forced(text, *self._begin(source), noise_keys)
        return TextOutput(decoded.logits, gaussians, source.gate)

    def generate(
        self,
        features: Tensor,
        image_index: Tensor,
        noise_keys: NoiseKeys,
        search: Search,
        latent_temperature: float,
        regions_real: Tensor | None = None,
        refine: int = 0,
    ) -> list[list[Hypothesis]]:
        """For each row hypotheses of X, best first, given z ~ P(z | I).

        Then, *refine* times, z is the mean of P(z | I, X) at the best X, and X is decoded again.
        """
        image = self.image_encoder(features, regions_real)
        real = select_real(regions_real, image_index)
        regions = image[image_index]
        source = Conditioning.of_image(regions, real)
        if self.latent is not None:
            prior = self.prior(image, regions_real).select(image_index)
            source = self.latent(prior, regions, noise_keys, latent_temperature, real)
        found = search(self.decoder, *self._begin(source), noise_keys)
        for _ in range(refine):
            if self.latent is None:
                raise ValueError("without a latent variable nothing is refined")
            text = best_texts(found, self.decoder.special.padding)
            source = self.latent.known(self._posterior(text, regions, real).mean, regions, real)
            found = search(self.decoder, *self._begin(source), noise_keys)
        return found

    def gaussians(
        self,
        features: Tensor,
        image_index: Tensor,
        text: Tensor,
        regions_real: Tensor | None = None,
    ) -> Gaussians:
        """Posterior and prior of z, in a variational model; the arguments are :meth:`forward`'s."""
        image = self.image_encoder(features, regions_real)
        regions, real = share_regions(image, image_index), select_real(regions_real, image_index)
        prior = self.prior(image, regions_real).select(image_index)
        return Gaussians(self._posterior(text, regions, real), prior)

    def _posterior(self, text: Tensor, regions: Regions, real: Tensor | None) -> Gaussian:
        """Equation 2: P(z | I, X) = M o f(h_X, h)."""
        posterior: Gaussian = self.posterior(self.text_encoder(text).sequence, regions, real)
        return posterior

    def _begin(self, source: Conditioning) -> tuple[Memory, LSTMState]:
        """What is decoded from, and the decoder's state before the first token."""
        state = self.decoder.initial_state(source.start, source.latent, real=source.real)
        return Memory(source.regions, regions_real=source.real), state
