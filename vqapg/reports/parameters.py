"""Table 10: how many parameters each model has, beside the paper's."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from fairseq.data import Dictionary
from fairseq.models import MODEL_DATACLASS_REGISTRY, MODEL_REGISTRY

import vqapg.models  # noqa: F401  registers the models
from vqapg.models.base import FEATURE_IDENTITY
from vqapg.tokens import SEPARATOR

# Table 10, in millions.
PAPER = {
    "pipeline": 61.15,
    "pipeline_variational": 90.30,
    "joint": 36.08,
    "joint_variational": 65.82,
    "sequential": 24.46,
    "sequential_variational": 41.94,
}
# Entries of the dictionary that Table 10 fits, and ResNet-50's channels.
WORDS, CHANNELS = 8650, 2048
# Ours (section 5.3: every representation is 512 wide, 256 a direction), and configs/size/published.yaml.
SIZES = {
    "512 wide": {"hidden_size": 512},
    "published": {"hidden_size": 1024, "decoder_hidden_size": 512},
}


def millions_of_parameters(name, **sizes):
    """Of the model ``vqapg_<name>``, in millions; the CNN, which is frozen and no part of the model, not counted."""
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
    return sum(parameter.numel() for parameter in model.parameters()) / 1e6


def format_table_10():
    """Table 10 as Markdown: the paper's, and ours at both widths with the difference in percent."""
    lines = [
        f"Millions of parameters, with a dictionary of {WORDS:,} entries and features of {CHANNELS:,} channels.",
        "",
        "| model | paper | " + " | ".join(SIZES) + " |",
        "|---|---|" + "---|" * len(SIZES),
    ]
    for name, paper in PAPER.items():
        ours = (millions_of_parameters(name, **sizes) for sizes in SIZES.values())
        cells = (f"{count:.2f} ({100 * (count / paper - 1):+.0f}%)" for count in ours)
        lines.append(f"| {name} | {paper:.2f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)

