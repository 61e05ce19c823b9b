"""fairseq's own tools on our checkpoints: averages, moving averages, resuming."""

from collections import OrderedDict
from types import SimpleNamespace

import pytest
import torch
from fairseq.data import Dictionary
from fairseq.dataclass.configs import CheckpointConfig, EMAConfig
from fairseq.models.ema import EMA
from fairseq.optim import FairseqOptimizer
from fairseq.optim.adafactor import Adafactor
from fairseq.optim.lr_scheduler.reduce_lr_on_plateau import (
    ReduceLROnPlateauLRSchedule,
    ReduceLROnPlateauLRScheduleConfig,
)
from fairseq.trainer import Trainer

from tests.support.generation_models import build
from tests.support.tiny_checkpoints import save_checkpoint
from vqapg.errors import InputError
from vqapg.models import origin
from vqapg.tasks import fairseq_patches
from vqapg.tasks.checkpoints import load_generation_model
from vqapg.tasks.one_line_errors import tell

LOADED = {"train_iterator": {"epoch": 3}, "val_loss": 2.5}  # a checkpoint's extra_state


def average_checkpoints(inputs):
    """What fairseq 0.12's scripts/average_checkpoints.py does. The package lacks the script."""
    params_dict, params_keys, new_state = OrderedDict(), None, None
    for path in inputs:
        state = torch.load(path, map_location="cpu")
        if new_state is None:
            new_state = state
        model_params = state["model"]
        if params_keys is None:
            params_keys = list(model_params.keys())
        elif params_keys != list(model_params.keys()):
            raise KeyError
        for k in params_keys:
            p = model_params[k]
            if isinstance(p, torch.HalfTensor):
                p = p.float()
            if k not in params_dict:
                params_dict[k] = p.clone()
            else:
                params_dict[k] += p
    averaged = OrderedDict()
    for k, v in params_dict.items():
        averaged[k] = v
        if averaged[k].is_floating_point():
            averaged[k].div_(len(inputs))
        else:
            averaged[k] //= len(inputs)
    new_state["model"] = averaged
    return new_state


def save_epochs(folder, dictionary, count):
    """Checkpoints of one model whose weights grow by 1 an epoch."""
    paths = []
    for epoch in range(count):
        path = folder / f"checkpoint{epoch}.pt"
        save_checkpoint(path, "vqapg_joint", dictionary)
        state = torch.load(path)
        state["model"]["embedding.weight"] += epoch
        torch.save(state, path)
        paths.append(path)
    return paths


@pytest.mark.parametrize("count", [2, 3, 7])
def test_stock_average_loads_and_keeps_its_record(tmp_path, dictionary, count):
    paths = save_epochs(tmp_path, dictionary, count)
    torch.save(average_checkpoints(paths), tmp_path / "average.pt")
    average, first = (load_generation_model(path) for path in (tmp_path / "average.pt", paths[0]))
    assert average.dictionary.symbols == dictionary.symbols and average.features == first.features
    weights = [loaded.model.state_dict()["embedding.weight"] for loaded in (average, first)]
    # The mean of 0, 1, ..., count - 1
    torch.testing.assert_close(
        weights[0] - weights[1], torch.full_like(weights[0], (count - 1) / 2)
    )


def test_average_over_different_data_is_refused(tmp_path, dictionary):
    other = Dictionary()
    for word in [*dictionary.symbols[4:-1], "ja"]:  # of the same length, so that the records add up
        other.add_symbol(word)
    for name, words in (("a.pt", dictionary), ("b.pt", other)):
        save_checkpoint(tmp_path / name, "vqapg_joint", words)
    torch.save(average_checkpoints([tmp_path / "a.pt", tmp_path / "b.pt"]), tmp_path / "average.pt")
    with pytest.raises(InputError, match="average.pt: .*an average over models of different data"):
        load_generation_model(tmp_path / "average.pt")


