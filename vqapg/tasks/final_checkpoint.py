"""The checkpoint of a training that is used afterwards: of its best or its last epoch, and without
the optimizer's state. Two sub-models of a pipeline become one checkpoint.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from fairseq.models import MODEL_DATACLASS_REGISTRY
from omegaconf import OmegaConf
from torch import Tensor

from vqapg.errors import InputError
from vqapg.files import atomic_write
from vqapg.models import origin
from vqapg.models.pipeline import SUB_MODELS, flag_of
from vqapg.provenance import KEY, provenance
from vqapg.targets import FOREIGN, check_target, our_json, write_json
from vqapg.tasks.checkpoint_config import TRAINING_SETTINGS
from vqapg.tasks.checkpoint_file import ORIGIN, CheckpointFile, read_checkpoint

WEIGHTS = ("best", "last")
# In a checkpoint's extra_state: what became of which training. Also the mark of what is ours.
RECORD = "trained"


class Training(NamedTuple):
    """What a folder of checkpoints (``--save-dir``) tells of its training.

    Attributes:
        folder: as the user gave it
        path: the checkpoint whose weights are used
        read: its content
        last_epoch: of the training; None where it kept no checkpoint_last.pt
    """

    folder: Path
    path: Path
    read: CheckpointFile
    last_epoch: int | None

    @property
    def epoch(self) -> int:
        """The epoch that the weights are of."""
        return _epoch(self.read)

    @property
    def updates(self) -> int:
        """How many updates made the weights."""
        updates: int = self.read.state["optimizer_history"][-1]["num_updates"]
        return updates

    @property
    def sub_model(self) -> str:
        """Of a pipeline "x", "y" or "both"; "both" for every other model."""
        return str(self.read.state["cfg"].model.get("sub_model", "both"))


def record_of(output: Path) -> Path:
    """The JSON file beside the checkpoint *output* that tells what it was made of."""
    return output.with_name("trained.json")


def save_final(
    folders: Sequence[str | os.PathLike[str]],
    output: Path,
    weights: str = "best",
    *,
    half: bool = False,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Writes the checkpoint that is used to *output*, and trained.json beside it.

    Args:
        folders: the ``--save-dir`` of one training; or of two, of the sub-models of a pipeline
        output: the checkpoint to write
        weights: "best" takes checkpoint_best.pt, "last" checkpoint_last.pt
        half: whether weights are written as float16, half as large; they are computed with as
            float32 all the same
        overwrite: whether an output of ours may be replaced

    Returns:
        what trained.json has: ``{"weights", "sub_models", "updates", "provenance"}``. A sub-model
        has ``{"folder", "epoch", "updates", "last_epoch"}``, its folder as seen from *output*.

    Raises:
        InputError: if a folder lacks that checkpoint, it is damaged, the two do not fit, or an
            output may not be written
        RunError: if the disk is full
    """
    trainings = [read_training(folder, weights) for folder in folders]
    if len(trainings) == 2:
        trainings = sorted(trainings, key=lambda training: training.sub_model)
        state = _joined(*trainings)
    else:
        state = _alone(*trainings)
    names = SUB_MODELS if len(trainings) == 2 else ("checkpoint",)
    record = {
        "weights": weights,
        "sub_models": [
            {
                "folder": os.path.relpath(training.folder, output.parent),
                "epoch": training.epoch,
                "updates": training.updates,
                "last_epoch": training.last_epoch,
            }
            for training in trainings
        ],
        "updates": sum(training.updates for training in trainings),
    }
    state["extra_state"][RECORD] = record
    if half:
        state["model"] = {
            name: tensor.half() if tensor.is_floating_point() else tensor
            for name, tensor in state["model"].items()
        }
    check_target(output, our_checkpoint, overwrite=overwrite)
    check_target(record_of(output), our_json, overwrite=overwrite)
    with atomic_write(output, "wb") as file:
        torch.save(state, file)
    inputs = {name: training.path for name, training in zip(names, trainings, strict=True)}
    content = record | {KEY: provenance(inputs=inputs)}
    # Last, so that it stands for both.
    write_json(record_of(output), content, overwrite=overwrite)
    return content


