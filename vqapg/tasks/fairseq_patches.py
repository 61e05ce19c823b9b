"""Everything that this package changes in fairseq 0.12.3, for fairseq offers no hook there.

``--user-dir`` makes the changes when it imports this package, and so does ``setup_task`` of our
tasks. Other programs may import every part of vqapg, and use :func:`vqapg.load`: that changes
nothing. A program that reads checkpoints by fairseq's functions before it sets a task up calls
:func:`patch_fairseq` itself.

| what | why | without it |
|---|---|---|
| torch's safe types | processes share a checkpoint by ``torch.load`` | two GPUs cannot resume |
| ``load_checkpoint_to_cpu`` | the file is checked | a stranger's file chooses what is built |
| ``load_model_ensemble_and_task`` | its errors name the file | a traceback |
| ``Trainer.load_checkpoint`` | a missing or torn file stops the run | it starts anew |
| the same | the optimizer's state is checked | the first step ends in a traceback |
| the same | a final checkpoint has no such state | the optimizer starts anew without a word |
| the same, ``ReduceLROnPlateauLRSchedule`` | epochs without gain are counted on | halves late |
| ``Trainer.load_checkpoint`` | ``--patience`` counts on | a resumed run stops late or never |
| the same | half precision without a GPU is one line | a traceback of torch |
| ``load_checkpoint`` | the best is copied if a kill came before that | the best model is lost |
| the same | a kill between the copies of the first save is no loss | the run is refused |
| ``PathManager.copy`` | a copy takes its name when it is whole | a kill leaves half a file |
| ``sys.excepthook``, in fairseq's commands only | a user's mistake is one line | a traceback |
| the level of h5py's log | fairseq leaves logging at its lowest level | a line a conversion |

The functions are those of ``fairseq.checkpoint_utils``, unless a class is named.
"""

import contextlib
import filecmp
import functools
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from fairseq import checkpoint_utils
from fairseq.dataclass.utils import overwrite_args_by_name
from fairseq.file_io import PathManager
from fairseq.optim.lr_scheduler.reduce_lr_on_plateau import ReduceLROnPlateauLRSchedule
from fairseq.trainer import Trainer

from vqapg.errors import InputError, RunError, shortage
from vqapg.tasks import early_stopping, plateau_schedule
from vqapg.tasks.checkpoint_config import TRAINING_SETTINGS
from vqapg.tasks.checkpoint_file import CHECKPOINT_TYPES, read_checkpoint
from vqapg.tasks.final_checkpoint import is_final
from vqapg.tasks.one_line_errors import report_errors
from vqapg.tasks.optimizer_state import check_optimizer, check_schedule


@functools.cache
def patch_fairseq() -> None:
    """Makes the changes, once in a process however often it is called."""
    torch.serialization.add_safe_globals(CHECKPOINT_TYPES)
    PathManager.copy = staticmethod(copy_whole)
    checkpoint_utils.load_checkpoint_to_cpu = load_checkpoint_to_cpu
    checkpoint_utils.load_model_ensemble_and_task = _models_with_file(
        checkpoint_utils.load_model_ensemble_and_task
    )
    checkpoint_utils.load_checkpoint = _with_best(checkpoint_utils.load_checkpoint)
    Trainer.load_checkpoint = _never_anew(Trainer.load_checkpoint)
    ReduceLROnPlateauLRSchedule.state_dict = plateau_schedule.state_dict
    ReduceLROnPlateauLRSchedule.load_state_dict = plateau_schedule.load_state_dict
    logging.getLogger("h5py").setLevel(logging.INFO)
    report_errors()


def load_checkpoint_to_cpu(
    path: str, arg_overrides: dict[str, Any] | None = None, load_on_all_ranks: bool = False
) -> dict[str, Any]:
    """In fairseq's place: a checked checkpoint, with the settings that the command line overrides.

    Raises:
        InputError: as :func:`~vqapg.tasks.checkpoint_file.read_checkpoint`
    """
    state = read_checkpoint(path).state
    if arg_overrides:
        overwrite_args_by_name(state["cfg"], arg_overrides)
    return state


