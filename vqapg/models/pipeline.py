"""The pipeline model, section 4.2: first X from the image, then Y from the image and X."""

from dataclasses import dataclass, field

from fairseq.data import Dictionary
from fairseq.dataclass import ChoiceEnum
from fairseq.models import register_model
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vqapg.errors import InputError
from vqapg.models.generation_model import GenerationModel
from vqapg.models.hypothesis import Search, Texts
from vqapg.models.image_and_text_to_text import ImageAndTextToText
from vqapg.models.image_to_text import ImageToText
from vqapg.models.output import PairOutput, TextOutput
from vqapg.models.vqapg_model import (
    GenerationModelConfig,
    LatentConfig,
    OrderConfig,
    TrainingFeatures,
)
from vqapg.modules.latent import Gaussian
from vqapg.modules.noise import NoiseKeys

SUB_MODELS = ("x", "y")


@dataclass
class PipelineConfig(GenerationModelConfig, OrderConfig):
    sub_model: ChoiceEnum(["both", *SUB_MODELS]) = field(  # type: ignore[valid-type]  # a class made by fairseq
        default="both",
        metadata={
            "help": "what to train; x: the first text from the image (X-model); y: the second "
            "text from the image and the first (Y-model); both: the two in one run. Trained "
            "apart, each has its own gradient clipping, schedule and best epoch; "
            "`vqapg checkpoint` then joins them"
        },
    )


@dataclass
class VariationalPipelineConfig(PipelineConfig, LatentConfig):
    pass


def flag_of(sub_model: str) -> str:
    """How the name of a model in a checkpoint's origin tells a sub-model from the whole."""
    return "" if sub_model == "both" else f", --sub-model {sub_model}"


@register_model("vqapg_pipeline", dataclass=PipelineConfig)
class PipelineModel(GenerationModel):
    """P(X | I) and P(Y | I, X): two sub-models without a shared parameter.

    Y is trained on the gold X and generated from the predicted X. Trained in one run, the two
    objectives add up, so each sub-model has its own gradient. What fairseq does to a whole model is
    then done to both at once: clipping of the gradient's norm, schedule, choice of the best epoch.
    ``--sub-model`` builds and trains one of them alone; such a model generates nothing.
    """

    def __init__(
        self, cfg: PipelineConfig, dictionary: Dictionary, features: TrainingFeatures
    ) -> None:
        super().__init__(cfg, dictionary, features)
        self.order = str(cfg.order)
        self.sub_model = str(cfg.sub_model)
        self.origin["model"] += flag_of(self.sub_model)
        self.x, self.y = ("answer", "question") if self.order == "aq" else ("question", "answer")
        self.x_model: ImageToText | None = None
        self.y_model: ImageAndTextToText | None = None
        if self.sub_model != "y":
            self.x_model = ImageToText(cfg, dictionary, features, self.x, self.variational)
        if self.sub_model != "x":
            self.y_model = ImageAndTextToText(cfg, dictionary, features, self.y, self.variational)
        self.padding = dictionary.pad()

    @property
    def completes(self) -> str:
        self._both()
        return self.x

    @property
    def scores_answers(self) -> str | None:  # type: ignore[override]  # hangs on the order
        return "own" if self.y == "answer" else None

    @property
    def incomplete(self) -> str | None:
        if self.sub_model == "both":
            return None
        return (
            f"is half a pipeline, its {self.sub_model.upper()}-model; join it: vqapg checkpoint "
            "X_FOLDER Y_FOLDER --output FILE"
        )

    def _both(self) -> tuple[ImageToText, ImageAndTextToText]:
        if self.x_model is None or self.y_model is None:
            raise InputError(f"the model {self.incomplete}")
        return self.x_model, self.y_model

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
        texts = {"question": question, "answer": answer}
        x, y = texts[self.x], texts[self.y]
        outputs: dict[str, TextOutput] = {}
        if self.x_model is not None:
            outputs[self.x] = self.x_model(
                features, image_index, x, noise_keys, latent_from, regions_real
            )
        if self.y_model is not None:
            outputs[self.y] = self.y_model(
                features, image_index, x, y, noise_keys, latent_from, regions_real
            )
        return PairOutput.of_texts(outputs, {text: texts[text] for text in outputs})

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
        x_model, y_model = self._both()
        if given is not None:
            found = y_model.generate(
                features,
                image_index,
                given,
                noise_keys,
                search,
                latent_temperature,
                regions_real,
                refine,
            )
            return [[{self.y: y} for y in hypotheses] for hypotheses in found]
        found = x_model.generate(
            features, image_index, noise_keys, search, latent_temperature, regions_real, refine
        )
        predicted = [(row, x) for row, hypotheses in enumerate(found) for x in hypotheses[:nbest]]
        rows = [row for row, _ in predicted]
        given = pad_sequence(
            [x.tokens for _, x in predicted], batch_first=True, padding_value=self.padding
        )
        found = y_model.generate(
            features,
            image_index[rows],
            given,
            noise_keys[rows],
            search,
            latent_temperature,
            regions_real,
            refine,
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