@pytest.mark.parametrize("fp32", [True, False])
def test_moving_average_keeps_the_record(dictionary, features, fp32):
    model = build("vqapg_joint", dictionary, features)
    average = EMA(
        model, EMAConfig(store_ema=True, ema_decay=0.9, ema_fp32=fp32, ema_start_update=0)
    )
    for update in range(1, 20):
        average.step(model, update)
    assert origin.from_tensor(average.get_model().state_dict()["_extra_state"]) == model.origin


def test_record_survives_half_precision(dictionary, features):
    stored = build("vqapg_joint", dictionary, features).state_dict()["_extra_state"]
    for kind in (torch.float16, torch.bfloat16, torch.int64, torch.float64):
        assert origin.from_tensor(stored.to(kind).float()) == origin.from_tensor(stored)


@pytest.fixture
def restore(tmp_path, monkeypatch):
    """restore(NAME, [flags]): what fairseq-train does first, over a trainer that loads nothing."""

    def load(
        name,
        fp16=False,
        cuda=False,
        loads=lambda *arguments: LOADED,
        optimizer=None,
        schedule=None,
        reset=(),
        **flags,
    ):
        cfg = CheckpointConfig(save_dir=str(tmp_path), **flags)
        common = SimpleNamespace(fp16=fp16, memory_efficient_fp16=False)
        trainer = SimpleNamespace(cfg=SimpleNamespace(checkpoint=cfg, common=common), cuda=cuda)
        trainer.optimizer = SimpleNamespace(optimizer=optimizer or torch.optim.SGD([torch.ones(1)]))
        trainer.lr_scheduler = schedule
        trainer.lr_step = lambda epoch, figure: schedule.step(epoch, figure)
        return fairseq_patches._never_anew(loads)(trainer, str(tmp_path / name), *reset)

    return load


def test_first_start_in_an_empty_folder(restore, tmp_path):
    assert restore("checkpoint_last.pt") == LOADED
    (tmp_path / "old").mkdir()
    (tmp_path / "old/checkpoint9.pt").write_bytes(b"")
    assert restore("checkpoint_last.pt") == LOADED


def test_missing_file_to_go_on_from_is_refused(restore):
    with pytest.raises(
        InputError, match="checkpoint7.pt: no such checkpoint; correct --restore-file"
    ):
        restore("checkpoint7.pt", restore_file="checkpoint7.pt")


def test_folder_with_checkpoints_is_never_started_anew(restore, tmp_path):
    (tmp_path / "checkpoint3.pt").write_bytes(b"")
    with pytest.raises(
        InputError, match="holds checkpoint3.pt .*give --restore-file .*/checkpoint3.pt to go on"
    ):
        restore("checkpoint_last.pt")
    # Neither from another model's weights, which stand in a file of their own
    (tmp_path / "start").mkdir()
    (tmp_path / "start/model.pt").write_bytes(b"")
    with pytest.raises(InputError, match="holds checkpoint3.pt"):
        restore("start/model.pt", finetune_from_model=str(tmp_path / "start/model.pt"))
    assert restore("checkpoint_last.pt", no_save=True) == LOADED
    (tmp_path / "checkpoint_last.pt").write_bytes(b"")
    assert restore("checkpoint_last.pt") == LOADED


@pytest.mark.parametrize(
    "make", [lambda path: path.symlink_to("gone.pt"), lambda path: path.mkdir()]
)
def test_what_is_not_a_file_is_no_reason_to_start_anew(restore, tmp_path, make):
    make(tmp_path / "checkpoint_last.pt")
    with pytest.raises(InputError, match="checkpoint_last.pt: is not a file that can be read"):
        restore("checkpoint_last.pt")


def test_torn_checkpoint_names_the_one_beside_it(restore, tmp_path, dictionary):
    save_checkpoint(tmp_path / "checkpoint3.pt", "vqapg_joint", dictionary)
    torn = tmp_path / "checkpoint_last.pt"
    torn.write_bytes((tmp_path / "checkpoint3.pt").read_bytes()[:-100])
    with pytest.raises(
        InputError, match="checkpoint_last.pt: not a whole .*; beside it lies checkpoint3.pt"
    ):
        restore(
            "checkpoint_last.pt",
            loads=lambda trainer, name, *flags: fairseq_patches.load_checkpoint_to_cpu(name),
        )


