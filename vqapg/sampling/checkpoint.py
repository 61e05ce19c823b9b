"""Models from their checkpoints alone: a checkpoint knows its dictionary, its backbone and its features' statistics."""

import os
from typing import NamedTuple

from fairseq.data import Dictionary
from fairseq.models import build_model

from vqapg.backbones.backbone import build_backbone
from vqapg.errors import InputError
from vqapg.models.consistency_evaluator import ConsistencyModel
from vqapg.models.generation_model import GenerationModel
from vqapg.models.vqapg_model import VQAPGModel
from vqapg.tasks.checkpoint_file import read_checkpoint


class Loaded(NamedTuple):
    """A model in evaluation mode, with fairseq's ``dictionary``; ``features`` says what made its features; ``name`` tells
    this checkpoint from all others."""

    model: VQAPGModel
    dictionary: Dictionary
    features: dict
    name: str


def load_generation_model(path):
    """Any model of task ``vqapg``. Raises InputError when *path* is no checkpoint, or is of the evaluator."""
    loaded = _load(path)
    if not isinstance(loaded.model, GenerationModel):
        raise InputError(
            f"{path}: is the consistency evaluator, which makes no pairs; give it as --evaluator"
        )
    return loaded


def load_evaluator_for(generator, path):
    """The consistency evaluator of *path*, to judge what *generator*, a Loaded, makes.

    Raises InputError when *path* is no checkpoint of an evaluator, or of one with other features or dictionary.
    """
    loaded = _load(path)
    if not isinstance(loaded.model, ConsistencyModel):
        raise InputError(
            f"{path}: is no consistency evaluator; give a checkpoint of --task vqapg_consistency"
        )
    for what, theirs, ours in (
        ("other features", loaded.features, generator.features),
        ("another dictionary", loaded.dictionary.symbols, generator.dictionary.symbols),
    ):
        if theirs != ours:
            raise InputError(
                f"{path}: this evaluator was trained with {what} than the model of --checkpoint"
                f"{_difference(theirs, ours)}; give one that was trained on the same data directory"
            )
    return loaded


def load_backbone(features, weights):
    """The CNN that *features*, a model's, were made with.

    Args:
        weights: as ``vqapg extract-features --weights``: "imagenet", a file, or "none"

    Raises InputError when those weights are not the ones.
    """
    backbone = build_backbone(features["backbone"], weights, features["image_size"])
    if backbone.weights_sha256 != features["weights_sha256"]:
        raise InputError(
            f"--weights {weights}: are not the weights of {features['backbone']} that the checkpoint's features were made "
            f"with (checksum {backbone.weights_sha256[:8]} instead of {features['weights_sha256'][:8]}); give what "
            "vqapg extract-features was given: --weights FILE, imagenet or none"
        )
    return backbone


def _load(path: str | os.PathLike) -> Loaded:
    checkpoint = read_checkpoint(path)
    # from_checkpoint: settings that are newer than the checkpoint take their defaults.
    config = checkpoint.state["cfg"].model
    model = build_model(config, checkpoint, from_checkpoint=True)
    model.load_state_dict(checkpoint.state["model"])
    name = f"{config._name}:{checkpoint.sha256[:12]}"
    return Loaded(model.eval(), checkpoint.dictionary, checkpoint.features.source, name)


def _difference(theirs, ours):
    if isinstance(theirs, dict):
        differing = [key for key in ours if theirs.get(key) != ours[key]]
        return (
            " ("
            + ", ".join(
                f"{key} {str(theirs.get(key))[:20]}, not {str(ours[key])[:20]}" for key in differing
            )
            + ")"
        )
    return f" ({len(theirs)} and {len(ours)} entries)"
