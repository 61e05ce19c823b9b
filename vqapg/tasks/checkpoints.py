"""fairseq's checkpoints: loaded with ``torch.load(weights_only=True)``, the default, with errors that say what is wrong, and
whole whenever a run is killed."""

import argparse
import collections
import filecmp
import os
import shutil
import typing
from pathlib import Path

import torch
from fairseq import checkpoint_utils
from fairseq.distributed.utils import _TensorPlaceholder
from fairseq.file_io import PathManager
from omegaconf import DictConfig, ListConfig, base, nodes

from vqapg.errors import InputError

# What fairseq stores beside tensors: configurations, and metrics' containers. Data types only, none runs code.
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


def allow_checkpoint_types():
    torch.serialization.add_safe_globals(CHECKPOINT_TYPES)


def keep_checkpoints_whole():
    """fairseq copies an epoch's file to checkpoint_best.pt and checkpoint_last.pt in place, where a kill leaves half a
    file; or, before the copy, an epoch that the next run counts as the best beside the file of an earlier one."""
    PathManager.copy = staticmethod(_copy_whole)
    load = checkpoint_utils.load_checkpoint

    def load_checkpoint(cfg, trainer, **arguments):
        state, iterator = load(cfg, trainer, **arguments)
        # fairseq has taken over the best figure; not where training begins anew from another run's weights.
        best = getattr(checkpoint_utils.save_checkpoint, "best", None)
        if state is not None and best is not None and state["val_loss"] == best:
            _copy_best(cfg, trainer)
        return state, iterator

    checkpoint_utils.load_checkpoint = load_checkpoint


def _copy_best(cfg, trainer):
    """Makes the checkpoint just restored, the best so far, checkpoint_best.pt of its folder too."""
    name = cfg.restore_file
    source = os.path.join(cfg.save_dir, name) if name == "checkpoint_last.pt" else name
    target = os.path.join(cfg.save_dir, "checkpoint_best.pt")
    ours = os.path.isfile(source) and os.path.realpath(os.path.dirname(source)) == os.path.realpath(cfg.save_dir)
    if ours and not cfg.no_save and trainer.should_save_checkpoint_on_current_rank:
        if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
            _copy_whole(source, target)


def _copy_whole(source, target, overwrite=False):
    """Copies a file; the copy takes its name when it is whole."""
    partial = f"{target}.tmp"
    shutil.copyfile(source, partial)
    os.replace(partial, target)
    return True


def load_model(checkpoint, task):
    """The model of *checkpoint*, over the data of *task*, in evaluation mode and on the GPU where there is one.

    Raises:
        InputError: if there is no such file, it is no checkpoint, of another task, or trained on other data
    """
    name = task.cfg._name
    if not Path(checkpoint).is_file():
        raise InputError(f"{checkpoint}: no such checkpoint; train one with --task {name}")
    try:
        models, _ = checkpoint_utils.load_model_ensemble([str(checkpoint)], task=task)
    except InputError as error:
        raise InputError(f"{checkpoint}: {error}") from error
    except Exception as error:  # whatever unpickling, or fairseq, makes of a file that is no checkpoint
        raise InputError(
            f"{checkpoint}: not a whole checkpoint of --task {name} ({type(error).__name__}); give another, "
            "or train it anew"
        ) from error
    return models[0].eval().to("cuda" if torch.cuda.is_available() else "cpu")
