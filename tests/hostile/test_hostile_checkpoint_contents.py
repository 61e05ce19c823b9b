"""A checkpoint is a stranger's file: what it names is checked before anything is built."""

import argparse
import os

import pytest
import torch
from fairseq.models import MODEL_REGISTRY
from omegaconf import OmegaConf

from tests.support.tiny_checkpoints import refused, save_checkpoint
from vqapg.models import origin
from vqapg.tasks.checkpoint_file import read_checkpoint
from vqapg.tasks.checkpoints import load_generation_model


@pytest.fixture
def whole(tmp_path, dictionary):
    path = tmp_path / "model.pt"
    save_checkpoint(path, "vqapg_joint_variational", dictionary)
    return path


def change(path, section=None, **values):
    """Writes the checkpoint anew with other values, at its top or in a section of its settings."""
    state = torch.load(path)
    state["cfg"] = OmegaConf.to_container(state["cfg"], resolve=False)
    (state if section is None else state["cfg"][section]).update(values)
    torch.save(state, path)


@pytest.mark.parametrize(
    "section, name",
    [
        ("model", "wav2vec2"),
        ("model", "transformer"),
        ("model", "no_such"),
        ("task", "translation"),
        ("criterion", "cross_entropy"),
        ("model", None),
        ("model", ["vqapg_joint"]),
    ],
)
def test_foreign_name_is_refused_before_it_is_built(whole, monkeypatch, section, name):
    def build(*arguments):
        raise AssertionError("built")

    for model in ("wav2vec2", "transformer"):
        monkeypatch.setattr(MODEL_REGISTRY[model], "build_model", build)
    change(whole, section, _name=name)
    line = refused(whole)
    assert (
        f"{section} is {name!r}" in line
        if isinstance(name, str)
        else f"what {section} it is of" in line
    )


def test_evaluated_string_of_wav2vec2_is_never_run(whole, tmp_path):
    ran = tmp_path / "ran"
    change(whole, "model", _name="wav2vec2", conv_feature_layers=f"[open({str(ran)!r}, 'w')]")
    refused(whole)
    assert not ran.exists()


def test_legacy_task_name_and_unknown_settings_are_left_out(whole):
    # fairseq would build the task that "task" names, whatever _name says.
    change(whole, "task", task="translation", source_lang="en")
    assert dict(read_checkpoint(whole).state["cfg"].task) == {"_name": "vqapg"}


def test_old_namespace_of_arguments_is_refused(whole):
    change(whole, args=argparse.Namespace(arch="wav2vec2", task="translation", criterion="wav2vec"))
    assert "settings are of a fairseq before 0.10" in refused(whole)


@pytest.mark.parametrize(
    "section, values",
    [
        ("model", {"hidden_size": "8"}),
        ("model", {"hidden_size": True}),
        ("model", {"hidden_size": 8.0}),
        ("model", {"dropout": float("nan")}),
        ("model", {"embed_path": "${oc.env:HOME}"}),
        ("model", {"embed_dim": [6]}),
        ("model", {"hidden_size": 2**40}),
        ("criterion", {"free_bits_mode": "none"}),
        ("task", {"data": {"a": 1}}),
    ],
)
def test_setting_of_a_wrong_type_is_one_line(whole, section, values):
    change(whole, section, **values)
    assert f"its setting {section}.{next(iter(values))} is" in refused(whole)


@pytest.mark.parametrize(
    "values, expected",
    [
        ({"hidden_size": 10**9}, "a model that no machine could hold"),
        ({"hidden_size": 10**6}, "its weights do not fit its settings"),
        ({"latent_dim": 10**8}, "its weights do not fit its settings"),
        ({"hidden_size": 10}, "instead of"),
        ({"hidden_size": -2}, "--hidden-size must be at least 1"),
    ],
)
def test_sizes_are_compared_without_memory(whole, values, expected):
    change(whole, "model", **values)
    assert expected in refused(whole)


def put(path, key, value):
    state = torch.load(path)
    state["model"][key] = value(state["model"][key]) if callable(value) else value
    torch.save(state, path)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_weight_that_is_no_number_is_refused(whole, number):
    def spoil(weights):
        weights[3, 2] = number
        return weights

    put(whole, "embedding.weight", spoil)
    assert "its weights embedding.weight hold NaN or infinity" in refused(whole)


