"""From an image and one text to the other: the pipeline's Y-model (section 4.2), and VQG and VQA
(section 6.6).
"""

import torch
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
    LatentVariable,
    TextImageGaussian,
)
from vqapg.modules.noise import NoiseKeys, Stream
from vqapg.modules.regions import Regions, select_real, share_regions
from vqapg.modules.text_decoder import LSTMState, Memory
from vqapg.modules.text_encoder import TextEncoder, TextEncoding


class ImageAndTextToText(nn.Module):
    """P(Y | I, X); with a latent variable E_z log P(Y | I, X, z) - KL(P(z | I, X, Y) || P(z | I,
    X)): Table 1.

    Args:
        text: what Y is, "question" or "answer"
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
        dim = cfg.hidden_size
        self.image_encoder = parts.image_encoder(cfg, features)
        self.embedding = parts.embedding(cfg, dictionary)
        embedding = parts.encoder_embedding(cfg, dictionary, self.embedding)
        self.text_encoder = parts.text_encoder(cfg, embedding)
        self.decoder = parts.text_decoder(
            cfg, text, dictionary, self.embedding, variational, reads_text=True
        )
        self.latent: LatentVariable | None = None
        self.y_encoder: TextEncoder | None = None
        if variational:
            if cfg.separate_text_encoders:
                self.y_encoder = parts.text_encoder(cfg, embedding)
            self.prior = TextImageGaussian(dim, dim, cfg.latent_dim, cfg.dropout)
            self.posterior = TextImageGaussian(2 * dim, dim, cfg.latent_dim, cfg.dropout)
            self.latent = parts.latent_variable(cfg, Stream.LATENT_OF_Y)

    def forward(
        self,
        features: Tensor,
        image_index: Tensor,
        given: Tensor,
        text: Tensor,
        noise_keys: NoiseKeys,
        latent_from: str | Gaussian,
        regions_real: Tensor | None = None,
    ) -> TextOutput:
        """Teacher forcing of *text* (Y) after *given* (X), both ``[B, T]``; the rest as in
        :class:`~vqapg.models.generation_model.GenerationModel`."""
        regions = share_regions(self.image_encoder(features, regions_real), image_index)
        real = select_real(regions_real, image_index)
        x = self.text_encoder(given)
        source, gaussians = Conditioning.of_image(regions, real), None
        if self.latent is not None:
            posterior = self._posterior(x, text, regions, real)
            # Equation 3: P(z | I, X) = M o f(h_X, h)
            gaussians = Gaussians(posterior, self.prior(x.sequence, regions, real))
            source = self.latent(gaussians.source(latent_from), regions, noise_keys, real=real)
        decoded = self.decoder.teacher_forced(text, *self._begin(source, x), noise_keys)
        return TextOutput(decoded.logits, gaussians, source.gate)

    def generate(
        self,
        features: Tensor,
        image_index: Tensor,
        given: Tensor,
        noise_keys: NoiseKeys,
        search: Search,
        latent_temperature: float,
        regions_real: Tensor | None = None,
        refine: int = 0,
    ) -> list[list[Hypothesis]]:
        """For each row hypotheses of Y, best first, given X ``[B, T]`` and z ~ P(z | I, X).

        Then, *refine* times, z is the mean of P(z | I, X, Y) at the best Y, and Y is decoded again.
        """
        regions = self.image_encoder(features, regions_real)[image_index]
        real = select_real(regions_real, image_index)
        x = self.text_encoder(given)
        source = Conditioning.of_image(regions, real)
        if self.latent is not None:
            prior = self.prior(x.sequence, regions, real)
            source = self.latent(prior, regions, noise_keys, latent_temperature, real)
        found = search(self.decoder, *self._begin(source, x), noise_keys)
        for _ in range(refine):
            if self.latent is None:
                raise ValueError("without a latent variable nothing is refined")
            y = best_texts(found, self.decoder.special.padding)
            posterior = self._posterior(x, y, regions, real)
            source = self.latent.known(posterior.mean, regions, real)
            found = search(self.decoder, *self._begin(source, x), noise_keys)
        return found

    def _posterior(
        self, x: TextEncoding, y: Tensor, regions: Regions, real: Tensor | None
    ) -> Gaussian:
        """Equation 3: P(z | I, X, Y) = M o f(h_X (+) h_Y, h)."""
        encoded = (self.y_encoder or self.text_encoder)(y)
        both = torch.cat([x.sequence, encoded.sequence], dim=-1)
        posterior: Gaussian = self.posterior(both, regions, real)
        return posterior

    def _begin(self, source: Conditioning, x: TextEncoding) -> tuple[Memory, LSTMState]:
        """What is decoded from: the regions and X's tokens; and the decoder's state before the
        first token.
        """
        state = self.decoder.initial_state(source.start, source.latent, x.sequence, source.real)
        return Memory(source.regions, x.tokens, x.real, source.real), state
