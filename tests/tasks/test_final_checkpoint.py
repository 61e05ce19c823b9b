"""The checkpoint that is used: one training's, or two sub-models' of a pipeline in one."""

import json
import re
import subprocess
from types import SimpleNamespace

import pytest
import torch
from fairseq.data import Dictionary

from tests.support.generation_models import build
from tests.support.tiny_checkpoints import features, save_checkpoint
from vqapg.cli.main import main
from vqapg.tasks.checkpoints import load_generation_model
from vqapg.tasks.final_checkpoint import save_final

NAME = "vqapg_pipeline_variational"


def save(folder, file, dictionary, *, name=NAME, epoch=3, updates=30, change=None, **options):
    """A checkpoint at the end of *epoch*, as a training saves it."""
    folder.mkdir(exist_ok=True)
    save_checkpoint(folder / file, name, dictionary, **options)
    state = torch.load(folder / file)
    state["extra_state"]["train_iterator"] = {"epoch": epoch + 1, "iterations_in_epoch": 0}
    state["optimizer_history"][-1]["num_updates"] = updates
    state["last_optimizer_state"] = {"state": {0: {"exp_avg": torch.zeros(10_000)}}}
    for key, value in (change or {}).items():
        state["model"][key] = value
    torch.save(state, folder / file)


@pytest.fixture
def halves(tmp_path, dictionary):
    """halves(x={...}, y={...}): the folders of the two sub-models, with these changes."""

    def make(x=None, y=None):
        whole = build(NAME, dictionary, features(), "aq").state_dict()
        for sub_model, epoch, changes in (("x", 3, x), ("y", 5, y)):
            weights = {
                key: value + 1
                for key, value in whole.items()
                if key.startswith(f"{sub_model}_model.") and not key.endswith(("_mean", "_std"))
            }
            options = {"order": "aq", "sub_model": sub_model, "change": weights, "epoch": epoch}
            options |= {"of_dictionary": dictionary, "updates": 10 * epoch, **(changes or {})}
            folder, words = tmp_path / sub_model, options.pop("of_dictionary")
            save(folder, "checkpoint_best.pt", words, **options)
            save(folder, "checkpoint_last.pt", words, **options | {"epoch": 9, "updates": 90})
        return tmp_path / "x", tmp_path / "y"

    return make


def checkpoint(*words):
    return main(["checkpoint", *map(str, words)])


@pytest.mark.parametrize("turn", [1, -1])
def test_joined_sub_models_are_one_pipeline_in_any_order(
    halves, tmp_path, dictionary, turn, capsys
):
    x, y = halves()
    output = tmp_path / "final.pt"
    assert checkpoint(*(x, y)[::turn], "--output", output) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{output}: the best weights of x, epoch 3 of 9, 30 updates",
        f"{output}: the best weights of y, epoch 5 of 9, 50 updates",
    ]
    model = load_generation_model(output).model
    expected = build(NAME, dictionary, features(), "aq").state_dict()
    found = model.state_dict()
    assert found.keys() == expected.keys() and model.sub_model == "both"
    for key, value in expected.items():
        kept = key == "_extra_state" or key.endswith(("_mean", "_std"))
        torch.testing.assert_close(found[key], value if kept else value + 1, rtol=0, atol=0)
    record = json.loads((tmp_path / "trained.json").read_text())
    assert record.pop("provenance")["inputs"]["x"]["path"] == str(x / "checkpoint_best.pt")
    assert record == {
        "weights": "best",
        "sub_models": [
            {"folder": "x", "epoch": 3, "updates": 30, "last_epoch": 9},
            {"folder": "y", "epoch": 5, "updates": 50, "last_epoch": 9},
        ],
        "updates": 80,
    }


