"""The one loader of models. A checkpoint knows its dictionary, its backbone and its statistics."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from fairseq.data import Dictionary
from fairseq.models import build_model
from omegaconf import DictConfig

from vqapg.backbones import build_backbone
from vqapg.backbones.backbone import Backbone
from vqapg.errors import InputError
from vqapg.models.consistency_evaluator import ConsistencyModel
from vqapg.models.generation_model import GenerationModel
from vqapg.models.vqapg_model import VQAPGModel
from vqapg.provenance import IMPORTED
from vqapg.tasks.checkpoint_file import CheckpointFile, read_checkpoint
from vqapg.tasks.data_task import DataDirectoryTask


class Loaded(NamedTuple):
    """A model from its checkpoint alone, in evaluation mode.

    Attributes:
        model: the model
        dictionary: of its training
        features: what made the features it was trained on
        name: tells this checkpoint from all others
        path: of the checkpoint, as it was given
    """

    model: VQAPGModel
    dictionary: Dictionary
    features: dict[str, Any]
    name: str
    path: str


def load_model(checkpoint: str | os.PathLike[str], task: DataDirectoryTask) -> VQAPGModel:
    """The model of *checkpoint*, over the data of *task*, in evaluation mode, on a GPU if any.

    Raises:
        InputError: as :func:`~vqapg.tasks.checkpoint_file.read_checkpoint`, or if the model is of
            another task, or was trained on other data
    """
    read = read_checkpoint(checkpoint)
    try:
        model = _with_weights(task.build_model(_settings(read), from_checkpoint=True), read)
    except InputError as error:
        raise InputError(f"{checkpoint}: {error}") from error
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def load_generation_model(path: str | os.PathLike[str]) -> Loaded:
    """Any model of task ``vqapg``, from its checkpoint alone.

    Raises:
        InputError: if *path* is no checkpoint, is of the evaluator, or is half a pipeline
    """
    loaded = _load(path)
    if not isinstance(loaded.model, GenerationModel):
        raise InputError(
            f"{path}: is the consistency evaluator, which makes no pairs; give it as --evaluator"
        )
    if loaded.model.incomplete:
        raise InputError(f"{path}: {loaded.model.incomplete}")
    return loaded


def load_evaluator(path: str | os.PathLike[str]) -> Loaded:
    """The consistency evaluator of *path*, from its checkpoint alone.

    Raises:
        InputError: if *path* is no checkpoint of an evaluator
    """
    loaded = _load(path)
    if not isinstance(loaded.model, ConsistencyModel):
        raise InputError(
            f"{path}: is no consistency evaluator; give a checkpoint of --task vqapg_consistency"
        )
    return loaded


def load_evaluator_for(generator: Loaded, path: str | os.PathLike[str]) -> Loaded:
    """The consistency evaluator of *path*, to judge the pairs that *generator* makes.

    Raises:
        InputError: if *path* is no checkpoint of an evaluator, or was trained with other features
            or another dictionary
    """
    loaded = load_evaluator(path)
    difference = _other_features(loaded.features, generator.features) or _other_dictionary(
        loaded.dictionary.symbols, generator.dictionary.symbols
    )
    if difference:
        raise InputError(
            f"{path}: this evaluator was trained with {difference}; give one that was trained on"
            " the same data directory"
        )
    return loaded


def load_backbone(features: dict[str, Any], weights: str) -> Backbone:
    """The CNN that a model's features were made with.

    Args:
        features: what made them, as :class:`Loaded` has it
        weights: as ``vqapg extract-features --weights``: "imagenet", a file, or "none"

    Raises:
        InputError: if those weights are not the ones, or the features were imported
    """
    if features["backbone"].startswith(IMPORTED):
        raise InputError(
            f"the model was trained on {features['backbone']} features, and has no backbone to look"
            " at new photographs; import their features into a data directory, and give that: vqapg"
            " sample --features DATA"
        )
    backbone = build_backbone(features["backbone"], weights, features["image_size"])
    if backbone.weights_sha256 != features["weights_sha256"]:
        raise InputError(
            f"--weights {weights}: are not the weights of {features['backbone']} that the features"
            f" were made with (checksum {backbone.weights_sha256[:8]} instead of"
            f" {features['weights_sha256'][:8]}); give what vqapg extract-features was given:"
            " --weights FILE, imagenet or none"
        )
    return backbone


def _load(path: str | os.PathLike[str]) -> Loaded:
    read = read_checkpoint(path)
    settings = _settings(read)
    # from_checkpoint: settings that are newer than the checkpoint take their defaults.
    model = _with_weights(build_model(settings, read, from_checkpoint=True), read)
    name = f"{settings._name}:{read.sha256[:12]}"
    return Loaded(model, read.dictionary, read.features.source, name, os.fspath(path))


def _settings(read: CheckpointFile) -> DictConfig:
    return read.state["cfg"].model


def _with_weights(model: VQAPGModel, read: CheckpointFile) -> VQAPGModel:
    model.load_state_dict(read.state["model"])
    return model.eval()


def _other_features(theirs: dict[str, Any], ours: dict[str, Any]) -> str | None:
    differing = [
        f"{key} {str(theirs.get(key))[:20]}, not {str(ours[key])[:20]}"
        for key in ours
        if theirs.get(key) != ours[key]
    ]
    if theirs == ours:
        return None
    return f"other features than the model of --checkpoint ({', '.join(differing)})"


def _other_dictionary(theirs: Sequence[str], ours: Sequence[str]) -> str | None:
    if theirs == ours:
        return None
    return (
        f"another dictionary than the model of --checkpoint ({len(theirs)} and {len(ours)} entries)"
    )