def read_training(folder: str | os.PathLike[str], weights: str) -> Training:
    """Reads the checkpoint of *folder* that *weights* names.

    Raises:
        InputError: if there is no such folder or checkpoint, or a killed run left the folder
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"{folder}: is no folder of checkpoints; give the --save-dir of a training"
        )
    best, last = (folder / f"checkpoint_{name}.pt" for name in WEIGHTS)
    path = best if weights == "best" else last
    if not path.exists():
        raise InputError(
            f"{folder}: holds no {path.name}; give the --save-dir of a training that wrote it"
        )
    read = read_checkpoint(path)
    last_epoch = None
    if last.exists():
        last_epoch = _epoch(read if path == last else read_checkpoint(last))
        # An epoch's file is first checkpoint_best.pt, then checkpoint_last.pt.
        if _epoch(read) > last_epoch:
            raise InputError(
                f"{folder}: {path.name} is of epoch {_epoch(read)} and {last.name} of epoch "
                f"{last_epoch}, as a killed training leaves them; run its command again"
            )
    return Training(folder, path, read, last_epoch)


def is_final(extra_state: dict[str, Any]) -> bool:
    """Whether a checkpoint with this ``extra_state`` was written by :func:`save_final`."""
    return RECORD in extra_state


def our_checkpoint(path: Path) -> str | None:
    """Recognises what :func:`save_final` wrote, see :mod:`vqapg.targets`."""
    try:
        extra_state = read_checkpoint(path).state["extra_state"]
    except InputError:
        return FOREIGN
    return None if is_final(extra_state) else "is a checkpoint that a training saved"


def _epoch(read: CheckpointFile) -> int:
    """The last epoch that training began before it saved *read*."""
    iterator = read.state["extra_state"]["train_iterator"]
    epoch: int = iterator["epoch"]
    # At the end of an epoch fairseq saves the place where the next one begins.
    return epoch if iterator.get("iterations_in_epoch") else epoch - 1


def _alone(training: Training) -> dict[str, Any]:
    if training.sub_model != "both":
        raise InputError(
            f"{training.folder}: is half a pipeline, its {training.sub_model.upper()}-model; give "
            "the folder of the other sub-model too"
        )
    return _state(training, training.read.state["model"], training.updates)


def _joined(x: Training, y: Training) -> dict[str, Any]:
    """One pipeline of the two sub-models.

    Raises:
        InputError: if they are not the two, or were trained for different pipelines or on other
            data
    """
    for training in (x, y):
        if training.sub_model not in SUB_MODELS:
            raise InputError(
                f"{training.folder}: is no sub-model of a pipeline; give one folder, or two that "
                "were trained with --sub-model x and with --sub-model y"
            )
    if x.sub_model == y.sub_model:
        raise InputError(
            f"{y.folder}: is the {y.sub_model.upper()}-model of a pipeline, and so is {x.folder}; "
            "give the folder of the other sub-model"
        )
    if difference := _difference(x.read, y.read):
        raise InputError(
            f"{y.folder}: does not fit {x.folder} ({difference}); train the two sub-models with "
            "the same settings on the same data directory"
        )
    weights = x.read.state["model"] | y.read.state["model"]
    record = origin.from_tensor(x.read.state["model"][ORIGIN])
    whole = record["model"].removesuffix(flag_of("x"))
    weights[ORIGIN] = origin.to_tensor(record | {"model": whole})
    return _state(x, weights, x.updates + y.updates)


def _difference(x: CheckpointFile, y: CheckpointFile) -> str | None:
    """What keeps two sub-models from being of one pipeline, in a few words; None: nothing."""
    one, other = (_settings(read) for read in (x, y))
    if one["_name"] != other["_name"]:
        return f"{other['_name']}, not {one['_name']}"
    ignored = ("sub_model", *TRAINING_SETTINGS)
    differing = [
        f"--{key.replace('_', '-')} {other[key]}, not {one[key]}"
        for key in one
        if key not in ignored and one[key] != other[key]
    ]
    if differing:
        return ", ".join(differing)
    if x.dictionary.symbols != y.dictionary.symbols:
        return f"another dictionary, of {len(y.dictionary)} and {len(x.dictionary)} entries"
    mine, others = x.features.source, y.features.source
    if mine != others:
        return "features of another " + ", ".join(
            f"{key} ({str(others.get(key))[:20]}, not {str(mine[key])[:20]})"
            for key in mine
            if others.get(key) != mine[key]
        )
    # They are the mean and standard deviation over the images that it was trained on.
    if not all(
        torch.equal(getattr(x.features, name), getattr(y.features, name))
        for name in ("mean", "std")
    ):
        return "other training images"
    return None


def _settings(read: CheckpointFile) -> dict[str, Any]:
    """The settings of its model; those that are newer than the checkpoint have their defaults."""
    stored = OmegaConf.to_container(read.state["cfg"].model)
    assert isinstance(stored, dict)
    config = OmegaConf.structured(MODEL_DATACLASS_REGISTRY[stored["_name"]])
    defaults = OmegaConf.to_container(config, enum_to_str=True)
    assert isinstance(defaults, dict)
    return {str(key): value for key, value in (defaults | stored).items()}


def _state(training: Training, weights: dict[str, Tensor], updates: int) -> dict[str, Any]:
    """What fairseq reads of a checkpoint, with the settings of *training* and other *weights*."""
    read = training.read.state
    cfg = OmegaConf.create(OmegaConf.to_container(read["cfg"]))
    if "sub_model" in cfg.model:
        cfg.model.sub_model = "both"
    return {
        "args": None,
        "cfg": cfg,
        "model": weights,
        "optimizer_history": [{"lr_scheduler_state": {}, "num_updates": updates}],
        "task_state": {},
        "extra_state": {"train_iterator": {"epoch": training.epoch + 1, "iterations_in_epoch": 0}},
        "last_optimizer_state": None,
    }
