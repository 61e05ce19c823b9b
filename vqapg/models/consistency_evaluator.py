"""The consistency evaluator, section 4.6."""

import torch
from fairseq.data import Dictionary
from fairseq.models import register_model
from torch import Tensor

from vqapg.models import parts
from vqapg.models.vqapg_model import ModelConfig, TrainingFeatures, VQAPGModel
from vqapg.modules.attention import TextImageAttention
from vqapg.modules.mlp import MLP


@register_model("vqapg_consistency", dataclass=ModelConfig)
class ConsistencyModel(VQAPGModel):
    """s = sigmoid(M o f(h_Q (+) h_A, h)): equation 6."""

    def __init__(
        self, cfg: ModelConfig, dictionary: Dictionary, features: TrainingFeatures
    ) -> None:
        super().__init__(cfg, dictionary, features)
        dim = cfg.hidden_size
        self.image_encoder = parts.image_encoder(cfg, features)
        self.embedding = parts.embedding(cfg, dictionary)
        self.text_encoder = parts.text_encoder(cfg, self.embedding)
        self.attention = TextImageAttention(2 * dim, dim, cfg.dropout)
        self.score = MLP(dim, dim, 1, cfg.dropout)

    def forward(
        self, features: Tensor, question: Tensor, answer: Tensor, triples: Tensor
    ) -> Tensor:
        """The logits of triples. The score s is their sigmoid.

        Each image and each text is encoded once, however many triples it stands in.

        Args:
            features: of the distinct images
            question, answer: ended and padded
            triples: rows of features, question and answer to judge together

        Shape:
            features ``[U, R, C]``, question and answer ``[B, T]``, triples ``[M, 3]`` -> ``[M]``
        """
        regions, question, answer = (
            encoded[rows]
            for encoded, rows in zip(
                (
                    self.image_encoder(features),
                    self.text_encoder(question).sequence,
                    self.text_encoder(answer).sequence,
                ),
                triples.unbind(dim=1),
            )
        )
        fused = self.attention(torch.cat([question, answer], dim=-1), regions)
        logits: Tensor = self.score(fused).squeeze(1)
        return logits