def _models_with_file(load):
    @functools.wraps(load)
    def load_model_ensemble_and_task(filenames, *arguments, **options):
        try:
            return load(filenames, *arguments, **options)
        except OSError as error:
            if shortage(error) or "Model file not found" not in str(error):
                raise
            raise InputError(
                f"{':'.join(filenames)}: no such checkpoint; correct --path"
            ) from error
        except RuntimeError as error:
            if shortage(error):
                raise
            raise InputError(
                f"{filenames[0]}: does not fit the model that --model-overrides describes; leave"
                " that flag out"
            ) from error

    return load_model_ensemble_and_task


def _never_anew(load):
    @functools.wraps(load)
    def load_checkpoint(
        trainer, filename, reset_optimizer=False, reset_lr_scheduler=False, *arguments, **options
    ):
        common = trainer.cfg.common
        if common.fp16 and not common.memory_efficient_fp16 and not trainer.cuda:
            raise InputError(
                "--fp16 trains on a GPU only; give --amp on a CPU, or --memory-efficient-fp16"
            )
        _refuse_to_start_anew(trainer.cfg.checkpoint, filename)
        try:
            loaded = load(
                trainer, filename, reset_optimizer, reset_lr_scheduler, *arguments, **options
            )
            if loaded is not None:
                check_optimizer(trainer.optimizer.optimizer, filename)
                if not reset_optimizer:
                    _refuse_final(loaded, filename)
                    if not reset_lr_scheduler:
                        check_schedule(trainer.lr_scheduler, loaded, filename)
                        plateau_schedule.give_figure_of_last_epoch(trainer, loaded)
                    # fairseq takes over its own best figure under the same conditions.
                    if not options.get("reset_meters", False):
                        early_stopping.restore(trainer, loaded, filename)
            return loaded
        except InputError as error:
            raise InputError(f"{error}{_others(filename)}") from error
        except RunError:
            raise
        except (
            Exception
        ) as error:  # fairseq wraps whatever the model or the optimizer say in errors of its own
            causes = _causes(error)
            if any(isinstance(cause, InputError) for cause in causes) or shortage(error):
                raise
            raise InputError(
                f"{filename}: training cannot go on from it"
                f" ({_difference(trainer, filename, causes)}); give the flags it was trained with,"
                " or another --save-dir"
            ) from error

    return load_checkpoint


def _refuse_to_start_anew(cfg, filename: str) -> None:
    """Where there is no such file, fairseq silently starts at epoch 1 and overwrites the folder."""
    if not os.path.isfile(filename):
        if os.path.lexists(filename):
            raise InputError(
                f"{filename}: is not a file that can be read; remove it, or give another --save-dir"
            )
        if cfg.restore_file != "checkpoint_last.pt":
            raise InputError(f"{filename}: no such checkpoint; correct --restore-file")
    elif filename != cfg.finetune_from_model:
        return
    found = [] if cfg.no_save else _checkpoints_in(cfg.save_dir)
    if found:
        raise InputError(
            f"{cfg.save_dir}: holds {found[0].name} but no checkpoint_last.pt, and training anew"
            f" would overwrite it; give --restore-file {found[0]} to go on, or another --save-dir"
        )


def _refuse_final(extra_state: dict[str, Any], filename: str) -> None:
    if is_final(extra_state):
        raise InputError(
            f"{filename}: was written by vqapg checkpoint, without the optimizer's state; give it"
            " as --finetune-from-model, or give --reset-optimizer"
        )


def _first_save(cfg) -> Path | None:
    """The checkpoint of a run that was killed between the copies of its first save; None elsewhere.

    fairseq writes checkpoint_last.pt last. Every other copy of that save has the same bytes.
    """
    if cfg.no_save or cfg.no_last_checkpoints or cfg.restore_file != "checkpoint_last.pt":
        return None
    if os.path.lexists(os.path.join(cfg.save_dir, "checkpoint_last.pt")):
        return None
    found = _checkpoints_in(cfg.save_dir)
    if not found or not all(filecmp.cmp(found[0], path, shallow=False) for path in found):
        return None
    iterator = read_checkpoint(found[0]).state["extra_state"]["train_iterator"]
    return found[0] if iterator["epoch"] - 1 <= cfg.save_interval else None


