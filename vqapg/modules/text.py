"""Texts as padded rows of tokens, ``[B, T]``: what decoders read and are trained to say."""

import torch
from torch import Tensor

from vqapg.modules.noise import NoiseKeys, Stream, uniform


def shift_right(target: Tensor, first_token: int, padding: int) -> Tensor:
    """Decoder input for teacher forcing: *first_token*, then the target without its last token.

    Args:
        target: ``[B, T]``, each row ends in an end-of-sentence token, then padding
        first_token: what stands before the text; fairseq's convention is end-of-sentence
        padding: index of padding; the end-of-sentence token is never an input again

    Shape: ``[B, T] -> [B, T]``.
    """
    previous = target.roll(1, dims=1)
    previous[:, 0] = first_token
    # Behind a shorter text stands its end-of-sentence token, which belongs to no prediction: make
    # it padding too.
    return previous.masked_fill(target.eq(padding), padding)


def concatenate(first: Tensor, second: Tensor, separator: int, padding: int) -> Tensor:
    """T = first <sep> second (section 4.4): the separator takes the place of the first text's end.

    Args:
        first, second: each row ended, then padded
        separator, padding: their indices

    Shape: ``[B, m], [B, n] -> [B, T]``, as wide as its longest row.
    """
    first_lengths, second_lengths = (
        text.ne(padding).sum(dim=1, keepdim=True) for text in (first, second)
    )
    joined = first.new_full((len(first), first.size(1) + second.size(1)), padding)
    joined[:, : first.size(1)] = first
    joined.scatter_(1, first_lengths - 1, separator)
    # Each row of the second text begins where the first one of that row ended.
    joined.scatter_(1, first_lengths + torch.arange(second.size(1), device=first.device), second)
    return joined[:, : int((first_lengths + second_lengths).max())]


def drop_words(
    previous: Tensor,
    noise_keys: NoiseKeys,
    stream: Stream,
    probability: float,
    unknown: int,
    padding: int,
) -> Tensor:
    """Word dropout: each input token but the first becomes the unknown word with *probability*.

    A decoder that cannot lean on the words before must read z. Source: Bowman et al. 2016, section
    3.1.1, https://aclanthology.org/K16-1002.

    Shape: ``[B, T] -> [B, T]``.
    """
    drop = uniform(noise_keys, previous.size(1), stream).to(previous.device) < probability
    drop[:, 0] = False
    return previous.masked_fill(drop & previous.ne(padding), unknown)
