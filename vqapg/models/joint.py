"""The joint model, section 4.3: question and answer in parallel, from one image and one z."""

import itertools
from dataclasses import dataclass

import torch
from fairseq.data import Dictionary
from fairseq.models import register_model
from torch import Tensor

from vqapg.models import parts
from vqapg.models.generation_model import GenerationModel
from vqapg.models.hypothesis import Hypothesis, Search, Texts, best_texts
from vqapg.models.output import PairOutput
from vqapg.models.vqapg_model import GenerationModelConfig, LatentConfig, TrainingFeatures
from vqapg.modules.latent import Conditioning, Gaussian, Gaussians, ImagePrior, TextImageGaussian
from vqapg.modules.noise import NoiseKeys, Stream
from vqapg.modules.regions import Regions, select_real, share_regions
from vqapg.modules.text_decoder import DecoderOutput, Memory


@dataclass
class VariationalJointConfig(GenerationModelConfig, LatentConfig):
    pass


@register_model("vqapg_joint", dataclass=GenerationModelConfig)
class JointModel(GenerationModel):
    """P(Q | I) P(A | I): two decoders that do not see each other (Table 1, the baseline)."""

    parallel = True

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
        latent_from: str | Gaussian = "posterior",
        regions_real: Tensor | None = None,
    ) -> PairOutput:
        image = self.image_encoder(features, regions_real)
        source = Conditioning.of_image(
            share_regions(image, image_index), select_real(regions_real, image_index)
        )
        decoded = self._decode(source, question, answer, noise_keys)
        # Without z there is no attention alignment (section 4.1, Table 1), so none is returned.
        logits = {text: output.logits for text, output in decoded.items()}
        return PairOutput(logits, {"question": question, "answer": answer}, {}, {})

    def _of_image(
        self, features: Tensor, image_index: Tensor, regions_real: Tensor | None
    ) -> Conditioning:
        image = self.image_encoder(features, regions_real)
        return Conditioning.of_image(image[image_index], select_real(regions_real, image_index))

    def _decode(
        self, source: Conditioning, question: Tensor, answer: Tensor, noise_keys: NoiseKeys
    ) -> dict[str, DecoderOutput]:
        """What each decoder says of its text, given *source* alone."""
        memory = Memory(source.regions, regions_real=source.real)
        return {
            text: decoder.teacher_forced(
                target,
                memory,
                decoder.initial_state(source.start, source.latent, real=source.real),
                noise_keys,
            )
            for text, decoder, target in (
                ("question", self.question_decoder, question),
                ("answer", self.answer_decoder, answer),
            )
        }

    def sample(
        self,
        features: Tensor,
        image_index: Tensor,
        noise_keys: NoiseKeys,
        latent_temperature: float,
        regions_real: Tensor | None = None,
    ) -> Conditioning:
        """What a generated pair depends on: the regions to decode from, and z (here none)."""
        return self._of_image(features, image_index, regions_real)

    def generate(
        self,
        features: Tensor,
        image_index: Tensor,
        noise_keys: NoiseKeys,
        search: Search,
        nbest: int = 1,
        latent_temperature: float = 1.0,
        given: Tensor | None = None,
        regions_real: Tensor | None = None,
        refine: int = 0,
    ) -> list[list[Texts]]:
        source = self.sample(features, image_index, noise_keys, latent_temperature, regions_real)
        found = self._search(source, search, noise_keys)
        for _ in range(refine):
            source = self.refined(source, *found)
            found = self._search(source, search, noise_keys)
        # Given z they are independent: any question goes with any answer.
        return [
            [
                {"question": question, "answer": answer}
                for question, answer in itertools.product(*texts)
            ]
            for texts in zip(*found)
        ]

    def refined(
        self,
        source: Conditioning,
        questions: list[list[Hypothesis]],
        answers: list[list[Hypothesis]],
    ) -> Conditioning:
        """*source* with z from the posterior of the best question and the best answer."""
        raise ValueError("without a latent variable nothing is refined")

    def _search(
        self, source: Conditioning, search: Search, noise_keys: NoiseKeys
    ) -> tuple[list[list[Hypothesis]], list[list[Hypothesis]]]:
        """For each row hypotheses of the question, and of the answer, best first."""
        questions, answers = (
            search(
                decoder,
                Memory(source.regions, regions_real=source.real),
                decoder.initial_state(source.start, source.latent, real=source.real),
                noise_keys,
            )
            for decoder in (self.question_decoder, self.answer_decoder)
        )
        return questions, answers