def _checkpoints_in(folder: str | os.PathLike) -> list[Path]:
    """The checkpoints that lie in *folder* itself, the newest first."""
    return sorted(
        Path(folder).glob("checkpoint*.pt"), key=lambda path: path.stat().st_mtime, reverse=True
    )


def _others(filename: str) -> str:
    others = [
        path for path in _checkpoints_in(Path(filename).parent) if path.name != Path(filename).name
    ]
    return f"; beside it lies {others[0].name}, for --restore-file" if others else ""


def _causes(error: BaseException | None) -> list[BaseException]:
    causes = []
    while error is not None:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes


def _difference(trainer, filename: str, causes: list[BaseException]) -> str:
    """The settings of the model that differ, where any do; otherwise what the error says."""
    theirs, ours = read_checkpoint(filename).state["cfg"].model, trainer.cfg.model
    differing = [
        f"--{key.replace('_', '-')} {theirs[key]} there, {ours[key]} here"
        for key in theirs
        if key in ours and key not in ("_name", *TRAINING_SETTINGS) and theirs[key] != ours[key]
    ]
    return (
        ", ".join(differing)
        or (str(causes[-1]).strip().splitlines() or [type(causes[-1]).__name__])[0][:200]
    )


def _with_best(load):
    """fairseq copies an epoch's file to checkpoint_best.pt last. A kill before that leaves the file
    of an earlier epoch, while the next run counts the newer one as the best."""

    @functools.wraps(load)
    def load_checkpoint(cfg, trainer, **arguments):
        if cfg.finetune_from_model:
            if cfg.restore_file != "checkpoint_last.pt":
                raise InputError(
                    "--finetune-from-model and --restore-file exclude each other; leave one out"
                )
            if not os.path.isfile(cfg.finetune_from_model):
                raise InputError(
                    f"{cfg.finetune_from_model}: no such checkpoint; correct --finetune-from-model"
                )
        with _finishing_first_save(cfg, trainer):
            state, iterator = load(cfg, trainer, **arguments)
            # Where training begins from another run's weights, fairseq takes over no best figure.
            best = getattr(checkpoint_utils.save_checkpoint, "best", None)
            if state is not None and best is not None and state.get("val_loss") == best:
                _copy_best(cfg, trainer)
        return state, iterator

    return load_checkpoint


@contextlib.contextmanager
def _finishing_first_save(cfg, trainer):
    """While it lasts, training goes on from what a kill left of the first save; then that is
    checkpoint_last.pt."""
    path = _first_save(cfg)
    if path is None:
        yield
        return
    before = cfg.restore_file, cfg.finetune_from_model
    cfg.restore_file, cfg.finetune_from_model = str(path), None
    try:
        yield
    finally:
        cfg.restore_file, cfg.finetune_from_model = before
    if trainer.should_save_checkpoint_on_current_rank:
        copy_whole(str(path), os.path.join(cfg.save_dir, "checkpoint_last.pt"))


def _copy_best(cfg, trainer) -> None:
    """Makes the checkpoint just restored, the best so far, checkpoint_best.pt of its folder too."""
    name = cfg.restore_file
    source = os.path.join(cfg.save_dir, name) if name == "checkpoint_last.pt" else name
    target = os.path.join(cfg.save_dir, "checkpoint_best.pt")
    ours = os.path.isfile(source) and os.path.realpath(os.path.dirname(source)) == os.path.realpath(
        cfg.save_dir
    )
    saves = not cfg.no_save and trainer.should_save_checkpoint_on_current_rank
    if (
        ours
        and saves
        and not (os.path.exists(target) and filecmp.cmp(source, target, shallow=False))
    ):
        copy_whole(source, target)


def copy_whole(source: str, target: str, overwrite: bool = False) -> bool:
    """Copies a file; the copy takes its name when it is whole."""
    partial = f"{target}.tmp"
    shutil.copyfile(source, partial)
    os.replace(partial, target)
    return True
