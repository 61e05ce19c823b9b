"""The training objective: negative ELBO with free bits (Table 1, section 5.3), plus attention
alignment.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.logging import metrics
from torch import Tensor
from torch.nn import functional as F

from vqapg.criterions.alignment import DIRECTIONS, attention_alignment
from vqapg.criterions.collapse import collapse_sums, gate_statistics, log_collapse
from vqapg.criterions.free_bits import HELD_OVER, kl_term, kl_weight
from vqapg.errors import InputError
from vqapg.models.generation_model import GenerationModel
from vqapg.models.output import PairOutput
from vqapg.modules.latent import kl_per_dimension
from vqapg.modules.noise import Stream, standard_normal

RECONSTRUCTIONS = ("sum", "token-mean")


@dataclass
class ElboConfig(FairseqDataclass):
    kl_free_bits: float = field(
        default=5.0, metadata={"help": "free bits of the KL term, nats a pair (paper: 5)"}
    )
    free_bits_mode: ChoiceEnum(["paper", "train-prior"]) = field(  # type: ignore[valid-type]  # a class made by fairseq
        default="paper",
        metadata={
            "help": "paper: max(KL, free bits), which stops training prior and posterior below "
            "the threshold; train-prior (ours): free bits hold the posterior only, the prior is "
            "always trained"
        },
    )
    free_bits_over: ChoiceEnum(list(HELD_OVER)) = field(  # type: ignore[valid-type]
        default="pair",
        metadata={
            "help": "what the free bits hold: each pair (paper); each dimension of each pair, "
            "which gets its even share of them; the mean over the batch"
        },
    )
    kl_warmup_updates: int = field(
        default=0,
        metadata={
            "help": "the KL term's weight rises from 0 to 1 over this many updates; 0: it is 1"
        },
    )
    kl_cycle_updates: int = field(
        default=0,
        metadata={
            "help": "the rise begins anew every so many updates (cyclical warm-up); 0: it does not"
        },
    )
    reconstruction: ChoiceEnum(list(RECONSTRUCTIONS)) = field(  # type: ignore[valid-type]
        default="sum",
        metadata={
            "help": "sum: the log-likelihood, summed over a text's tokens (paper, Table 1); "
            "token-mean (the published code): its mean over the batch's tokens, in the joint "
            "model the mean of both texts, which makes the KL term weigh 4 to 16 times more"
        },
    )
    attention_alignment_weight: float = field(
        default=0.5,
        metadata={
            "help": "lambda of the attention alignment term (paper, equation 4); the baseline "
            "has none"
        },
    )
    attention_alignment_direction: ChoiceEnum(list(DIRECTIONS)) = field(  # type: ignore[valid-type]
        default="question-answer",
        metadata={
            "help": "question-answer: KL(question's attention || answer's) (paper, equation 4); "
            "answer-question: the other way round (the published code)"
        },
    )
    attention_alignment_free_bits: float = field(
        default=0.03,
        metadata={"help": "free bits of the attention alignment term (paper, section 5.3)"},
    )


def text_nll(logits: Tensor, target: Tensor, padding: int) -> Tensor:
    """Negative log-likelihood of each text in nats, summed over its real tokens.

    Shape: ``[B, T, V], [B, T] -> [B]``.
    """
    nll = F.cross_entropy(
        logits.transpose(1, 2).float(), target, ignore_index=padding, reduction="none"
    )
    return nll.sum(dim=1)


def token_mean(nll: Mapping[str, Tensor], tokens: Mapping[str, Tensor], parallel: bool) -> Tensor:
    """The reconstruction term of the published code, as every pair's even share.

    It is the mean over the tokens of the batch, of each text; of two texts that are decoded in
    parallel it is the mean of both, otherwise their sum.

    Args:
        nll: of each text, ``[B]``, summed over its tokens
        tokens: of each text, how many tokens the batch has
        parallel: whether one z is decoded to both texts (section 4.3)

    Shape: ``[B]``, whose mean is that term.
    """
    means = torch.stack([nll[text].sum() / tokens[text] for text in nll])
    term = means.mean() if parallel else means.sum()
    return term.expand(len(next(iter(nll.values()))))


@register_criterion("vqapg_elbo", dataclass=ElboConfig)
class ElboCriterion(FairseqCriterion):
    """Sum over pairs of NLL + KL term + alignment term, in nats; fairseq divides by the number of
    pairs.

    A pair's terms depend on that pair alone, so neither the batch it stands in nor data parallelism
    changes them. ``--free-bits-over batch`` and ``--reconstruction token-mean`` are made of the
    batch.

    Raises:
        InputError: on a negative weight, negative free bits, or a warm-up longer than its cycle
    """

    def __init__(self, cfg: ElboConfig, task: Any) -> None:
        super().__init__(task)
        for name in (
            "kl_free_bits",
            "kl_warmup_updates",
            "kl_cycle_updates",
            "attention_alignment_weight",
            "attention_alignment_free_bits",
        ):
            if not 0 <= getattr(cfg, name) < math.inf:
                raise InputError(
                    f"--{name.replace('_', '-')} must be at least 0, not {getattr(cfg, name)}"
                )
        if cfg.kl_cycle_updates and not 0 < cfg.kl_warmup_updates <= cfg.kl_cycle_updates:
            raise InputError(
                f"--kl-cycle-updates {cfg.kl_cycle_updates} needs a --kl-warmup-updates of 1 to "
                f"as many, not {cfg.kl_warmup_updates}"
            )
        self.cfg = cfg

    def forward(
        self, model: GenerationModel, sample: dict[str, Any], reduce: bool = True
    ) -> tuple[Tensor, int, dict[str, Any]]:
        output: PairOutput = model(**sample["net_input"])
        nll = {
            text: text_nll(output.logits[text], output.targets[text], self.padding_idx)
            for text in output.logits
        }
        tokens = {
            text: target.ne(self.padding_idx).sum() for text, target in output.targets.items()
        }
        if str(self.cfg.reconstruction) == "sum":
            loss = torch.stack(list(nll.values())).sum(dim=0)
        else:
            loss = token_mean(nll, tokens, model.parallel)
        sums = {f"nll_{text}": value for text, value in nll.items()}
        totals: dict[str, Tensor] = {}

        # Validation is comparable over the whole training.
        weight = 1.0
        if model.training:
            weight = kl_weight(
                model.num_updates, self.cfg.kl_warmup_updates, self.cfg.kl_cycle_updates
            )
        for text, (posterior, prior) in output.latents.items():
            loss = loss + kl_term(
                posterior,
                prior,
                self.cfg.kl_free_bits,
                self.cfg.free_bits_mode,
                self.cfg.free_bits_over,
                weight,
            )
            per_dimension = kl_per_dimension(posterior, prior)
            # A pipeline has two, each with an objective of its own.
            suffix = f"_{text}" if len(output.latents) > 1 else ""
            sums[f"kl{suffix}"] = per_dimension.sum(dim=1)
            sums[f"kl_clamped{suffix}"] = HELD_OVER[self.cfg.free_bits_over](
                per_dimension, self.cfg.kl_free_bits
            )
            if not model.training:
                inputs = sample["net_input"]
                noise = standard_normal(inputs["noise_keys"], posterior.mean.size(1), Stream.LATENT)
                collapse = collapse_sums(posterior, prior, inputs["image_index"], noise)
                totals |= {name + suffix: value for name, value in collapse.items()}

        for text, gate in output.gates.items():
            suffix = f"_{text}" if len(output.latents) > 1 else ""
            sums |= {name + suffix: value for name, value in gate_statistics(gate).items()}

        if output.attention and self.cfg.attention_alignment_weight > 0:
            alignment = attention_alignment(
                output.attention["question"],
                output.targets["question"].ne(self.padding_idx),
                output.attention["answer"],
                output.targets["answer"].ne(self.padding_idx),
                direction=str(self.cfg.attention_alignment_direction),
            )
            held = alignment.clamp(min=self.cfg.attention_alignment_free_bits)
            loss = loss + self.cfg.attention_alignment_weight * held
            sums["alignment"] = alignment

        if output.latents and not model.training:
            under_prior: PairOutput = model(**sample["net_input"], latent_from="prior")
            for text, target in output.targets.items():
                sums[f"nll_{text}_prior"] = text_nll(
                    under_prior.logits[text], target, self.padding_idx
                )

        loss = loss.sum()
        logging_output = {
            "loss": loss.detach(),
            "ntokens": sum(tokens.values()),
            "nsentences": sample["nsentences"],
            "sample_size": sample["nsentences"],
            **{name: value.detach().sum() for name, value in sums.items()},
            **{name: value.detach() for name, value in totals.items()},
        }
        return loss, sample["nsentences"], logging_output

    @classmethod
    def reduce_metrics(cls, logging_outputs: Sequence[dict[str, Any]]) -> None:
        """Per-pair means in nats (``loss``, ``nll_*``, ``kl*``, ``elbo*``), per-token perplexity,
        and what tells of collapse; logged only.
        """
        totals = {name: sum(log[name] for log in logging_outputs) for name in logging_outputs[0]}
        pairs, tokens = float(totals["nsentences"]), float(totals["ntokens"])
        texts = [
            name.removeprefix("nll_")
            for name in totals
            if name.startswith("nll_") and not name.endswith("_prior")
        ]
        for name, value in totals.items():
            if name.startswith(("loss", "nll", "kl", "alignment", "gate")):
                metrics.log_scalar(name, float(value) / pairs, pairs, round=3)
        nll = sum(float(totals[f"nll_{text}"]) for text in texts)
        for text in texts:
            if f"kl_{text}" in totals:
                elbo = -(totals[f"nll_{text}"] + totals[f"kl_{text}"])
                metrics.log_scalar(f"elbo_{text}", float(elbo) / pairs, pairs, round=3)
        kl = sum(
            float(totals[name])
            for name in ("kl", *(f"kl_{text}" for text in texts))
            if name in totals
        )
        metrics.log_scalar("elbo", -(nll + kl) / pairs, pairs, round=3)
        under_prior = [value for name, value in totals.items() if name.endswith("_prior")]
        if under_prior:
            metrics.log_scalar("nll_prior", float(sum(under_prior)) / pairs, pairs, round=3)
        metrics.log_scalar("nll_token", nll / tokens, tokens, round=4)
        metrics.log_derived(
            "ppl", lambda meters: round(math.exp(min(meters["nll_token"].avg, 50)), 3)
        )
        log_collapse(totals, pairs)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        return True