def test_last_weights_of_one_training_lose_the_optimizer(tmp_path, dictionary):
    folder = tmp_path / "run"
    save(folder, "checkpoint_best.pt", dictionary, name="vqapg_joint", epoch=2)
    save(folder, "checkpoint_last.pt", dictionary, name="vqapg_joint", epoch=4, updates=44)
    record = save_final([folder], folder / "final.pt", "last")
    assert record["weights"] == "last" and record["updates"] == 44
    last = {"folder": ".", "epoch": 4, "updates": 44, "last_epoch": 4}
    assert record["sub_models"] == [last]
    state = torch.load(folder / "final.pt")
    assert state["last_optimizer_state"] is None
    size, of_training = (
        (folder / name).stat().st_size for name in ("final.pt", "checkpoint_last.pt")
    )
    assert size < of_training - 40_000
    load_generation_model(folder / "final.pt")
    # Without checkpoint_last.pt nobody knows how long the training was.
    (folder / "checkpoint_last.pt").unlink()
    record = save_final([folder], folder / "final.pt", overwrite=True)
    assert record["sub_models"][0]["last_epoch"] is None


def test_evaluator_has_a_final_checkpoint_too(tmp_path, dictionary):
    save(tmp_path / "run", "checkpoint_best.pt", dictionary, name="vqapg_consistency")
    assert checkpoint(tmp_path / "run", "--output", tmp_path / "final.pt") == 0


def other_words(dictionary):
    other = Dictionary()
    for word in [*dictionary.symbols[4:], "zebra"]:
        other.add_symbol(word)
    return other


@pytest.mark.parametrize(
    "changes, line",
    [
        ({"sub_model": "x", "change": {}}, "y: is the X-model of a pipeline, and so is .*/x;"),
        ({"order": "qa", "change": {}}, "y: does not fit .*/x \\(--order qa, not aq\\)"),
        ({"hidden_size": 10, "change": {}}, "y: does not fit .*/x \\(--hidden-size 10, not 8\\)"),
        ({"region_scaling": False, "change": {}}, "region-scaling False, not True"),
        (
            {"name": "vqapg_pipeline", "change": {}},
            "vqapg_pipeline, not vqapg_pipeline_variational",
        ),
        ({"name": "vqapg_joint", "order": None, "sub_model": None}, "y: is no sub-model of a pipe"),
        ({"sub_model": "both", "change": {}}, "y: is no sub-model of a pipeline; give one folder"),
    ],
)
def test_what_does_not_fit_is_one_line(halves, tmp_path, dictionary, capsys, changes, line):
    changes = {key: value for key, value in changes.items() if value is not None}
    if changes.get("name") == "vqapg_joint":
        x, y = halves()
        save(y, "checkpoint_best.pt", dictionary, name="vqapg_joint")
    else:
        x, y = halves(y=changes)
    assert_refused(capsys, tmp_path, (x, y), line)


def assert_refused(capsys, tmp_path, folders, line, *flags):
    assert checkpoint(*folders, "--output", tmp_path / "final.pt", *flags) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert re.search(line, told), told
    assert not (tmp_path / "final.pt").exists() and not (tmp_path / "trained.json").exists()


def test_other_data_is_one_line(halves, tmp_path, dictionary, capsys):
    words = {"of_dictionary": other_words(dictionary), "change": {}}
    line = "another dictionary, of 19 and 18 entries"
    assert_refused(capsys, tmp_path, halves(y=words), line)
    line = r"features of another image_size \(96, not 64\)"
    source = features().source | {"image_size": 96}
    other = SimpleNamespace(**vars(features()) | {"source": source})
    assert_refused(capsys, tmp_path, halves(y={"of_features": other}), line)
    other = SimpleNamespace(**vars(features()) | {"mean": features().mean + 1})
    assert_refused(capsys, tmp_path, halves(y={"of_features": other}), "other training images")


def test_dropout_of_the_sub_models_may_differ(halves, tmp_path):
    assert checkpoint(*halves(y={"dropout": 0.3}), "--output", tmp_path / "final.pt") == 0