@pytest.mark.parametrize(
    "key, value, expected",
    [
        ("image_encoder.feature_mean", lambda mean: mean * float("nan"), "feature_mean hold NaN"),
        (
            "image_encoder.feature_std",
            lambda std: std * 0,
            "standard deviation of a feature is not above 0",
        ),
        (
            "image_encoder.feature_std",
            lambda std: -std,
            "standard deviation of a feature is not above 0",
        ),
        (
            "image_encoder.feature_mean",
            lambda mean: torch.zeros(10**9, device="meta"),
            "a call of",
        ),
        (
            "image_encoder.feature_mean",
            lambda mean: torch.zeros(1).expand(10**11),
            "claim more numbers than they hold",
        ),
        ("embedding.weight", lambda weight: weight.to_sparse(), "a call of"),
        ("embedding.weight", "text", "not a plain tensor"),
        ("embedding.weight", lambda weight: weight[1:], "instead of"),
        ("more", torch.zeros(2), "instead of None"),
    ],
)
def test_weights_that_cannot_be_are_refused(whole, key, value, expected):
    state = torch.load(whole)
    state["model"].setdefault("more", None)
    state["model"][key] = value(state["model"][key]) if callable(value) else value
    if state["model"]["more"] is None:
        del state["model"]["more"]
    torch.save(state, whole)
    assert expected in refused(whole)


@pytest.mark.parametrize(
    "spoil, expected",
    [
        (lambda r: r | {"dictionary": "words"}, "its dictionary is not a list of words"),
        (lambda r: r | {"dictionary": [1, 2]}, "its dictionary is not a list of words"),
        (
            lambda r: r | {"dictionary": r["dictionary"] * 2},
            "its dictionary is not one of vqapg prepare",
        ),
        (
            lambda r: r | {"dictionary": [*r["dictionary"][:4], "red"]},
            "its dictionary is not one of vqapg prepare",
        ),
        (
            lambda r: r | {"features": r["features"] | {"image_size": 10**9}},
            "image size is not between 1 and 10,000",
        ),
        (
            lambda r: r | {"features": r["features"] | {"image_size": "64"}},
            "image size is not a whole number",
        ),
        (lambda r: r | {"features": {"backbone": "resnet18"}}, "does not name the backbone"),
    ],
)
@pytest.mark.parametrize(
    "store", [origin.to_tensor, lambda record: record], ids=["tensor", "dictionary"]
)
def test_record_of_the_training_data_is_checked(whole, store, spoil, expected):
    put(whole, "_extra_state", lambda stored: store(spoil(origin.from_tensor(stored))))
    assert expected in refused(whole)


@pytest.mark.parametrize(
    "stored, expected",
    [
        ([], "has a wrong type"),
        ("words", "has a wrong type"),
        (torch.zeros(3), "is damaged"),
        (torch.zeros(70, 2), "is damaged"),
        (torch.full((80,), 1e30), "is damaged"),
        (origin.to_tensor([]), "its dictionary is not a list of words"),
    ],
)
def test_record_that_is_none_is_refused(whole, stored, expected):
    put(whole, "_extra_state", stored)
    assert expected in refused(whole)


def test_record_as_a_dictionary_of_version_0_1_still_loads(whole):
    put(whole, "_extra_state", origin.from_tensor)
    assert load_generation_model(whole).features["backbone"] == "resnet18"


class Run:
    def __reduce__(self):
        return os.system, ("touch ran",)


def test_code_in_the_file_is_refused_whatever_torch_is_told(whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    state = torch.load(whole, weights_only=True)
    torch.save(state | {"more": Run()}, whole)
    assert "holds a call of 'posix.system'" in refused(whole)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "values, expected",
    [
        ({"optimizer_history": []}, "how far training had come"),
        ({"optimizer_history": [{"num_updates": "7"}]}, "how far training had come"),
        ({"extra_state": {}}, "how far training had come"),
        (
            {
                "extra_state": {
                    "train_iterator": {"epoch": 1},
                    "metrics": {"train": [(1, "loss", "MetersDict", {})]},
                }
            },
            "its figure 'loss' is of an unknown kind",
        ),
    ],
)
def test_state_of_training_is_checked(whole, values, expected):
    change(whole, **values)
    assert expected in refused(whole)


def nested(depth=60):
    """A list whose text would have 2**60 parts, though each list holds only two of the next."""
    value = []
    for _ in range(depth):
        value = [value, value]
    return value


def test_setting_whose_text_fills_the_memory_is_refused(whole):
    change(whole, "model", hidden_size=nested())
    assert "refers to the same parts again and again" in refused(whole)


def test_weight_without_a_name_is_refused(whole):
    state = torch.load(whole)
    state["model"][7] = torch.zeros(1)
    torch.save(state, whole)
    assert "its weights 7 are not a plain tensor" in refused(whole)


def test_state_of_a_task_is_left_out(whole):
    change(whole, task_state=3)
    assert read_checkpoint(whole).state["task_state"] == {}