def test_flags_of_another_model_are_named(restore, tmp_path, dictionary):
    save_checkpoint(tmp_path / "checkpoint_last.pt", "vqapg_joint", dictionary)

    def loads(trainer, filename, *flags):
        trainer.cfg.model = {"hidden_size": 16, "embed_dim": 6, "dropout": 0.3}
        try:
            raise RuntimeError("size mismatch for image_encoder.embed.weight\nand others")
        except RuntimeError:
            raise Exception("Cannot load model parameters from checkpoint")

    with pytest.raises(
        InputError, match=r"cannot go on from it \(--hidden-size 8 there, 16 here\)"
    ):
        restore("checkpoint_last.pt", loads=loads)


def test_half_precision_without_gpu_is_one_line(restore):
    with pytest.raises(InputError, match="--fp16 trains on a GPU only; give --amp on a CPU"):
        restore("checkpoint_last.pt", fp16=True)
    assert restore("checkpoint_last.pt", fp16=True, cuda=True) == LOADED


def stepped():
    """Adam after a step over two weights."""
    weights = [torch.ones(2, 3, requires_grad=True), torch.ones(4, requires_grad=True)]
    optimizer = torch.optim.Adam(weights, lr=0.1)
    sum(weight.sum() for weight in weights).backward()
    optimizer.step()
    return optimizer


@pytest.mark.parametrize(
    "change",
    [
        {"exp_avg": []},
        {"exp_avg": torch.zeros(3, 2)},
        {"exp_avg": torch.full((2, 3), float("nan"))},
        {"exp_avg": torch.zeros(2, 3, dtype=torch.int64)},
        {"step": "1"},
        {"step": float("inf")},
        {"other": "1"},
    ],
)
def test_state_of_the_optimizer_that_does_not_fit_is_one_line(restore, change):
    optimizer = stepped()
    next(iter(optimizer.state.values())).update(change)
    with pytest.raises(InputError, match="checkpoint_last.pt: its state of the optimizer does not"):
        restore("checkpoint_last.pt", optimizer=optimizer)


@pytest.mark.parametrize(
    "name, value",
    [("lr", "0.1"), ("lr", float("nan")), ("betas", 0.9), ("betas", (0.9, None)), ("amsgrad", 3)],
)
def test_setting_of_the_optimizer_that_cannot_be_is_one_line(restore, name, value):
    optimizer = stepped()
    optimizer.param_groups[0][name] = value
    with pytest.raises(InputError, match=f"its setting {name} of the optimizer cannot be"):
        restore("checkpoint_last.pt", optimizer=optimizer)


def test_lost_state_of_the_optimizer_is_one_line(restore):
    optimizer = stepped()
    for state in optimizer.state.values():
        del state["exp_avg_sq"]
    with pytest.raises(InputError, match="its state of the optimizer does not fit"):
        restore("checkpoint_last.pt", optimizer=optimizer)


def test_state_of_another_optimizer_is_taken_as_it_is(restore):
    """Adafactor keeps a row and a column of each matrix, and other entries of each vector."""
    weights = [torch.ones(2, 3, requires_grad=True), torch.ones(4, requires_grad=True)]
    optimizer = Adafactor(weights)
    sum(weight.sum() for weight in weights).backward()
    optimizer.step()
    assert restore("checkpoint_last.pt", optimizer=optimizer) == LOADED


def test_setting_of_the_optimizer_that_is_missing_is_one_line(restore):
    optimizer = stepped()
    del optimizer.param_groups[0]["betas"]
    with pytest.raises(InputError, match="its setting betas of the optimizer cannot be"):
        restore("checkpoint_last.pt", optimizer=optimizer)


