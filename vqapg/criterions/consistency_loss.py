"""Training of the consistency evaluator: mean square error to 1 and 0 (section 4.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import FairseqDataclass
from fairseq.logging import metrics
from torch import Tensor

from vqapg.models.consistency_evaluator import ConsistencyModel


@dataclass
class ConsistencyCriterionConfig(FairseqDataclass):
    pass


@register_criterion("vqapg_consistency", dataclass=ConsistencyCriterionConfig)
class ConsistencyCriterion(FairseqCriterion):
    """Sum over triples of (s - label)^2; fairseq divides by the number of triples."""

    def forward(
        self, model: ConsistencyModel, sample: dict[str, Any], reduce: bool = True
    ) -> tuple[Tensor, int, dict[str, Any]]:
        labels = sample["labels"]
        scores = torch.sigmoid(model(**sample["net_input"]).float())
        loss = (scores - labels).pow(2).sum()
        right = (scores > 0.5) == (labels > 0.5)
        positive = labels > 0.5
        logging_output = {
            "loss": loss.detach(),
            "ntokens": sample["ntokens"],
            "nsentences": sample["nsentences"],
            "sample_size": labels.numel(),
            "positives": positive.sum(),
            "right_positives": (right & positive).sum(),
            "right_negatives": (right & ~positive).sum(),
        }
        return loss, labels.numel(), logging_output

    @classmethod
    def reduce_metrics(cls, logging_outputs: Sequence[dict[str, Any]]) -> None:
        """``loss`` a triple, and accuracy in percent: over all, positives only, negatives only."""
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

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        return True
