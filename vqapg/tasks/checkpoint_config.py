"""What a checkpoint may name as its model, task and criterion: only those of this package.

fairseq builds what a checkpoint's configuration names, before anyone looks at the class. Some of
its architectures evaluate a setting as Python. So the names are checked first. Only known settings
of the right types are taken over.
"""

import dataclasses
import math
import typing
from enum import Enum
from typing import Any

from fairseq.criterions import CRITERION_DATACLASS_REGISTRY, CRITERION_REGISTRY
from fairseq.models import MODEL_DATACLASS_REGISTRY, MODEL_REGISTRY
from fairseq.tasks import TASK_DATACLASS_REGISTRY, TASK_REGISTRY
from omegaconf import DictConfig, OmegaConf

# They register the tasks, models and criterions.
import vqapg.tasks.vqapg
import vqapg.tasks.vqapg_consistency  # noqa: F401
from vqapg.criterions.consistency_loss import ConsistencyCriterion
from vqapg.criterions.elbo import ElboCriterion
from vqapg.errors import InputError
from vqapg.models.vqapg_model import VQAPGModel
from vqapg.tasks.data_task import DataDirectoryTask

# Settings of a model that matter while it is trained, and not to what its weights mean.
TRAINING_SETTINGS = ("embed_path", "dropout", "word_dropout")
# Section: fairseq's registries of classes and of dataclasses, and the classes that may be built.
PARTS = {
    "model": (MODEL_REGISTRY, MODEL_DATACLASS_REGISTRY, VQAPGModel),
    "task": (TASK_REGISTRY, TASK_DATACLASS_REGISTRY, DataDirectoryTask),
    "criterion": (
        CRITERION_REGISTRY,
        CRITERION_DATACLASS_REGISTRY,
        (ElboCriterion, ConsistencyCriterion),
    ),
}
LARGEST = 2**31 - 1  # of any whole number
# How models were built before there was a setting for it.
BEFORE = {"model": {"scaled_start": True}}


def own_config(cfg: Any) -> DictConfig:
    """The sections of a checkpoint's configuration that choose what is built, and nothing else.

    Settings that no dataclass knows are left out, as fairseq does: older versions had others. So is
    --update-freq, a list, which is the run's and not the task's.
    Nothing is built here, and no interpolation is resolved.

    Raises:
        InputError: on a name or a value that this package does not have
    """
    return OmegaConf.create({part: _section(part, _items(cfg).get(part)) for part in PARTS})


def _items(section: Any) -> dict[str, Any]:
    """The entries of a plain dictionary or a DictConfig, as they are stored."""
    if isinstance(section, DictConfig):
        return dict(section.items_ex(resolve=False))
    return section if isinstance(section, dict) else {}


def _section(part: str, stored: Any) -> dict[str, Any]:
    classes, dataclass_of, allowed = PARTS[part]
    stored = _items(stored)
    name = stored.get("_name")
    if not isinstance(name, str):
        raise InputError(
            f"it does not say what {part} it is of; give a checkpoint that vqapg trained"
        )
    if not issubclass(classes.get(name, object), allowed):
        raise InputError(
            f"its {part} is {name[:80]!r}, and vqapg has no such {part}; give a checkpoint that"
            " vqapg trained"
        )
    config = dataclass_of[name]
    kinds = typing.get_type_hints(config)
    known = [
        field.name
        for field in dataclasses.fields(config)
        if field.name in stored and field.name not in ("_name", "update_freq")
    ]
    values = {field: _checked(f"{part}.{field}", stored[field], kinds[field]) for field in known}
    before = {field: value for field, value in BEFORE.get(part, {}).items() if field in kinds}
    return {"_name": name, **before, **values}


def _checked(name: str, value: Any, kind: type) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if kind is float:
        right = (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and not math.isnan(value)
        )
    elif kind is int:
        right = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST
    elif isinstance(kind, type) and issubclass(kind, Enum):
        right = value in [choice.value for choice in kind]
    else:
        # A "${" would have omegaconf put in something else, such as an environment variable.
        right = isinstance(value, kind) and not (isinstance(value, str) and "${" in value)
    if not right:
        raise InputError(
            f"its setting {name} is {shown(value)}, which cannot be; give another checkpoint"
        )
    return value


def shown(value: Any) -> str:
    """*value* for a message, in a few characters.

    A container is only named. Its parts may be shared, so that its text would fill the memory.
    """
    if isinstance(value, str):
        return repr(value[:40])
    return repr(value)[:40] if isinstance(value, (int, float)) else f"a {type(value).__name__}"