def test_state_of_the_optimizer_that_fits_is_taken(restore):
    optimizer = stepped()
    assert restore("checkpoint_last.pt", optimizer=optimizer) == LOADED
    # fairseq's Adam does not store what torch adds to the defaults of every optimizer.
    del optimizer.param_groups[0]["differentiable"]
    assert restore("checkpoint_last.pt", optimizer=optimizer) == LOADED


def plateau(**changes):
    """The schedule of fairseq with these figures, as taken over from a checkpoint."""
    optimizer = FairseqOptimizer(None)
    optimizer._optimizer = stepped()
    cfg = ReduceLROnPlateauLRScheduleConfig(lr=[0.1], lr_patience=3)
    cfg.maximize_best_checkpoint_metric = False
    schedule = ReduceLROnPlateauLRSchedule(cfg, optimizer)
    schedule.load_state_dict({"best": 2.0, "last_epoch": 1, **changes})
    return schedule


def test_plateau_counts_on_with_the_figure_of_the_last_epoch(restore):
    for state, expected in (({"num_bad_epochs": 2}, 3), ({}, 1), ({"best": 3.0}, 0)):
        schedule = plateau(**state)
        assert restore("checkpoint_last.pt", schedule=schedule) == LOADED
        assert schedule.lr_scheduler.num_bad_epochs == expected
        assert schedule.state_dict()["num_bad_epochs"] == expected
    schedule = plateau(num_bad_epochs=2)
    # --reset-optimizer, --reset-lr-scheduler
    for reset in ((True, False), (False, True)):
        restore("checkpoint_last.pt", schedule=schedule, reset=reset)
    middle = {"train_iterator": {"epoch": 3, "iterations_in_epoch": 5}, "val_loss": 2.5}
    for unknown in (middle, LOADED | {"val_loss": None}):
        restore("checkpoint_last.pt", schedule=schedule, loads=lambda *flags: unknown)
    assert schedule.lr_scheduler.num_bad_epochs == 2


@pytest.mark.parametrize(
    "change, figure",
    [
        ({"best": "2"}, 2.5),
        ({"best": None}, 2.5),
        ({"num_bad_epochs": -1}, 2.5),
        ({"num_bad_epochs": 1.5}, 2.5),
        ({"num_bad_epochs": [1]}, 2.5),
        ({}, "2.5"),
    ],
)
def test_state_of_the_plateau_that_cannot_be_is_one_line(restore, change, figure):
    with pytest.raises(InputError, match="_last.pt: its state of the learning rate's schedule"):
        restore(
            "checkpoint_last.pt",
            schedule=plateau(**change),
            loads=lambda *flags: LOADED | {"val_loss": figure},
        )


def test_final_checkpoint_is_not_gone_on_from_without_a_word(restore, tmp_path):
    (tmp_path / "final.pt").write_bytes(b"")
    flags = {"restore_file": "final.pt", "loads": lambda *flags: LOADED | {"trained": {}}}
    with pytest.raises(InputError, match=r"final.pt: was .* --finetune-from-model, or give --res"):
        restore("final.pt", **flags)
    assert restore("final.pt", reset=(True,), **flags)


def test_error_of_the_data_under_fairseqs_own_is_told():
    def trainer():
        try:
            raise InputError("dict.txt: is not the dictionary")
        except InputError:
            raise Exception("Cannot load model parameters from checkpoint")

    with pytest.raises(Exception) as error:
        trainer()
    assert tell(error.value) == ("dict.txt: is not the dictionary", 2)


def test_gradients_that_are_no_numbers_are_one_line_and_status_1():
    told = tell(FloatingPointError("gradients are Nan/Inf"))
    assert told.line.startswith("gradients are Nan/Inf; give a smaller --lr") and told.status == 1


def test_patches_are_in_place_once():
    assert Trainer.load_checkpoint.__wrapped__.__module__ == "fairseq.trainer"
    assert not hasattr(Trainer.load_checkpoint.__wrapped__, "__wrapped__")
