"""The parts that all models are made of, each at the sizes of a model's configuration."""

from torch import nn

from vqapg.modules.image_encoder import ImageEncoder
from vqapg.modules.latent import LatentVariable
from vqapg.modules.text_decoder import SpecialTokens, TextDecoder
from vqapg.modules.text_encoder import TextEncoder
from vqapg.tokens import SEPARATOR


def special_tokens(dictionary):
    return SpecialTokens(
        dictionary.eos(), dictionary.pad(), dictionary.unk(), dictionary.index(SEPARATOR)
    )


def image_encoder(cfg, features):
    return ImageEncoder(features.mean, features.std, cfg.embed_dim, cfg.hidden_size, cfg.dropout)


def embedding(cfg, dictionary):
    return nn.Embedding(len(dictionary), cfg.embed_dim, padding_idx=dictionary.pad())


def text_encoder(cfg, embedding):
    return TextEncoder(embedding, cfg.hidden_size, cfg.dropout)


def text_decoder(cfg, text, dictionary, embedding, variational, reads_text=False):
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


def latent_variable(cfg, stream):
    return LatentVariable(cfg.latent_dim, cfg.hidden_size, cfg.region_scaling, stream, cfg.dropout)
