"""Small stand-ins that many tests share: a dictionary, features, a batch of pairs."""

import logging
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import settings

from tests.support.ray_patience import PATIENCE

# Whichever test imports ray first
os.environ.update(PATIENCE)
# One of fairseq's modules sets logging up at its lowest level unless somebody has. Lines of h5py
# would then follow the closing line of pytest.
logging.getLogger().addHandler(logging.NullHandler())

from fairseq.data import Dictionary  # noqa: E402

# They register the models and tasks, as --user-dir does.
import vqapg.tasks.vqapg  # noqa: E402
import vqapg.tasks.vqapg_consistency  # noqa: E402, F401
from tests.support.tiny_checkpoints import save_checkpoint  # noqa: E402
from vqapg.tasks.fairseq_patches import patch_fairseq  # noqa: E402
from vqapg.tokens import SEPARATOR  # noqa: E402

patch_fairseq()

# The first call into a library may take long on a busy machine; that is no failure.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

WORDS = "what color is the shape ? red blue there a circle yes no".split()


@pytest.fixture(autouse=True)
def denormals_kept():
    """A command run in this process leaves them flushed, and Hypothesis needs them."""
    torch.set_flush_denormal(False)
    yield
    torch.set_flush_denormal(False)


@pytest.fixture
def dictionary():
    dictionary = Dictionary()
    for word in [SEPARATOR, *WORDS]:
        dictionary.add_symbol(word)
    return dictionary


@pytest.fixture
def features():
    """What a model needs of a feature store: statistics and what made the features (C = 5)."""
    generator = np.random.default_rng(0)
    return SimpleNamespace(
        path=Path("data/features.h5"),
        mean=generator.normal(size=5).astype(np.float32),
        std=generator.uniform(0.5, 2, size=5).astype(np.float32),
        source={
            "backbone": "resnet18",
            "weights": "none",
            "weights_sha256": "ab" * 32,
            "image_size": 64,
        },
    )


@pytest.fixture
def batch(dictionary):
    """Net inputs of four pairs over three images, R = 6 regions, texts of different lengths."""
    torch.manual_seed(0)
    end, padding = dictionary.eos(), dictionary.pad()

    def texts(*lines):
        rows = [[dictionary.index(word) for word in line.split()] + [end] for line in lines]
        width = max(map(len, rows))
        return torch.tensor([row + [padding] * (width - len(row)) for row in rows])

    return {
        "features": torch.randn(3, 6, 5).half(),
        "image_index": torch.tensor([0, 1, 1, 2]),
        "question": texts(
            "what color is the shape ?",
            "is there a circle ?",
            "what is the shape ?",
            "is there a red shape ?",
        ),
        "answer": texts("red", "yes", "a circle", "no"),
        "noise_keys": np.array([[1, 0, i] for i in range(4)]),
    }


@pytest.fixture
def checkpoint(tmp_path, dictionary):
    """checkpoint(name, [options]) -> path of a new checkpoint of that model."""

    def save(name, path="model.pt", of_dictionary=dictionary, **options):
        save_checkpoint(tmp_path / path, name, of_dictionary, **options)
        return tmp_path / path

    return save
