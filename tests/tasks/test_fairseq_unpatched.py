"""vqapg changes fairseq under its commands, and leaves it alone in other programs."""

import importlib
import os
import subprocess
import sys

import pytest
from fairseq import checkpoint_utils
from fairseq.utils import import_user_module

import vqapg.tasks
from tests.support.fairseq_commands import REPOSITORY
from vqapg.denormals import are_flushed
from vqapg.tasks import fairseq_patches
from vqapg.tasks.one_line_errors import report_errors

# fairseq first, as it is; then what a program of one's own does with vqapg.
PROGRAM = """
import argparse, logging, sys
from fairseq import checkpoint_utils
from fairseq.file_io import PathManager
from fairseq.optim.lr_scheduler.reduce_lr_on_plateau import ReduceLROnPlateauLRSchedule
from fairseq.trainer import Trainer
import torch

def state():
    names = "load_checkpoint_to_cpu", "load_model_ensemble_and_task", "load_checkpoint"
    return [
        *(getattr(checkpoint_utils, name) for name in names),
        ReduceLROnPlateauLRSchedule.state_dict, ReduceLROnPlateauLRSchedule.load_state_dict,
        PathManager.copy, Trainer.load_checkpoint, sys.excepthook,
        logging.getLogger("h5py").level,
        argparse.Namespace in torch.serialization.get_safe_globals(),
    ]

stock = state()
import vqapg
assert state() == stock, "import vqapg"
from vqapg import load
load(sys.argv[1], weights="none", device="cpu")
assert state() == stock, "load"
from vqapg.tasks.vqapg import GenerationConfig, GenerationTask
assert state() == stock, "import of a task"
try:
    GenerationTask.setup_task(GenerationConfig(data="nowhere"))
except vqapg.errors.InputError:
    pass
changed = [old != new for old, new in zip(stock, state())]
# All but sys.excepthook, which belongs to the program.
assert changed == [True] * 7 + [False] + [True] * 2, changed
"""


def test_only_a_task_set_up_changes_fairseq(checkpoint):
    path = checkpoint("vqapg_joint_variational")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, path],
        cwd=REPOSITORY,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("folders, times", [((), 0), (("elsewhere/vqapg",), 0), (None, 1)])
def test_user_dir_changes_fairseq_on_import(monkeypatch, folders, times):
    calls = []
    monkeypatch.setattr(fairseq_patches, "patch_fairseq", lambda: calls.append(1))
    folders = {str(REPOSITORY / "vqapg")} if folders is None else set(folders)
    monkeypatch.setattr(import_user_module, "memo", folders, raising=False)
    importlib.reload(vqapg.tasks)
    assert len(calls) == times
    assert are_flushed() == bool(times)


def test_second_call_changes_nothing():
    before = checkpoint_utils.load_checkpoint, checkpoint_utils.load_model_ensemble_and_task
    fairseq_patches.patch_fairseq()
    after = checkpoint_utils.load_checkpoint, checkpoint_utils.load_model_ensemble_and_task
    assert after == before


@pytest.mark.parametrize(
    "program, hooked",
    [
        ("/usr/bin/fairseq-train", True),
        ("/lib/fairseq_cli/train.py", True),
        ("/home/ada/fairseq/notebook.py", False),
        ("", False),
    ],
)
def test_only_fairseq_commands_report_in_one_line(monkeypatch, program, hooked):
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setattr(sys, "argv", [program])
    report_errors()
    assert (sys.excepthook is not sys.__excepthook__) == hooked
