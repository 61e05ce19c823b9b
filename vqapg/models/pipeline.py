"""The pipeline model, section 4.2: first X from the image, then Y from the image and X."""

from dataclasses import dataclass

from fairseq.data import Dictionary
from fairseq.models import register_model
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vqapg.models.generation_model import GenerationModel
from vqapg.models.hypothesis import Search, Texts
from vqapg.models.image_and_text_to_text import ImageAndTextToText
from vqapg.models.image_to_text import ImageToText
from vqapg.models.output import PairOutput
from vqapg.models.vqapg_model import (
    GenerationModelConfig,
    LatentConfig,
    OrderConfig,
    TrainingFeatures,
)
from vqapg.modules.noise import NoiseKeys


@dataclass
class PipelineConfig(GenerationModelConfig, OrderConfig):
    pass


@dataclass
class VariationalPipelineConfig(PipelineConfig, LatentConfig):
    pass


@register_model("vqapg_pipeline", dataclass=PipelineConfig)
class PipelineModel(GenerationModel):
    """P(X | I) and P(Y | I, X): two sub-models without a shared parameter, trained together but
    each alone.

    Their objectives only add up, so the gradient of each is its own; only what fairseq does to a
    whole model, the clipping of the gradient's norm and the choice of a checkpoint, is done to both
    at once. Y is trained on the gold X and generated from the predicted X.
    """

    def __init__(
        self, cfg: PipelineConfig, dictionary: Dictionary, features: TrainingFeatures
    ) -> None:
        super().__init__(cfg, dictionary, features)
        self.order = str(cfg.order)
        self.x, self.y = ("answer", "question") if self.order == "aq" else ("question", "answer")
        self.x_model = ImageToText(cfg, dictionary, features, self.x, self.variational)
        self.y_model = ImageAndTextToText(cfg, dictionary, features, self.y, self.variational)
        self.padding = dictionary.pad()

    @property
    def completes(self) -> str:
        return self.x

    def forward(
        self,
        features: Tensor,
        image_index: Tensor,
        question: Tensor,
        answer: Tensor,
        noise_keys: NoiseKeys,
        latent_from: str = "posterior",
    ) -> PairOutput:
        texts = {"question": question, "answer": answer}
        x, y = texts[self.x], texts[self.y]
        outputs = {
            self.x: self.x_model(features, image_index, x, noise_keys, latent_from),
            self.y: self.y_model(features, image_index, x, y, noise_keys, latent_from),
        }
        return PairOutput.of_texts(outputs, texts)

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
        if given is not None:
            found = self.y_model.generate(
                features, image_index, given, noise_keys, search, latent_temperature
            )
            return [[{self.y: y} for y in hypotheses] for hypotheses in found]
        found = self.x_model.generate(features, image_index, noise_keys, search, latent_temperature)
        predicted = [(row, x) for row, hypotheses in enumerate(found) for x in hypotheses[:nbest]]
        rows = [row for row, _ in predicted]
        given = pad_sequence(
            [x.tokens for _, x in predicted], batch_first=True, padding_value=self.padding
        )
        found = self.y_model.generate(
            features, image_index[rows], given, noise_keys[rows], search, latent_temperature
        )
        pairs: list[list[Texts]] = [[] for _ in image_index]
        for (row, x), hypotheses in zip(predicted, found, strict=True):
            pairs[row] += [{self.x: x, self.y: y} for y in hypotheses]
        return pairs


@register_model("vqapg_pipeline_variational", dataclass=VariationalPipelineConfig)
class VariationalPipelineModel(PipelineModel):
    """The pipeline with a latent variable in each sub-model, Z_X and Z_Y: Table 1, equations 2 and
    3.
    """

    variational = True
