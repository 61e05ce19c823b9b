"""The sequential model, section 4.4: question and answer as one text, T = X <sep> Y."""

from dataclasses import dataclass

from fairseq.data import Dictionary
from fairseq.models import register_model
from torch import Tensor

from vqapg.models.generation_model import GenerationModel
from vqapg.models.hypothesis import Hypothesis, Search, Texts
from vqapg.models.image_to_text import ImageToText
from vqapg.models.output import PairOutput
from vqapg.models.parts import special_tokens
from vqapg.models.vqapg_model import (
    GenerationModelConfig,
    LatentConfig,
    OrderConfig,
    TrainingFeatures,
)
from vqapg.modules.latent import Gaussian, Gaussians
from vqapg.modules.noise import NoiseKeys
from vqapg.modules.text import concatenate


@dataclass
class SequentialConfig(GenerationModelConfig, OrderConfig):
    pass


@dataclass
class VariationalSequentialConfig(SequentialConfig, LatentConfig):
    pass


@register_model("vqapg_sequential", dataclass=SequentialConfig)
class SequentialModel(GenerationModel):
    """P(T | I): an X-model whose text is the whole pair (Table 1; appendix B.3)."""

    writes_separator = True

    def __init__(
        self, cfg: SequentialConfig, dictionary: Dictionary, features: TrainingFeatures
    ) -> None:
        super().__init__(cfg, dictionary, features)
        self.order = str(cfg.order)
        self.answer_first = self.order == "aq"
        self.special = special_tokens(dictionary)
        self.model = ImageToText(cfg, dictionary, features, "pair", self.variational)

    @property
    def scores_answers(self) -> str | None:  # type: ignore[override]  # hangs on the order
        if self.variational:
            return "pair"
        return None if self.answer_first else "own"

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
        pair = self._pair(question, answer)
        output = self.model(features, image_index, pair, noise_keys, latent_from, regions_real)
        return PairOutput.of_texts({"pair": output}, {"pair": pair})

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
        found = self.model.generate(
            features, image_index, noise_keys, search, latent_temperature, regions_real, refine
        )
        return [[self._halves(text) for text in hypotheses] for hypotheses in found]

    def gaussians(
        self,
        features: Tensor,
        image_index: Tensor,
        question: Tensor,
        answer: Tensor,
        regions_real: Tensor | None = None,
    ) -> Gaussians:
        pair = self._pair(question, answer)
        return self.model.gaussians(features, image_index, pair, regions_real)

    def _pair(self, question: Tensor, answer: Tensor) -> Tensor:
        """T = X <sep> Y."""
        first, second = (answer, question) if self.answer_first else (question, answer)
        return concatenate(first, second, self.special.separator, self.special.padding)

    def _halves(self, text: Hypothesis) -> Texts:
        halves = text.split(self.special.separator, self.special.end)
        if halves is None:
            return {"pair": text}
        first, second = halves
        return (
            {"answer": first, "question": second}
            if self.answer_first
            else {"question": first, "answer": second}
        )


@register_model("vqapg_sequential_variational", dataclass=VariationalSequentialConfig)
class VariationalSequentialModel(SequentialModel):
    """E_z log P(T | I, z) - KL(P(z | I, T) || P(z | I)): Table 1, section 4.4."""

    variational = True
