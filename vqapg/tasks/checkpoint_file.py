"""The one place where a checkpoint file is read. It may come from a stranger, so it is checked.

The order is: the archive's directory, its checksums, the plan of its content, its data types, the
names of what it would build, the values of its weights, their shapes. Before all of that holds,
nothing is built, and nothing larger than the file is allocated.
"""

import argparse
import collections
import hashlib
import os
import re
import typing
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO, NamedTuple

import torch
from fairseq.data import Dictionary
from fairseq.distributed.utils import _TensorPlaceholder
from fairseq.logging import meters
from fairseq.models import MODEL_DATACLASS_REGISTRY, MODEL_REGISTRY
from omegaconf import DictConfig, ListConfig, base, nodes
from torch import Tensor

from vqapg.errors import InputError, RunError, shortage
from vqapg.models import origin
from vqapg.models.vqapg_model import check_sizes
from vqapg.tasks.checkpoint_config import own_config, shown
from vqapg.tasks.checkpoint_pickle import check_pickle
from vqapg.tokens import SEPARATOR

ORIGIN = "_extra_state"  # torch's name, among the weights, for what get_extra_state gives
# What fairseq stores beside tensors: settings, and containers of metrics. None of them runs code.
CHECKPOINT_TYPES = [
    argparse.Namespace,
    DictConfig,
    ListConfig,
    base.ContainerMetadata,
    base.Metadata,
    nodes.AnyNode,
    typing.Any,
    collections.defaultdict,
    dict,
    list,
    int,
    _TensorPlaceholder,
]
PICKLED = 8 * 2**20  # bytes: the largest data.pkl that is read; the weights are not in it
METERS = {"AverageMeter", "SumMeter", "ConcatTensorMeter", "TimeMeter", "StopwatchMeter"}
assert vars(meters).keys() >= METERS


class CheckpointFile(NamedTuple):
    """A checked checkpoint.

    Attributes:
        state: what fairseq reads of it; ``cfg`` has the sections model, task and criterion only
        dictionary: of its training
        features: what made its features: ``path``, ``mean`` and ``std`` ``[C]``, ``source``
        sha256: of the file, in hexadecimal
    """

    state: dict[str, Any]
    dictionary: Dictionary
    features: SimpleNamespace
    sha256: str


