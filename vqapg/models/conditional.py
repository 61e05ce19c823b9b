"""VQG and VQA, section 6.6: the Y-model of the baseline pipeline alone, one half of a pair from the
other.
"""

from dataclasses import dataclass, field

from fairseq.data import Dictionary
from fairseq.models import register_model
from torch import Tensor

from vqapg.models.generation_model import GenerationModel
from vqapg.models.hypothesis import Search, Texts
from vqapg.models.image_and_text_to_text import ImageAndTextToText
from vqapg.models.output import PairOutput
from vqapg.models.vqapg_model import GenerationModelConfig, TrainingFeatures
from vqapg.modules.latent import Gaussian
from vqapg.modules.noise import NoiseKeys


@dataclass
class ConditionalConfig(GenerationModelConfig):
    blind: bool = field(
        default=False,
        metadata={
            "help": "never see the image: all images look like the mean one; tells how much the "
            "words alone give away"
        },
    )


class ConditionalModel(GenerationModel):
    """P(Y | I, X) with the gold X, in training and in generation. A model says what ``text`` and
    ``given`` are.

    A blind one is P(Y | X), with all else equal: the features of every image are the mean over the
    training images, which is 0 once standardised.
    """

    text: str
    given: str

    def __init__(
        self, cfg: ConditionalConfig, dictionary: Dictionary, features: TrainingFeatures
    ) -> None:
        super().__init__(cfg, dictionary, features)
        self.model = ImageAndTextToText(cfg, dictionary, features, self.text, variational=False)
        self.blind = cfg.blind

    def _seen(self, features: Tensor) -> Tensor:
        return self.model.image_encoder.feature_mean.expand_as(features) if self.blind else features

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
        output = self.model(
            self._seen(features),
            image_index,
            texts[self.given],
            texts[self.text],
            noise_keys,
            latent_from,
            regions_real,
        )
        return PairOutput.of_texts({self.text: output}, {self.text: texts[self.text]})

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
        if given is None:
            raise ValueError(f"{type(self).__name__} needs the {self.given} that is given")
        found = self.model.generate(
            self._seen(features),
            image_index,
            given,
            noise_keys,
            search,
            latent_temperature,
            regions_real,
            refine,
        )
        return [[{self.text: hypothesis} for hypothesis in hypotheses] for hypotheses in found]


@register_model("vqapg_vqg", dataclass=ConditionalConfig)
class VQGModel(ConditionalModel):
    """Visual question generation: P(Q | I, A)."""

    text, given = "question", "answer"


@register_model("vqapg_vqa", dataclass=ConditionalConfig)
class VQAModel(ConditionalModel):
    """Visual question answering: P(A | I, Q)."""

    text, given = "answer", "question"
    scores_answers = "own"
