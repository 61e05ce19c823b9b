"""Training of the consistency evaluator: mean square error to 1 and 0 (section 4.6).

Two losses over answers may be added, which the paper does not have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import FairseqDataclass
from fairseq.logging import metrics
from torch import Tensor

from vqapg.criterions.answer_losses import answer_prediction_loss, contrastive_loss
from vqapg.models.consistency_evaluator import ConsistencyModel, Judgement


@dataclass
class ConsistencyCriterionConfig(FairseqDataclass):
    pass


@register_criterion("vqapg_consistency", dataclass=ConsistencyCriterionConfig)
class ConsistencyCriterion(FairseqCriterion):
    """Sum over triples of (s - label)^2; fairseq divides by the number of triples.

    The losses over answers are sums over pairs, times their weights.
    """

    def forward(
        self, model: ConsistencyModel, sample: dict[str, Any], reduce: bool = True
    ) -> tuple[Tensor, int, dict[str, Any]]:
        labels = sample["labels"]
        judgement = model(**sample["net_input"])
        scores = torch.sigmoid(judgement.logits.float())
        loss = (scores - labels).pow(2).sum()
        right = (scores > 0.5) == (labels > 0.5)
        positive = labels > 0.5
        added, counts = self._answer_losses(model, judgement, sample)
        loss = loss + added
        logging_output = {
            "loss": loss.detach(),
            "ntokens": sample["ntokens"],
            "nsentences": sample["nsentences"],
            "sample_size": labels.numel(),
            "positives": positive.sum(),
            "right_positives": (right & positive).sum(),
            "right_negatives": (right & ~positive).sum(),
            **counts,
        }
        return loss, labels.numel(), logging_output

    @staticmethod
    def _answer_losses(
        model: ConsistencyModel, judgement: Judgement, sample: dict[str, Any]
    ) -> tuple[Tensor | float, dict[str, Any]]:
        """The weighted sum of the losses over answers, and what is logged of each."""
        positive = sample["labels"] > 0.5
        added: Tensor | float = 0.0
        counts: dict[str, Any] = {}
        if judgement.answer_scores is not None:
            gold = sample["net_input"]["triples"][positive, 2]
            loss = contrastive_loss(
                judgement.answer_scores[positive], gold, sample["right_answers"]
            )
            added = added + model.contrastive_weight * loss
            counts |= {"contrastive": loss.detach()}
        if judgement.answer_logits is not None:
            loss, predicted = answer_prediction_loss(
                judgement.answer_logits[positive], sample["answer_ranks"]
            )
            added = added + model.answer_prediction_weight * loss
            counts |= {"answer_prediction": loss.detach(), "predicted": predicted}
        return added, counts

    @classmethod
    def reduce_metrics(cls, logging_outputs: Sequence[dict[str, Any]]) -> None:
        """``loss`` a triple, and accuracy in percent: over all, positives only, negatives only.

        The losses over answers are told a pair, in nats, before they are weighted.
        """
        totals = {
            name: float(sum(log[name] for log in logging_outputs)) for name in logging_outputs[0]
        }
        count, positives = totals["sample_size"], totals["positives"]
        negatives = count - positives
        metrics.log_scalar("loss", totals["loss"] / count, count, round=4)
        right = totals["right_positives"] + totals["right_negatives"]
        metrics.log_scalar("accuracy", 100 * right / count, count, round=2)
        metrics.log_scalar(
            "accuracy_positives", 100 * totals["right_positives"] / positives, positives, round=2
        )
        if negatives:
            metrics.log_scalar(
                "accuracy_negatives",
                100 * totals["right_negatives"] / negatives,
                negatives,
                round=2,
            )
        for name, counted in (("contrastive", "positives"), ("answer_prediction", "predicted")):
            if name in totals and totals[counted]:
                metrics.log_scalar(name, totals[name] / totals[counted], totals[counted], round=3)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        return True
