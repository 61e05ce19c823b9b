"""A kill at any moment leaves every checkpoint whole, and the best one is the best."""

import shutil
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
import torch
from fairseq import checkpoint_utils
from fairseq.dataclass.configs import CheckpointConfig
from fairseq.file_io import PathManager

from tests.support.tiny_checkpoints import save_checkpoint


def test_a_copy_cut_short_leaves_the_file_of_before(tmp_path, monkeypatch):
    (tmp_path / "checkpoint2.pt").write_bytes(b"second")
    (tmp_path / "checkpoint_best.pt").write_bytes(b"first")

    def copy_half(source, target):
        with open(target, "wb") as file:
            file.write(b"sec")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", copy_half)
        with pytest.raises(KeyboardInterrupt):
            PathManager.copy(
                str(tmp_path / "checkpoint2.pt"),
                str(tmp_path / "checkpoint_best.pt"),
                overwrite=True,
            )
    assert (tmp_path / "checkpoint_best.pt").read_bytes() == b"first"
    assert PathManager.copy(
        str(tmp_path / "checkpoint2.pt"), str(tmp_path / "checkpoint_best.pt"), overwrite=True
    )
    assert (tmp_path / "checkpoint_best.pt").read_bytes() == b"second"
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint2.pt", "checkpoint_best.pt"}


def restore(monkeypatch, restore_file, save_dir, val_loss, best, saves=True, **options):
    """fairseq's own load_checkpoint, called as by fairseq-train, over an empty trainer."""
    monkeypatch.setattr(checkpoint_utils.save_checkpoint, "best", None, raising=False)
    state = {"val_loss": val_loss, "best": best, "train_iterator": {"epoch": 3}}
    trainer = SimpleNamespace(
        checkpoint_suffix="",
        task=None,
        should_save_checkpoint_on_current_rank=saves,
        lr_step=lambda epoch: None,
        load_checkpoint=lambda *arguments, **options: state,
        get_train_iterator=lambda **options: MagicMock(),
        data_parallel_rank=0,
    )
    cfg = CheckpointConfig(save_dir=str(save_dir), restore_file=str(restore_file), **options)
    checkpoint_utils.load_checkpoint(cfg, trainer)


@pytest.mark.parametrize("name", ["checkpoint3.pt", "checkpoint_last.pt"])
@pytest.mark.parametrize("before", [b"of an earlier epoch", None])
def test_a_run_killed_before_the_best_was_copied_is_mended_by_the_next(
    tmp_path, monkeypatch, name, before
):
    (tmp_path / name).write_bytes(b"third")
    best = tmp_path / "checkpoint_best.pt"
    if before:
        best.write_bytes(before)
    restored = name if name == "checkpoint_last.pt" else tmp_path / name
    restore(monkeypatch, restored, tmp_path, val_loss=-2.5, best=-2.0)
    assert not best.exists() if before is None else best.read_bytes() == before
    restore(monkeypatch, restored, tmp_path, val_loss=-2.0, best=-2.0)
    assert best.read_bytes() == b"third"


def test_kill_in_a_first_save_loses_nothing_of_it(tmp_path, monkeypatch, dictionary):
    def epochs(folder, **options):
        for path in folder.glob("*.pt"):
            path.unlink()
        names = options.pop("names", ["checkpoint1.pt"])
        for number, name in enumerate(names):
            save_checkpoint(folder / name, "vqapg_joint", dictionary)
            state = torch.load(folder / name)
            state["extra_state"]["train_iterator"]["epoch"] = options.pop(f"epoch{number}", 2)
            torch.save(state, folder / name)
        restore(monkeypatch, "checkpoint_last.pt", folder, val_loss=-2.0, best=-2.0, **options)
        return {path.name for path in folder.iterdir()}

    whole = {"checkpoint_best.pt", "checkpoint_last.pt"}
    assert epochs(tmp_path, names=["checkpoint_best.pt"]) == whole
    assert epochs(tmp_path) == whole | {"checkpoint1.pt"}
    # Fine-tuning goes on with what it had learned, not from the beginning.
    start = tmp_path / "start.bin"
    start.write_bytes(b"")
    assert epochs(tmp_path, finetune_from_model=str(start)) > whole
    assert epochs(tmp_path, names=["checkpoint5.pt"], epoch0=6, save_interval=5) > whole
    # Of a later epoch, or of several: somebody removed checkpoint_last.pt, or never had it.
    for options in (
        {"epoch0": 3},
        {"names": ["checkpoint1.pt", "checkpoint2.pt"], "epoch1": 3},
        {"no_last_checkpoints": True},
        {"no_save": True},
    ):
        assert "checkpoint_last.pt" not in epochs(tmp_path, **options), options


def test_the_best_is_only_taken_from_a_run_that_goes_on_in_its_folder_and_saves(
    tmp_path, monkeypatch
):
    (tmp_path / "here").mkdir()
    (tmp_path / "checkpoint3.pt").write_bytes(b"of another run")
    restore(monkeypatch, tmp_path / "checkpoint3.pt", tmp_path / "here", val_loss=-2.0, best=-2.0)
    assert not list((tmp_path / "here").iterdir())
    for options in ({"no_save": True}, {"saves": False}, {"reset_meters": True}):
        restore(
            monkeypatch, tmp_path / "checkpoint3.pt", tmp_path, val_loss=-2.0, best=-2.0, **options
        )
        assert not (tmp_path / "checkpoint_best.pt").exists(), options