@register_model("vqapg_joint_variational", dataclass=VariationalJointConfig)
class VariationalJointModel(JointModel):
    """E_z log P(Q | I, z) P(A | I, z) - KL(P(z | I, Q, A) || P(z | I)): Table 1, section 4.3."""

    variational = True
    scores_answers = "pair"

    def __init__(
        self, cfg: GenerationModelConfig, dictionary: Dictionary, features: TrainingFeatures
    ) -> None:
        super().__init__(cfg, dictionary, features)
        dim, latent_dim = cfg.hidden_size, cfg.latent_dim
        embedding = parts.encoder_embedding(cfg, dictionary, self.embedding)
        self.text_encoder = parts.text_encoder(cfg, embedding)
        self.answer_encoder = (
            parts.text_encoder(cfg, embedding) if cfg.separate_text_encoders else None
        )
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
        latent_from: str | Gaussian = "posterior",
        regions_real: Tensor | None = None,
    ) -> PairOutput:
        image = self.image_encoder(features, regions_real)
        regions, real = share_regions(image, image_index), select_real(regions_real, image_index)
        # P(z | I) = M(mean_i h_i), once an image
        prior = self.prior(image, regions_real).select(image_index)
        gaussians = Gaussians(self._posterior(question, answer, regions, real), prior)
        source = self.latent(gaussians.source(latent_from), regions, noise_keys, real=real)
        decoded = self._decode(source, question, answer, noise_keys)
        return PairOutput(
            logits={text: output.logits for text, output in decoded.items()},
            targets={"question": question, "answer": answer},
            latents={"pair": gaussians},
            attention={text: output.attention for text, output in decoded.items()},
            gates={} if source.gate is None else {"pair": source.gate},
        )

    def sample(
        self,
        features: Tensor,
        image_index: Tensor,
        noise_keys: NoiseKeys,
        latent_temperature: float,
        regions_real: Tensor | None = None,
    ) -> Conditioning:
        """z ~ P(z | I), and the regions scaled by it."""
        image = self.image_encoder(features, regions_real)
        prior = self.prior(image, regions_real).select(image_index)
        source: Conditioning = self.latent(
            prior,
            image[image_index],
            noise_keys,
            latent_temperature,
            select_real(regions_real, image_index),
        )
        return source

    def refined(
        self,
        source: Conditioning,
        questions: list[list[Hypothesis]],
        answers: list[list[Hypothesis]],
    ) -> Conditioning:
        if source.unscaled is None:
            raise ValueError("a refinement begins at a pair that was decoded from a z")
        padding = self.question_decoder.special.padding
        question, answer = (best_texts(found, padding) for found in (questions, answers))
        posterior = self._posterior(question, answer, source.unscaled, source.real)
        refined: Conditioning = self.latent.known(posterior.mean, source.unscaled, source.real)
        return refined

    def gaussians(
        self,
        features: Tensor,
        image_index: Tensor,
        question: Tensor,
        answer: Tensor,
        regions_real: Tensor | None = None,
    ) -> Gaussians:
        image = self.image_encoder(features, regions_real)
        regions, real = share_regions(image, image_index), select_real(regions_real, image_index)
        prior = self.prior(image, regions_real).select(image_index)
        return Gaussians(self._posterior(question, answer, regions, real), prior)

    def _posterior(
        self, question: Tensor, answer: Tensor, regions: Regions, real: Tensor | None
    ) -> Gaussian:
        """P(z | I, Q, A) = M o f(h_Q (+) h_A, h)."""
        answer_encoder = self.answer_encoder or self.text_encoder
        both = torch.cat(
            [self.text_encoder(question).sequence, answer_encoder(answer).sequence], dim=-1
        )
        posterior: Gaussian = self.posterior(both, regions, real)
        return posterior
