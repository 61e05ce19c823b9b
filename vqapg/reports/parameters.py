"""How many parameters each model has: parameters.json, for Table 10."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from fairseq.data import Dictionary
from fairseq.models import MODEL_DATACLASS_REGISTRY, MODEL_REGISTRY

import vqapg.models  # noqa: F401  registers the models
from vqapg.models.vqapg_model import FEATURE_IDENTITY
from vqapg.reports.paper import MODELS
from vqapg.tokens import SEPARATOR

# Entries of the dictionary that Table 10 fits, and ResNet-50's channels.
WORDS, CHANNELS = 8650, 2048
# Ours (section 5.3: every representation is 512 wide, 256 a direction), and
# configs/size/published.yaml.
SIZES = {
    "512 wide": {"hidden_size": 512},
    "published": {"hidden_size": 1024, "decoder_hidden_size": 512},
}


def count_parameters(name, **sizes):
    """Of the model ``vqapg_<name>``; the CNN, which is frozen and no part of the model, not
    counted.
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
    cfg = MODEL_DATACLASS_REGISTRY[f"vqapg_{name}"](**sizes)
    model = MODEL_REGISTRY[f"vqapg_{name}"](cfg, dictionary, features)
    return sum(parameter.numel() for parameter in model.parameters())


def count_all():
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
