"""How many parameters each model has: parameters.json, for Table 10."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from fairseq.data import Dictionary
from fairseq.models import MODEL_DATACLASS_REGISTRY, MODEL_REGISTRY

import vqapg.models  # noqa: F401  registers the models
from vqapg.models.vqapg_model import FEATURE_IDENTITY
from vqapg.reports.paper import MODELS
from vqapg.tokens import SEPARATOR

# Entries of the dictionary that Table 10 fits, and ResNet-50's channels.
WORDS, CHANNELS = 8650, 2048
# Ours (section 5.3: every representation is 512 wide, 256 a direction), and what
# configs/preset/published.yaml says of the models' sizes.
SIZES = {
    "512 wide": {"hidden_size": 512},
    "published sizes": {
        "hidden_size": 1024,
        "decoder_hidden_size": 512,
        "embed_dim": 300,
        "separate_text_encoders": True,
        "region_scaling_map": "linear",
    },
}


def count_parameters(name: str, **sizes: object) -> int:
    """Of the model ``vqapg_<name>``; the CNN, which is frozen and no part of it, is not counted.

    Args:
        name: as in :data:`~vqapg.reports.paper.MODELS`
        sizes: fields of its configuration; those that it lacks are left out, as a baseline has no
            region scaling
    """
    dictionary = Dictionary()
    for number in range(WORDS - len(dictionary) - 1):
        dictionary.add_symbol(str(number))
    dictionary.add_symbol(SEPARATOR)
    features = SimpleNamespace(
        path=Path("features.h5"),
        mean=np.zeros(CHANNELS),
        std=np.ones(CHANNELS),
        source=dict.fromkeys(FEATURE_IDENTITY, "none"),
    )
    config = MODEL_DATACLASS_REGISTRY[f"vqapg_{name}"]
    known = {field.name for field in dataclasses.fields(config)}
    cfg = config(**{key: value for key, value in sizes.items() if key in known})
    model = MODEL_REGISTRY[f"vqapg_{name}"](cfg, dictionary, features)
    return sum(parameter.numel() for parameter in model.parameters())


def count_all() -> dict[str, Any]:
    """What parameters.json holds: every model of Table 10 at both sizes."""
    return {
        "words": WORDS,
        "channels": CHANNELS,
        "sizes": SIZES,
        "parameters": {
            size: {name: count_parameters(name, **widths) for name in MODELS}
            for size, widths in SIZES.items()
        },
    }
