"""Flags of fairseq that a model of pairs cannot follow. They are refused, not ignored."""

import dataclasses
from typing import Any

from fairseq.dataclass.configs import GenerationConfig

from vqapg.errors import InputError

# The fields of fairseq's GenerationConfig that are followed. Every other must keep its default.
FOLLOWED = {
    "_name",
    "beam",
    "nbest",
    "max_len_b",
    "min_len",
    "unnormalized",
    "lenpen",
    "unkpen",
    "temperature",
    "sampling",
    "sampling_topk",
    "sampling_topp",
}
UNFOLLOWED = {
    field.name: field.default
    for field in dataclasses.fields(GenerationConfig)
    if field.name not in FOLLOWED
}
# Other sections of the configuration: {section: {field: its default}}, and what to do instead.
ELSEWHERE: dict[str, tuple[dict[str, Any], str]] = {
    "dataset": ({"num_shards": 1, "shard_id": 0}, "fairseq-generate always makes the whole split"),
    "common_eval": ({"post_process": None}, "pairs have no subwords to join"),
    "common": ({"bf16": False, "amp": False, "tpu": False}, "generation follows --fp16 only"),
}
# Sections that fairseq leaves empty unless their flag is given
PARTS = {"bpe": "--bpe", "tokenizer": "--tokenizer"}


def refuse_generation_flags(options: Any) -> None:
    """Raises InputError on a flag of fairseq's generation that has no meaning for pairs.

    Args:
        options: fairseq's ``GenerationConfig``, or what has some of its fields
    """
    for name, default in UNFOLLOWED.items():
        if getattr(options, name, default) not in (default, None):
            raise InputError(
                f"{_flag(name)} has no meaning for question-answer pairs; leave it out"
            )


def refuse_inference_flags(cfg: Any) -> None:
    """Raises InputError on a flag of fairseq-generate, and on fairseq-interactive as a whole.

    Args:
        cfg: fairseq's whole configuration
    """
    # fairseq-interactive sets a buffer of at least one line; fairseq-generate leaves it at none.
    if cfg.interactive is not None and cfg.interactive.buffer_size > 0:
        raise InputError(
            "fairseq-interactive reads texts, and pairs are made from images; use vqapg sample"
        )
    refuse_generation_flags(cfg.generation)
    for section, (fields, instead) in ELSEWHERE.items():
        for name, default in fields.items():
            if getattr(cfg[section], name) != default:
                raise InputError(
                    f"{_flag(name)} is not followed by this plugin: {instead}; leave it out"
                )
    for section, flag in PARTS.items():
        if cfg[section] is not None:
            raise InputError(
                f"{flag} is not followed by this plugin: pairs are made of whole words; leave"
                " it out"
            )
    if cfg.scoring is not None and cfg.scoring._name not in (None, "bleu"):
        raise InputError(
            "--scoring has no single reference to compare a pair with; use vqapg evaluate"
        )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
