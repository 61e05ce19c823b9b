"""The consistency evaluator, section 4.6."""

import torch
from fairseq.models import register_model

from vqapg.models import parts
from vqapg.models.vqapg_model import ModelConfig, VQAPGModel
from vqapg.modules.attention import TextImageAttention
from vqapg.modules.mlp import MLP


@register_model("vqapg_consistency", dataclass=ModelConfig)
class ConsistencyModel(VQAPGModel):
    """s = sigmoid(M o f(h_Q (+) h_A, h)): equation 6."""

    def __init__(self, cfg, dictionary, features):
        super().__init__(cfg, dictionary, features)
        dim = cfg.hidden_size
        self.image_encoder = parts.image_encoder(cfg, features)
        self.embedding = parts.embedding(cfg, dictionary)
        self.text_encoder = parts.text_encoder(cfg, self.embedding)
        self.attention = TextImageAttention(2 * dim, dim, cfg.dropout)
        self.score = MLP(dim, dim, 1, cfg.dropout)

    def forward(self, features, question, answer, triples):
        """
        Args:
            features: ``[U, R, C]``
            question, answer: ``[B, T]``, ended and padded
            triples: ``[M, 3]`` rows of features, question and answer to judge together; each image and text is
                encoded once, however many triples it stands in

        Returns:
            logits ``[M]``; the score s is their sigmoid
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
        return self.score(fused).squeeze(1)
