"""The joint model, section 4.3: question and answer in parallel, from one image and one z."""

import itertools
from dataclasses import dataclass

import torch
from fairseq.data import Dictionary
from fairseq.models import register_model
from torch import Tensor

from vqapg.models import parts
from vqapg.models.generation_model import GenerationModel
from vqapg.models.hypothesis import Search, Texts
from vqapg.models.output import PairOutput
from vqapg.models.vqapg_model import GenerationModelConfig, LatentConfig, TrainingFeatures
from vqapg.modules.latent import Gaussians, ImagePrior, TextImageGaussian
from vqapg.modules.noise import NoiseKeys, Stream
from vqapg.modules.text_decoder import Memory


@dataclass
class VariationalJointConfig(GenerationModelConfig, LatentConfig):
    pass


@register_model("vqapg_joint", dataclass=GenerationModelConfig)
class JointModel(GenerationModel):
    """P(Q | I) P(A | I): two decoders that do not see each other (Table 1, the baseline)."""

    def __init__(
        self, cfg: GenerationModelConfig, dictionary: Dictionary, features: TrainingFeatures
    ) -> None:
        super().__init__(cfg, dictionary, features)
        self.image_encoder = parts.image_encoder(cfg, features)
        self.embedding = parts.embedding(cfg, dictionary)
        self.question_decoder, self.answer_decoder = (
            parts.text_decoder(cfg, text, dictionary, self.embedding, self.variational)
            for text in ("question", "answer")
        )

    def forward(
        self,
        features: Tensor,
        image_index: Tensor,
        question: Tensor,
        answer: Tensor,
        noise_keys: NoiseKeys,
        latent_from: str = "posterior",
    ) -> PairOutput:
        regions = self.image_encoder(features)[image_index]
        return self._decode(regions, None, question, answer, noise_keys, latents={})

    def _decode(
        self,
        regions: Tensor,
        latent: Tensor | None,
        question: Tensor,
        answer: Tensor,
        noise_keys: NoiseKeys,
        latents: dict[str, Gaussians],
    ) -> PairOutput:
        output = PairOutput({}, {"question": question, "answer": answer}, latents, attention={})
        for text, decoder in (("question", self.question_decoder), ("answer", self.answer_decoder)):
            state = decoder.initial_state(regions, latent)
            decoded = decoder.teacher_forced(
                output.targets[text], Memory(regions), state, noise_keys
            )
            output.logits[text], output.attention[text] = decoded.logits, decoded.attention
        return output

    def sample(
        self,
        features: Tensor,
        image_index: Tensor,
        noise_keys: NoiseKeys,
        latent_temperature: float,
    ) -> tuple[Tensor | None, Tensor]:
        """What a generated pair hangs on: z (here none), and the regions to decode from.

        Shape: z ``[B, Z]``, regions ``[B, R, D]``.
        """
        return None, self.image_encoder(features)[image_index]

    def generate(
        self,
        features: Tensor,
        image_index: Tensor,
        noise_keys: NoiseKeys,
        search: Search,
        nbest: int = 1,
        latent_temperature: float = 1.0,
        given: Tensor | None = None,
    ) -> list[list[Texts]]:
        latent, regions = self.sample(features, image_index, noise_keys, latent_temperature)
        questions, answers = (
            search(decoder, Memory(regions), decoder.initial_state(regions, latent), noise_keys)
            for decoder in (self.question_decoder, self.answer_decoder)
        )
        # Given z they are independent: any question goes with any answer.
        return [
            [
                {"question": question, "answer": answer}
                for question, answer in itertools.product(*texts)
            ]
            for texts in zip(questions, answers)
        ]


@register_model("vqapg_joint_variational", dataclass=VariationalJointConfig)
class VariationalJointModel(JointModel):
    """E_z log P(Q | I, z) P(A | I, z) - KL(P(z | I, Q, A) || P(z | I)): Table 1, section 4.3."""

    variational = True

    def __init__(
        self, cfg: GenerationModelConfig, dictionary: Dictionary, features: TrainingFeatures
    ) -> None:
        super().__init__(cfg, dictionary, features)
        dim, latent_dim = cfg.hidden_size, cfg.latent_dim
        self.text_encoder = parts.text_encoder(cfg, self.embedding)
        self.prior = ImagePrior(dim, latent_dim, cfg.dropout)
        self.posterior = TextImageGaussian(2 * dim, dim, latent_dim, cfg.dropout)
        self.latent = parts.latent_variable(cfg, Stream.LATENT)

    def forward(
        self,
        features: Tensor,
        image_index: Tensor,
        question: Tensor,
        answer: Tensor,
        noise_keys: NoiseKeys,
        latent_from: str = "posterior",
    ) -> PairOutput:
        image = self.image_encoder(features)
        regions = image[image_index]
        # P(z | I) = M(mean_i h_i), once an image; P(z | I, Q, A) = M o f(h_Q (+) h_A, h)
        prior = self.prior(image).select(image_index)
        both = torch.cat([self.text_encoder(text).sequence for text in (question, answer)], dim=-1)
        gaussians = Gaussians(self.posterior(both, regions), prior)
        latent, regions = self.latent(getattr(gaussians, latent_from), regions, noise_keys)
        return self._decode(
            regions, latent, question, answer, noise_keys, latents={"pair": gaussians}
        )

    def sample(
        self,
        features: Tensor,
        image_index: Tensor,
        noise_keys: NoiseKeys,
        latent_temperature: float,
    ) -> tuple[Tensor | None, Tensor]:
        """z ~ P(z | I), and the regions scaled by it."""
        image = self.image_encoder(features)
        prior = self.prior(image).select(image_index)
        drawn: tuple[Tensor, Tensor] = self.latent(
            prior, image[image_index], noise_keys, latent_temperature
        )
        return drawn