def read_checkpoint(path: str | os.PathLike) -> CheckpointFile:
    """Reads a checkpoint of this package, and checks it without building its model.

    Raises:
        InputError: naming the file and what is wrong with it
        RunError: if memory does not suffice
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(
            f"{path}: is a folder; give a checkpoint in it, such as {path / 'checkpoint_best.pt'}"
        )
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint; correct the path")
    try:
        # Opened once: what is checked is what is loaded, though the name may get another file.
        with open(path, "rb") as file:
            check_archive(file)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            # On leaving, torch would forget types that were allowed before, so those are left out.
            allowed = torch.serialization.get_safe_globals()
            new = [kind for kind in CHECKPOINT_TYPES if kind not in allowed]
            with torch.serialization.safe_globals(new):
                # torch's and fairseq's defaults differ between versions, so the flag is given here.
                state = torch.load(file, map_location="cpu", weights_only=True)
        return _checked(path, state, digest)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); see to the file") from error
    except Exception as error:  # whatever unpickling makes of a file that is no checkpoint
        if short := shortage(error):
            raise RunError(f"{path}: {short}") from error
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"it holds {foreign[1]}, which is not data" if foreign else type(error).__name__
        raise InputError(
            f"{path}: not a whole checkpoint of a vqapg model ({reason}); give another, or train it"
            " anew"
        ) from error


def check_archive(file: BinaryIO) -> None:
    """Checks the archive by its directory and its checksums, before anything in it is unpacked.

    Raises:
        InputError: if it is not torch's format, is cut short or damaged, or would unpack to more
            than its own size, or holds what fairseq does not write
    """
    size = os.fstat(file.fileno()).st_size
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            # torch never compresses. A member that claims more than the file holds is a bomb.
            if archive.comment or any(
                m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 for m in members
            ):
                raise InputError(
                    "not written by torch (its parts are compressed); give another checkpoint"
                )
            if sum(member.file_size for member in members) > size:
                raise InputError(
                    "claims to unpack to more than its own size; give another checkpoint"
                )
            # torch finds it in upper case, too.
            pickles = [m for m in members if m.filename.lower().endswith("data.pkl")]
            if any(member.file_size > PICKLED for member in pickles):
                raise InputError(
                    f"its data.pkl is above {PICKLED >> 20} MiB; give another checkpoint"
                )
            damaged = archive.testzip()
            for member in pickles if damaged is None else ():
                with archive.open(member) as content:
                    check_pickle(content)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise InputError(
            "not a whole checkpoint of a vqapg model (cut short, or of another format); give"
            " another, or train it anew"
        ) from error
    if damaged is not None:
        raise InputError(
            f"not a whole checkpoint: {damaged} is damaged; give another, or train it anew"
        )


def _checked(path: Path, state: Any, digest: str) -> CheckpointFile:
    if not isinstance(state, dict) or not isinstance(state.get("model"), dict):
        raise InputError("not a whole checkpoint of a vqapg model (no weights in it); give another")
    if state.get("args") is not None:
        raise InputError(
            "its settings are of a fairseq before 0.10; vqapg never wrote such; give another"
            " checkpoint"
        )
    state["cfg"] = own_config(state.get("cfg"))
    _check_history(state)
    state["task_state"] = {}  # the tasks of this package have none
    weights = state["model"]
    _check_values(weights)
    record = origin.from_tensor(weights.get(ORIGIN))
    dictionary = Dictionary()
    for word in record["dictionary"][dictionary.nspecial :]:
        dictionary.add_symbol(word)
    if dictionary.symbols != record["dictionary"] or SEPARATOR not in dictionary:
        raise InputError(
            f"its dictionary is not one of vqapg prepare, with {SEPARATOR}; give another checkpoint"
        )
    features = SimpleNamespace(path=path, source=record["features"], **_statistics(weights))
    _check_shapes(state["cfg"].model, weights, dictionary, features)
    return CheckpointFile(state, dictionary, features, digest)


def _check_history(state: dict[str, Any]) -> None:
    """Checks what fairseq reads when it resumes. It builds the meters that are named there."""
    history, extra = state.get("optimizer_history"), state.get("extra_state")
    if (
        not isinstance(history, list)
        or not history
        or not isinstance(history[-1], dict)
        or not isinstance(history[-1].get("num_updates"), int)
        or not isinstance(extra, dict)
        or not isinstance(extra.get("train_iterator"), dict)
        or not isinstance(extra["train_iterator"].get("epoch"), int)
    ):
        raise InputError("it does not say how far training had come; give another checkpoint")
    for phase in dict(extra.get("metrics") or {}).values():
        for _, key, kind, _ in phase:
            if kind not in METERS:
                raise InputError(
                    f"its figure {shown(key)} is of an unknown kind; give another checkpoint"
                )


def _check_values(weights: dict[str, Any]) -> None:
    for name, value in weights.items():
        if name == ORIGIN:
            continue
        if (
            not isinstance(name, str)
            or not isinstance(value, Tensor)
            or value.layout != torch.strided
            or value.device.type != "cpu"
        ):
            raise InputError(
                f"its weights {shown(name)} are not a plain tensor; give another checkpoint"
            )
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise InputError(
                f"its weights {name[:80]} claim more numbers than they hold; give another"
                " checkpoint"
            )
        if not value.isfinite().all():
            raise InputError(
                f"its weights {name[:80]} hold NaN or infinity; give another checkpoint, or train"
                " it anew"
            )


def _statistics(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The mean and standard deviation of the training features: ``[C]`` each."""
    found = {}
    for name in ("mean", "std"):
        values = [
            value for key, value in weights.items() if key.endswith(f"image_encoder.feature_{name}")
        ]
        if not values or values[0].dim() != 1 or not len(values[0]):
            raise InputError(f"lacks the {name} of its training features; give another checkpoint")
        found[name] = values[0]
        if name == "std" and not all((value > 0).all() for value in values):
            raise InputError(
                "the standard deviation of a feature is not above 0; give another checkpoint"
            )
    return found


def _check_shapes(
    cfg, weights: dict[str, Any], dictionary: Dictionary, features: SimpleNamespace
) -> None:
    """Compares the weights with those of the model of these settings, on torch's "meta" device.

    That device allocates no memory, however large the sizes.
    """
    values = {key: value for key, value in cfg.items() if key != "_name"}
    settings = MODEL_DATACLASS_REGISTRY[cfg._name](**values)
    check_sizes(settings)
    try:
        with torch.device("meta"):
            model = MODEL_REGISTRY[cfg._name](settings, dictionary, features)
    except RuntimeError as error:  # sizes whose product overflows
        raise InputError(
            "its settings describe a model that no machine could hold; give another checkpoint"
        ) from error
    expected = {
        name: tuple(value.shape) for name, value in model.state_dict().items() if name != ORIGIN
    }
    found = {name: tuple(value.shape) for name, value in weights.items() if name != ORIGIN}
    for name in [*expected, *found]:
        if expected.get(name) != found.get(name):
            raise InputError(
                f"its weights do not fit its settings ({name[:80]}: {found.get(name)} instead of"
                f" {expected.get(name)}); give another checkpoint"
            )
