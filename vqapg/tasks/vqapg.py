"""The task ``vqapg``: question-answer pairs from an image (section 3)."""

import math
from dataclasses import dataclass, field
from typing import Any

from fairseq.dataclass.configs import GenerationConfig as FairseqGenerationConfig
from fairseq.logging import metrics
from fairseq.tasks import register_task

from vqapg.data.pair_dataset import PairDataset
from vqapg.errors import InputError
from vqapg.generation.pair_generator import PairGenerator
from vqapg.models.generation_model import GenerationModel
from vqapg.tasks.data_task import DataConfig, DataDirectoryTask
from vqapg.tokens import SEPARATOR


@dataclass
class GenerationConfig(DataConfig):
    latent_temperature: float = field(
        default=1.0,
        metadata={
            "help": "in generation, scales the prior's standard deviation; 0: z is the prior's mean"
        },
    )
    refine: int = field(
        default=0,
        metadata={
            "help": "in generation, decode, take for z the mean of its posterior given what was "
            "decoded, and decode again, so many times; each costs as much as decoding once. More "
            "of a joint model's pairs are right, and somewhat fewer differ"
        },
    )
    rescore: int = field(
        default=1,
        metadata={
            "help": "in generation, of so many draws of a pair keep the one whose answer the model "
            "finds likeliest given the image and its own question. K draws cost K decodings, up to "
            "K^2 readings of a pair, and K times the memory. More pairs are right, and fewer differ"
        },
    )
    valid_draws: int = field(
        default=10,
        metadata={
            "help": "in validation, how many pairs to draw of an image to count the distinct "
            "ones; 0: none"
        },
    )
    pairs_per_image: int = field(
        default=1,
        metadata={
            "help": "in training, up to so many pairs of an image stand together in a batch, "
            "whose region encoding they share; 1: pairs are shuffled one by one"
        },
    )


# Validation draws for every so many pairs: enough for a mean, and little beside the rest of
# validation.
DRAWN_FOR_EVERY = 50
LONGEST_DRAW = 50  # words, so that a model that has not learned to end costs no minutes


@register_task("vqapg", dataclass=GenerationConfig)
class GenerationTask(DataDirectoryTask):
    model_classes = (GenerationModel,)

    def make_dataset(self, pairs, training):
        return PairDataset(
            pairs,
            self.dictionary,
            self.read_features,
            self.cfg.seed,
            training,
            self.cfg.pairs_per_image,
        )

    def __init__(self, cfg: GenerationConfig) -> None:
        super().__init__(cfg)
        if not 0 <= cfg.latent_temperature < math.inf:
            raise InputError(
                f"--latent-temperature must be at least 0, not {cfg.latent_temperature}"
            )
        if cfg.pairs_per_image < 1:
            raise InputError(f"--pairs-per-image must be at least 1, not {cfg.pairs_per_image}")
        if cfg.valid_draws < 0:
            raise InputError(f"--valid-draws must be at least 0, not {cfg.valid_draws}")

    def valid_step(self, sample, model, criterion):
        sample = self._with_features(sample)
        loss, sample_size, logging_output = super().valid_step(sample, model, criterion)
        if model.variational and self.cfg.valid_draws > 0 and not model.incomplete:
            logging_output |= self._distinct_draws(sample, model)
        return loss, sample_size, logging_output

    def _distinct_draws(self, sample, model):
        """How many different pairs the latent variables of ``--valid-draws`` draws give, each pair
        the most probable words given z; summed over every 50th pair of the split.
        """
        chosen = sample["id"].remainder(DRAWN_FOR_EVERY).eq(0).nonzero().flatten()
        distinct = 0
        if len(chosen):
            inputs = sample["net_input"] | {
                name: sample["net_input"][name][chosen]
                for name in ("image_index", "question", "answer")
            }
            inputs["noise_keys"] = inputs["noise_keys"][chosen.cpu().numpy()]
            draws = self.cfg.valid_draws
            options = FairseqGenerationConfig(
                beam=draws, nbest=draws, sampling=True, sampling_topk=1, max_len_b=LONGEST_DRAW
            )
            separator = self.dictionary.index(SEPARATOR)
            # One plain draw each, whatever generation does
            generator = PairGenerator(
                model, self.dictionary, separator, options, self.cfg.latent_temperature
            )
            found = generator.generate([model], sample | {"net_input": inputs})
            distinct = sum(
                len({tuple(h["tokens"].tolist()) for h in hypotheses}) for hypotheses in found
            )
        return {"distinct_draws": distinct, "drawn_for": len(chosen)}

    def reduce_metrics(self, logging_outputs, criterion):
        super().reduce_metrics(logging_outputs, criterion)
        drawn_for = sum(log.get("drawn_for", 0) for log in logging_outputs)
        if drawn_for:
            distinct = sum(log["distinct_draws"] for log in logging_outputs)
            metrics.log_scalar("distinct_draws", distinct / drawn_for, drawn_for, round=2)

    def build_generator(
        self,
        models: list[Any],
        args: Any,
        seq_gen_cls: Any = None,
        extra_gen_cls_kwargs: Any = None,
        **kwargs: Any,
    ) -> PairGenerator:
        """What fairseq-generate drives.

        Raises:
            InputError: on several models: a pair hangs on one model's latent variable, there is no
                ensemble of them; on half a pipeline
        """
        if len(models) > 1:
            raise InputError(
                f"--path names {len(models)} checkpoints; pairs are generated by one model at a "
                "time"
            )
        if models[0].incomplete:
            raise InputError(f"the model {models[0].incomplete}")
        return PairGenerator(
            models[0],
            self.dictionary,
            self.dictionary.index(SEPARATOR),
            args,
            self.cfg.latent_temperature,
            self.cfg.refine,
            self.cfg.rescore,
        )
