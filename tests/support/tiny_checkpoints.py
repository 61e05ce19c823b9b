"""Untrained checkpoints of small models as fairseq saves them, and pictures for them."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fairseq import checkpoint_utils
from fairseq.models import MODEL_DATACLASS_REGISTRY
from omegaconf import OmegaConf
from PIL import Image, ImageDraw

from tests.support.generation_models import build
from vqapg.backbones import build_backbone
from vqapg.errors import InputError
from vqapg.tasks.checkpoint_file import read_checkpoint
from vqapg.tasks.checkpoints import load_generation_model

IMAGE_SIZE = 64


@functools.cache
def backbone():
    return build_backbone("resnet18", "none", IMAGE_SIZE)


@functools.cache
def features():
    """Statistics and source of features by that backbone."""
    source = {key: backbone().source[key] for key in ("backbone", "weights_sha256", "image_size")}
    channels = backbone().channels
    return SimpleNamespace(
        path="features.h5",
        mean=np.full(channels, 0.4, np.float32),
        std=np.full(channels, 0.6, np.float32),
        source=source,
    )


def save_checkpoint(path, name, dictionary, of_features=None, leave_out=(), **options):
    """The checkpoint of model *name* at *path*, and the model.

    *leave_out* names settings that an older checkpoint does not have.
    """
    order = options.pop("order", None)
    model = build(name, dictionary, of_features or features(), order, **options)
    options = {"hidden_size": 8, "embed_dim": 6, **options}
    options |= {"order": order} if order else {}
    if hasattr(MODEL_DATACLASS_REGISTRY[name], "latent_dim"):
        options.setdefault("latent_dim", 4)
    config = OmegaConf.to_container(
        OmegaConf.structured(MODEL_DATACLASS_REGISTRY[name](**options)), enum_to_str=True
    )
    config = {key: value for key, value in config.items() if key not in leave_out} | {"_name": name}
    task, criterion = (
        ("vqapg_consistency",) * 2 if name == "vqapg_consistency" else ("vqapg", "vqapg_elbo")
    )
    state = {
        "args": None,
        "cfg": OmegaConf.create(
            {"model": config, "task": {"_name": task}, "criterion": {"_name": criterion}}
        ),
        "model": model.state_dict(),
        "optimizer_history": [
            {"optimizer_name": "Adam", "lr_scheduler_state": {}, "num_updates": 7}
        ],
        "extra_state": {"train_iterator": {"epoch": 1}},
        "last_optimizer_state": None,
        "task_state": {},
    }
    torch.save(state, path)
    return model


def refused(path):
    """The one line that every way of loading a checkpoint refuses it with."""
    with pytest.raises(InputError) as error:
        read_checkpoint(path)
    line = str(error.value)
    assert line.startswith(f"{path}: ") and "\n" not in line
    # What fairseq-generate, fairseq-validate, fairseq-train and vqapg sample call
    for load in (
        lambda: checkpoint_utils.load_checkpoint_to_cpu(str(path)),
        lambda: checkpoint_utils.load_model_ensemble_and_task([str(path)]),
        lambda: load_generation_model(path),
    ):
        with pytest.raises(InputError) as error:
            load()
        assert str(error.value) == line
    return line


def draw_picture(path, number):
    """A picture that differs for every number: a shape on a ground."""
    generator = np.random.default_rng(number)
    picture = Image.new("RGB", (90, 60), tuple(generator.integers(256, size=3).tolist()))
    left, top = generator.integers(30, size=2).tolist()
    ImageDraw.Draw(picture).ellipse(
        (left, top, left + 40, top + 25), fill=tuple(generator.integers(256, size=3).tolist())
    )
    picture.save(path)
    return picture


def draw_pictures(folder, count):
    folder.mkdir(exist_ok=True)
    for number in range(count):
        draw_picture(folder / f"{number}.png", number)
    return folder
