"""The joint model, section 4.3: question and answer in parallel, from one image and one z."""

import torch
from fairseq.models import register_model

from vqapg.models.base import ModelConfig, VariationalModelConfig, VQAPGModel
from vqapg.models.output import PairOutput
from vqapg.modules.latent import ImagePrior, TextImageGaussian
from vqapg.modules.noise import Stream, standard_normal
from vqapg.modules.region_scaling import RegionScaling
from vqapg.modules.text_decoder import TextDecoder, shift_right
from vqapg.modules.text_encoder import TextEncoder


@register_model("vqapg_joint", dataclass=ModelConfig)
class JointModel(VQAPGModel):
    """P(Q | I) P(A | I): two decoders that do not see each other (Table 1, the baseline)."""

    def __init__(self, cfg, dictionary, features, latent_dim=None):
        super().__init__(cfg, dictionary, features)
        self.question_decoder = TextDecoder(self.embedding, cfg.hidden_size, latent_dim, cfg.dropout)
        self.answer_decoder = TextDecoder(self.embedding, cfg.hidden_size, latent_dim, cfg.dropout)

    def forward(self, features, image_index, question, answer, noise_keys, latent_from="posterior"):
        """Teacher forcing.

        Args:
            features: ``[U, R, C]`` of the distinct images
            image_index: ``[B]``, each pair's row of ``features``
            question, answer: ``[B, T]``, ended and padded
            noise_keys: ``[B, 3]`` integers, see :mod:`vqapg.modules.noise`
            latent_from: "posterior" or "prior", where z is drawn from; a baseline has no z and ignores it

        Returns:
            :class:`~vqapg.models.output.PairOutput`
        """
        regions = self.image_encoder(features)[image_index]
        return self._decode(regions, None, question, answer)

    def _decode(self, regions, latent, question, answer):
        output = PairOutput(logits={}, attention={}, latents={})
        for name, decoder, text in (
            ("question", self.question_decoder, question),
            ("answer", self.answer_decoder, answer),
        ):
            previous = shift_right(text, self.end, self.padding)
            decoded = decoder(previous, regions, decoder.initial_state(regions, latent))
            output.logits[name], output.attention[name] = decoded.logits, decoded.attention
        return output

    def sample(self, features, image_index, noise_keys):
        """What a generated pair hangs on: the regions to decode from ``[B, R, D]``, and z (here none)."""
        return self.image_encoder(features)[image_index], None

    def generate(self, features, image_index, noise_keys, search):
        """Question and answer hypotheses for each row, given the same z: independent searches.

        Args:
            search: see :mod:`vqapg.generation.search`

        Returns:
            (question hypotheses, answer hypotheses), for each row a list, best first
        """
        regions, latent = self.sample(features, image_index, noise_keys)
        return tuple(
            search(decoder, regions, decoder.initial_state(regions, latent), noise_keys, stream)
            for decoder, stream in (
                (self.question_decoder, Stream.QUESTION),
                (self.answer_decoder, Stream.ANSWER),
            )
        )


@register_model("vqapg_joint_variational", dataclass=VariationalModelConfig)
class VariationalJointModel(JointModel):
    """E_z log P(Q | I, z) P(A | I, z) - KL(P(z | I, Q, A) || P(z | I)): Table 1, section 4.3."""

    def __init__(self, cfg, dictionary, features):
        dim, latent_dim = cfg.hidden_size, cfg.latent_dim
        super().__init__(cfg, dictionary, features, latent_dim)
        self.latent_dim = latent_dim
        self.text_encoder = TextEncoder(self.embedding, dim, cfg.dropout)
        self.prior = ImagePrior(dim, latent_dim, cfg.dropout)
        self.posterior = TextImageGaussian(2 * dim, dim, latent_dim, cfg.dropout)
        self.region_scaling = RegionScaling(latent_dim, dim, cfg.dropout) if cfg.region_scaling else None

    def forward(self, features, image_index, question, answer, noise_keys, latent_from="posterior"):
        encoded = self.image_encoder(features)
        regions = encoded[image_index]
        # P(z | I) = M(mean_i h_i), once an image; P(z | I, Q, A) = M o f(h_Q (+) h_A, h)
        prior = self.prior(encoded).select(image_index)
        text = torch.cat([self.text_encoder(question), self.text_encoder(answer)], dim=-1)
        posterior = self.posterior(text, regions)
        source = {"posterior": posterior, "prior": prior}[latent_from]
        latent = source.sample(standard_normal(noise_keys, self.latent_dim, Stream.LATENT))
        output = self._decode(self._scale(latent, regions), latent, question, answer)
        output.latents["z"] = (posterior, prior)
        return output

    def _scale(self, latent, regions):
        return regions if self.region_scaling is None else self.region_scaling(latent, regions)[0]

    def sample(self, features, image_index, noise_keys):
        """z ~ P(z | I), and the regions scaled by it."""
        encoded = self.image_encoder(features)
        prior = self.prior(encoded).select(image_index)
        latent = prior.sample(standard_normal(noise_keys, self.latent_dim, Stream.LATENT))
        return self._scale(latent, encoded[image_index]), latent
