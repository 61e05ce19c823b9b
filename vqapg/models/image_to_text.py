"""From an image to one text: the pipeline's X-model (section 4.2), and the sequential model's, of a whole pair."""

from torch import nn

from vqapg.models import parts
from vqapg.models.output import TextOutput
from vqapg.modules.latent import Gaussians, ImagePrior, TextImageGaussian
from vqapg.modules.noise import Stream
from vqapg.modules.text_decoder import Memory


class ImageToText(nn.Module):
    """P(X | I); with a latent variable E_z log P(X | I, z) - KL(P(z | I, X) || P(z | I)): Table 1.

    Args:
        text: what X is, "question", "answer" or "pair"
        variational: with a latent variable, or the baseline
    """

    def __init__(self, cfg, dictionary, features, text, variational):
        super().__init__()
        self.image_encoder = parts.image_encoder(cfg, features)
        self.embedding = parts.embedding(cfg, dictionary)
        self.decoder = parts.text_decoder(cfg, text, dictionary, self.embedding, variational)
        self.latent = None
        if variational:
            self.text_encoder = parts.text_encoder(cfg, self.embedding)
            self.prior = ImagePrior(cfg.hidden_size, cfg.latent_dim, cfg.dropout)
            self.posterior = TextImageGaussian(
                cfg.hidden_size, cfg.hidden_size, cfg.latent_dim, cfg.dropout
            )
            self.latent = parts.latent_variable(cfg, Stream.LATENT)

    def forward(self, features, image_index, text, noise_keys, latent_from):
        """Teacher forcing of *text* ``[B, T]``; the rest as in :class:`~vqapg.models.generation_model.GenerationModel`."""
        image = self.image_encoder(features)
        regions = image[image_index]
        latent = gaussians = None
        if self.latent is not None:
            # Equation 2: P(z | I, X) = M o f(h_X, h), and P(z | I) = M(mean_i h_i), once an image
            posterior = self.posterior(self.text_encoder(text).sequence, regions)
            prior = self.prior(image).select(image_index)
            gaussians = Gaussians(posterior, prior)
            latent, regions = self.latent(getattr(gaussians, latent_from), regions, noise_keys)
        state = self.decoder.initial_state(regions, latent)
        return TextOutput(
            self.decoder.teacher_forced(text, Memory(regions), state, noise_keys).logits, gaussians
        )

    def generate(self, features, image_index, noise_keys, search, latent_temperature):
        """For each row hypotheses of X, best first, given z ~ P(z | I)."""
        image = self.image_encoder(features)
        latent, regions = None, image[image_index]
        if self.latent is not None:
            prior = self.prior(image).select(image_index)
            latent, regions = self.latent(prior, regions, noise_keys, latent_temperature)
        return search(
            self.decoder, Memory(regions), self.decoder.initial_state(regions, latent), noise_keys
        )
