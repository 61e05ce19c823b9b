"""The consistency evaluator, section 4.6, and what may be added to it so that it looks more."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from fairseq.data import Dictionary
from fairseq.models import register_model
from torch import Tensor, nn

from vqapg.errors import InputError
from vqapg.models import parts
from vqapg.models.vqapg_model import ModelConfig, TrainingFeatures, VQAPGModel
from vqapg.modules.attention import TextImageAttention
from vqapg.modules.mlp import MLP
from vqapg.modules.regions import select_real, share_regions


@dataclass
class EvaluatorConfig(ModelConfig):
    """The defaults are the paper's evaluator.

    The weights of losses stand here, for they decide which parts the model has.
    """

    question_attention: bool = field(
        default=False,
        metadata={
            "help": "the question alone attends over the regions too; what it finds, times the "
            "answer, goes into the score (not in the paper)"
        },
    )
    contrastive_weight: float = field(
        default=0.0,
        metadata={
            "help": "weight of a loss that picks a pair's answer among those of the batch; above "
            "0, the score has a term that compares the answer with what the question finds in the "
            "image (not in the paper)"
        },
    )
    answer_prediction_weight: float = field(
        default=0.0,
        metadata={
            "help": "weight of a loss that predicts a pair's answer from question and image, "
            "among the --answer-classes most frequent ones (not in the paper)"
        },
    )
    answer_classes: int = field(
        default=500,
        metadata={"help": "how many answers --answer-prediction-weight tells apart"},
    )


class Judgement(NamedTuple):
    """What the evaluator says of triples.

    Attributes:
        logits: ``[M]``; the score s is their sigmoid
        answer_scores: ``[M, A]``, how well each distinct answer fits the triple's image and
            question; None without ``--contrastive-weight``
        answer_logits: ``[M, K]``, over the most frequent answers; None without
            ``--answer-prediction-weight``
    """

    logits: Tensor
    answer_scores: Tensor | None = None
    answer_logits: Tensor | None = None


@register_model("vqapg_consistency", dataclass=EvaluatorConfig)
class ConsistencyModel(VQAPGModel):
    """s = sigmoid(M o f(h_Q (+) h_A, h)): equation 6.

    There, question and answer attend over the regions together. What is added beyond the paper is
    made of g = f(h_Q, h), where the question attends alone, as in VQA:

    - ``--question-attention``: M reads g * (W h_A) too, a product a channel, after
      https://arxiv.org/abs/1707.07998
    - ``--contrastive-weight``: g . (V h_A) is added to the logit. It is a product of two vectors,
      so that each image and question is compared with all answers of the batch at once
    - ``--answer-prediction-weight``: an MLP of g predicts the answer, and the score is as before

    Raises:
        InputError: on weights and sizes that cannot be
    """

    def __init__(
        self, cfg: EvaluatorConfig, dictionary: Dictionary, features: TrainingFeatures
    ) -> None:
        super().__init__(cfg, dictionary, features)
        _check(cfg)
        dim = cfg.hidden_size
        self.contrastive_weight = cfg.contrastive_weight
        self.answer_prediction_weight = cfg.answer_prediction_weight
        self.image_encoder = parts.image_encoder(cfg, features)
        self.embedding = parts.embedding(cfg, dictionary)
        self.text_encoder = parts.text_encoder(cfg, self.embedding)
        self.attention = TextImageAttention(2 * dim, dim, cfg.dropout)
        self.score = MLP(2 * dim if cfg.question_attention else dim, dim, 1, cfg.dropout)
        looks = bool(
            cfg.question_attention or cfg.contrastive_weight or cfg.answer_prediction_weight
        )
        self.question_attention = TextImageAttention(dim, dim, cfg.dropout) if looks else None
        self.gate = nn.Linear(dim, dim) if cfg.question_attention else None
        self.match = nn.Linear(dim, dim) if cfg.contrastive_weight else None
        self.predict = None
        if cfg.answer_prediction_weight:
            self.predict = MLP(dim, dim, cfg.answer_classes, cfg.dropout)

    def forward(
        self,
        features: Tensor,
        question: Tensor,
        answer: Tensor,
        triples: Tensor,
        regions_real: Tensor | None = None,
    ) -> Judgement:
        """Judges triples.

        Each image and each text is encoded once, however many triples it stands in.

        Args:
            features: of the distinct images
            question, answer: ended and padded
            triples: rows of features, question and answer to judge together
            regions_real: False on padding behind an image's own regions; None where there is none

        Shape:
            features ``[U, R, C]``, question ``[B, T]``, answer ``[A, T]``, triples ``[M, 3]``,
            regions_real ``[U, R]``
        """
        image_row, question_row, answer_row = triples.unbind(dim=1)
        regions = share_regions(self.image_encoder(features, regions_real), image_row)
        real = select_real(regions_real, image_row)
        questions = self.text_encoder(question).sequence[question_row]
        distinct_answers = self.text_encoder(answer).sequence
        answers = distinct_answers[answer_row]
        fused = self.attention(torch.cat([questions, answers], dim=-1), regions, real)
        if self.question_attention is None:
            return Judgement(self.score(fused).squeeze(1))
        found = self.question_attention(questions, regions, real)
        if self.gate is not None:
            fused = torch.cat([fused, found * self.gate(answers)], dim=-1)
        logits, answer_scores = self.score(fused).squeeze(1), None
        if self.match is not None:
            # [M, D] x [D, A]
            answer_scores = found @ self.match(distinct_answers).t()
            logits = logits + answer_scores.gather(1, answer_row.unsqueeze(1)).squeeze(1)
        answer_logits = None if self.predict is None else self.predict(found)
        return Judgement(logits, answer_scores, answer_logits)


def _check(cfg: EvaluatorConfig) -> None:
    for name in ("contrastive_weight", "answer_prediction_weight"):
        if not 0 <= getattr(cfg, name) < math.inf:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(f"{flag} must be at least 0 and finite, not {getattr(cfg, name)}")
    if cfg.answer_classes < 1:
        raise InputError(f"--answer-classes must be at least 1, not {cfg.answer_classes}")
