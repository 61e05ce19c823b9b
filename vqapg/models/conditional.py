"""VQG and VQA, section 6.6: the Y-model of the baseline pipeline alone, one half of a pair from the other."""

from fairseq.models import register_model

from vqapg.models.base import GenerationModelConfig
from vqapg.models.generation import GenerationModel
from vqapg.models.image_and_text_to_text import ImageAndTextToText
from vqapg.models.output import PairOutput


class ConditionalModel(GenerationModel):
    """P(Y | I, X) with the gold X, in training and in generation. A model says what ``text`` and ``given`` are."""

    text = None

    def __init__(self, cfg, dictionary, features):
        super().__init__(cfg, dictionary, features)
        self.model = ImageAndTextToText(cfg, dictionary, features, self.text, variational=False)

    def forward(self, features, image_index, question, answer, noise_keys, latent_from="posterior"):
        texts = {"question": question, "answer": answer}
        output = self.model(
            features, image_index, texts[self.given], texts[self.text], noise_keys, latent_from
        )
        return PairOutput.of_texts({self.text: output}, {self.text: texts[self.text]})

    def generate(self, features, image_index, noise_keys, search, nbest=1, latent_temperature=1.0, given=None):
        found = self.model.generate(features, image_index, given, noise_keys, search, latent_temperature)
        return [[{self.text: hypothesis} for hypothesis in hypotheses] for hypotheses in found]


@register_model("vqapg_vqg", dataclass=GenerationModelConfig)
class VQGModel(ConditionalModel):
    """Visual question generation: P(Q | I, A)."""

    text, given = "question", "answer"


@register_model("vqapg_vqa", dataclass=GenerationModelConfig)
class VQAModel(ConditionalModel):
    """Visual question answering: P(A | I, Q)."""

    text, given = "answer", "question"