def test_folder_that_cannot_be_used_is_one_line(halves, tmp_path, dictionary, capsys):
    x, y = halves()
    refused = [
        ((x,), "x: is half a pipeline, its X-model; give the folder of the other sub-model too"),
        ((x, x), "x: is the X-model of a pipeline, and so is"),
        ((x, y, x), "3 folders: give one, or the two"),
        ((tmp_path / "none", y), "none: is no folder of checkpoints"),
        ((x / "checkpoint_best.pt",), "checkpoint_best.pt: is no folder of checkpoints"),
    ]
    for folders, line in refused:
        assert_refused(capsys, tmp_path, folders, line)
    (y / "checkpoint_last.pt").unlink()
    assert_refused(capsys, tmp_path, (x, y), "y: holds no checkpoint_last.pt", "--weights", "last")
    # A kill between the copies
    line = "best.pt is of epoch 5 and checkpoint_last.pt of epoch 4, as a killed"
    save(y, "checkpoint_last.pt", dictionary, order="aq", sub_model="y", epoch=4)
    assert_refused(
        capsys, tmp_path, (x, y), "best.pt is of epoch 5 and checkpoint_last.pt of epoch 4"
    )
    (y / "checkpoint_best.pt").write_bytes(b"torn")
    assert_refused(capsys, tmp_path, (x, y), "checkpoint_best.pt: not a whole checkpoint")


def test_only_what_this_command_wrote_is_replaced(halves, tmp_path, dictionary, capsys):
    x, y = halves()
    output = tmp_path / "final.pt"
    assert checkpoint(x, y, "--output", output) == 0
    before = output.read_bytes()
    assert checkpoint(x, y, "--output", output) == 2
    assert "final.pt: is there already" in capsys.readouterr().err
    assert output.read_bytes() == before
    assert checkpoint(x, y, "--output", output, "--weights", "last", "--overwrite") == 0
    assert json.loads((tmp_path / "trained.json").read_text())["weights"] == "last"
    (tmp_path / "other").mkdir()
    foreign = tmp_path / "other/checkpoint3.pt"
    save(foreign.parent, foreign.name, dictionary)
    for path, line in (
        (foreign, "checkpoint3.pt: is a checkpoint that a training saved, and only"),
        (x / "checkpoint_best.pt", "checkpoint_best.pt: is read by this very command"),
        (tmp_path / "none/final.pt", "there is no folder"),
    ):
        before = path.read_bytes() if path.exists() else None
        assert checkpoint(x, y, "--output", path, "--overwrite") == 2
        assert line in capsys.readouterr().err
        assert before is None or path.read_bytes() == before
    (tmp_path / "other/trained.json").write_text("{}")
    assert checkpoint(x, y, "--output", tmp_path / "other/final.pt", "--overwrite") == 2
    assert "trained.json: was not written by vqapg" in capsys.readouterr().err
    assert not (tmp_path / "other/final.pt").exists()


def test_kill_leaves_the_checkpoint_of_before(halves, tmp_path, monkeypatch):
    x, y = halves()
    output = tmp_path / "final.pt"
    assert checkpoint(x, y, "--output", output) == 0
    before = output.read_bytes()

    def half(state, file):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half)
    assert checkpoint(x, y, "--output", output, "--overwrite") == 130
    assert output.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"x", "y", "final.pt", "trained.json"}


def test_every_kind_of_model_is_known_to_a_fresh_process(tmp_path, dictionary):
    """What this process has imported must not be what makes it work."""
    save(tmp_path / "run", "checkpoint_best.pt", dictionary, name="vqapg_consistency")
    done = subprocess.run(
        [
            *("vqapg", "checkpoint", tmp_path / "run", "--weights", "best"),
            *("--output", tmp_path / "final.pt"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "final.pt").exists() and (tmp_path / "trained.json").exists()


def test_half_weights_take_half_and_load_as_float32(tmp_path, dictionary):
    save(tmp_path / "run", "checkpoint_best.pt", dictionary, name="vqapg_joint_variational")
    save_final([tmp_path / "run"], tmp_path / "whole.pt")
    save_final([tmp_path / "run"], tmp_path / "half.pt", half=True, overwrite=True)
    whole, half = (
        load_generation_model(tmp_path / name).model.state_dict()
        for name in ("whole.pt", "half.pt")
    )
    assert whole.keys() == half.keys()
    for name, tensor in whole.items():
        if torch.is_tensor(tensor) and tensor.is_floating_point():
            assert half[name].dtype == torch.float32
            torch.testing.assert_close(half[name], tensor, rtol=1e-3, atol=1e-4)
    stored = torch.load(tmp_path / "half.pt")["model"]
    assert {x.dtype for x in stored.values() if x.is_floating_point()} == {torch.float16}
