"""The training objective: negative ELBO with free bits (Table 1, section 5.3), plus attention alignment."""

import math
from dataclasses import dataclass, field

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.logging import metrics
from torch.nn import functional as F

from vqapg.criterions.alignment import attention_alignment
from vqapg.errors import InputError
from vqapg.modules.latent import kl_divergence


@dataclass
class ElboConfig(FairseqDataclass):
    kl_free_bits: float = field(
        default=5.0, metadata={"help": "free bits of the KL term, nats a pair (paper: 5)"}
    )
    free_bits_mode: ChoiceEnum(["train-prior", "paper"]) = field(
        default="train-prior",
        metadata={
            "help": "paper: max(KL, free bits), which stops training prior and posterior below the threshold; "
            "train-prior: free bits hold the posterior only, the prior is always trained"
        },
    )
    attention_alignment_weight: float = field(
        default=0.5, metadata={"help": "lambda of the attention alignment term (paper, equation 4)"}
    )
    attention_alignment_free_bits: float = field(
        default=0.03, metadata={"help": "free bits of the attention alignment term (paper, section 5.3)"}
    )


def text_nll(logits, target, padding):
    """Negative log-likelihood of each text in nats, summed over its real tokens: ``[B, T, V], [B, T] -> [B]``."""
    nll = F.cross_entropy(
        logits.transpose(1, 2).float(), target, ignore_index=padding, reduction="none"
    )
    return nll.sum(dim=1)


def kl_term(posterior, prior, free_bits, mode):
    """The KL term that is optimised, a pair ``[B]``, and the plain KL(posterior || prior) ``[B]``.

    "paper" is max(KL, free bits). Below the threshold it trains neither network, so the prior never learns where
    the posterior goes; "train-prior" therefore is max(KL(q || sg(p)), free bits) + KL(sg(q) || p), sg without
    gradient. Above the threshold both have the same gradient; the value is larger by KL, which is why KL and ELBO
    are reported from the plain KL.
    """
    kl = kl_divergence(posterior, prior)
    if mode == "paper":
        return kl.clamp(min=free_bits), kl
    held_posterior = kl_divergence(posterior, prior.detach()).clamp(min=free_bits)
    return held_posterior + kl_divergence(posterior.detach(), prior), kl


@register_criterion("vqapg_elbo", dataclass=ElboConfig)
class ElboCriterion(FairseqCriterion):
    """Sum over pairs of NLL + KL term + alignment term, in nats; fairseq divides by the number of pairs.

    A pair's terms depend on that pair alone, so neither the batch it stands in nor data parallelism changes them.

    Raises:
        InputError: on a negative weight or negative free bits
    """

    def __init__(self, cfg, task):
        super().__init__(task)
        for name in ("kl_free_bits", "attention_alignment_weight", "attention_alignment_free_bits"):
            if not 0 <= getattr(cfg, name) < math.inf:
                raise InputError(f"--{name.replace('_', '-')} must be at least 0, not {getattr(cfg, name)}")
        self.cfg = cfg

    def forward(self, model, sample, reduce=True):
        output = model(**sample["net_input"])
        targets = {name: sample["net_input"][name] for name in output.logits}
        nll = {name: text_nll(output.logits[name], targets[name], self.padding_idx) for name in targets}
        loss = torch.stack(list(nll.values())).sum(dim=0)
        sums = {f"nll_{name}": value for name, value in nll.items()}

        for posterior, prior in output.latents.values():
            term, kl = kl_term(posterior, prior, self.cfg.kl_free_bits, self.cfg.free_bits_mode)
            loss = loss + term
            sums["kl"] = sums.get("kl", 0) + kl
            sums["kl_clamped"] = sums.get("kl_clamped", 0) + kl.clamp(min=self.cfg.kl_free_bits)

        if output.attention and self.cfg.attention_alignment_weight > 0:
            alignment = attention_alignment(
                output.attention["question"],
                targets["question"].ne(self.padding_idx),
                output.attention["answer"],
                targets["answer"].ne(self.padding_idx),
            )
            held = alignment.clamp(min=self.cfg.attention_alignment_free_bits)
            loss = loss + self.cfg.attention_alignment_weight * held
            sums["alignment"] = alignment

        if output.latents and not model.training:
            under_prior = model(**sample["net_input"], latent_from="prior")
            for name, target in targets.items():
                sums[f"nll_{name}_prior"] = text_nll(under_prior.logits[name], target, self.padding_idx)

        loss = loss.sum()
        logging_output = {
            "loss": loss.detach(),
            "ntokens": sample["ntokens"],
            "nsentences": sample["nsentences"],
            "sample_size": sample["nsentences"],
            **{name: value.detach().sum() for name, value in sums.items()},
        }
        return loss, sample["nsentences"], logging_output

    @classmethod
    def reduce_metrics(cls, logging_outputs):
        """Per-pair means in nats (``loss``, ``nll_*``, ``kl``, ``elbo``) and per-token perplexities, logged only."""
        first = logging_outputs[0]
        totals = {name: float(sum(log[name] for log in logging_outputs)) for name in first}
        pairs = totals["nsentences"]
        for name in totals:
            if name not in ("ntokens", "nsentences", "sample_size"):
                metrics.log_scalar(name, totals[name] / pairs, pairs, round=3)
        nll = sum(
            value for name, value in totals.items() if name.startswith("nll_") and not name.endswith("_prior")
        )
        metrics.log_scalar("elbo", -(nll + totals.get("kl", 0)) / pairs, pairs, round=3)
        metrics.log_scalar("nll_token", nll / totals["ntokens"], totals["ntokens"], round=4)
        metrics.log_derived("ppl", lambda meters: round(math.exp(min(meters["nll_token"].avg, 50)), 3))

    @staticmethod
    def logging_outputs_can_be_summed():
        return True
