"""The parts that all models are made of, each at the sizes of a model's configuration."""

from fairseq.data import Dictionary
from torch import nn

from vqapg.models.vqapg_model import (
    GenerationModelConfig,
    LatentConfig,
    ModelConfig,
    TrainingFeatures,
)
from vqapg.modules.image_encoder import ImageEncoder
from vqapg.modules.latent import LatentVariable
from vqapg.modules.noise import Stream
from vqapg.modules.region_scaling import RegionScaling
from vqapg.modules.text_decoder import SpecialTokens, TextDecoder
from vqapg.modules.text_encoder import TextEncoder
from vqapg.tokens import SEPARATOR


def special_tokens(dictionary: Dictionary) -> SpecialTokens:
    return SpecialTokens(
        dictionary.eos(), dictionary.pad(), dictionary.unk(), dictionary.index(SEPARATOR)
    )


def image_encoder(cfg: ModelConfig, features: TrainingFeatures) -> ImageEncoder:
    return ImageEncoder(features.mean, features.std, cfg.embed_dim, cfg.hidden_size, cfg.dropout)


def embedding(cfg: ModelConfig, dictionary: Dictionary) -> nn.Embedding:
    return nn.Embedding(len(dictionary), cfg.embed_dim, padding_idx=dictionary.pad())


def text_encoder(cfg: ModelConfig, embedding: nn.Embedding) -> TextEncoder:
    return TextEncoder(embedding, cfg.hidden_size, cfg.dropout)


def encoder_embedding(
    cfg: GenerationModelConfig, dictionary: Dictionary, decoders: nn.Embedding
) -> nn.Embedding:
    """What text encoders read: the embedding of the *decoders*, or one of their own."""
    return embedding(cfg, dictionary) if cfg.separate_text_encoders else decoders


def text_decoder(
    cfg: ModelConfig,
    text: str,
    dictionary: Dictionary,
    embedding: nn.Embedding,
    variational: bool,
    reads_text: bool = False,
) -> TextDecoder:
    """The decoder of *text*: "question", "answer", or "pair" where one decoder says both."""
    return TextDecoder(
        text,
        special_tokens(dictionary),
        embedding,
        memory_dim=cfg.hidden_size,
        dim=cfg.decoder_hidden_size or cfg.hidden_size,
        latent_dim=cfg.latent_dim if variational else None,
        reads_text=reads_text,
        dropout=cfg.dropout,
        word_dropout=cfg.word_dropout,
    )


def latent_variable(cfg: LatentConfig, stream: Stream) -> LatentVariable:
    scaling = None
    if cfg.region_scaling:
        scaling = RegionScaling(
            cfg.latent_dim,
            cfg.hidden_size,
            cfg.dropout,
            cfg.region_scaling_factor,
            str(cfg.region_scaling_scores),
            str(cfg.region_scaling_map),
        )
    return LatentVariable(cfg.latent_dim, scaling, stream, cfg.scaled_start)
