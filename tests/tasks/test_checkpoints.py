from types import SimpleNamespace

import pytest
import torch
from fairseq.data import Dictionary

from tests.support.generation_models import build
from tests.support.tiny_checkpoints import features, save_checkpoint
from vqapg.errors import InputError
from vqapg.models import origin
from vqapg.tasks.checkpoints import load_backbone, load_evaluator_for, load_generation_model


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vqapg_joint_variational", {}),
        (
            "vqapg_joint_variational",
            {"region_scaling": False, "leave_out": ("word_dropout", "decoder_hidden_size")},
        ),
        ("vqapg_pipeline_variational", {"order": "qa"}),
        ("vqapg_sequential", {"order": "aq"}),
        ("vqapg_vqa", {}),
    ],
)
def test_a_model_comes_back_from_its_checkpoint_alone(tmp_path, dictionary, name, options):
    model = save_checkpoint(tmp_path / "model.pt", name, dictionary, **options)
    loaded = load_generation_model(tmp_path / "model.pt")
    assert type(loaded.model) is type(model) and not loaded.model.training
    assert loaded.dictionary.symbols == dictionary.symbols and loaded.features == features().source
    assert loaded.name.startswith(f"{name}:")
    ours, theirs = model.state_dict(), loaded.model.state_dict()
    assert ours.keys() == theirs.keys() and "_extra_state" in ours
    for key, value in ours.items():
        torch.testing.assert_close(theirs[key], value, rtol=0, atol=0)


def test_each_kind_where_it_belongs(checkpoint):
    generator, evaluator = (
        checkpoint("vqapg_joint"),
        checkpoint("vqapg_consistency", "evaluator.pt"),
    )
    assert load_evaluator_for(load_generation_model(generator), evaluator).name.startswith(
        "vqapg_consistency:"
    )
    with pytest.raises(InputError, match="is the consistency evaluator, which makes no pairs"):
        load_generation_model(evaluator)
    with pytest.raises(InputError, match="model.pt: is no consistency evaluator"):
        load_evaluator_for(load_generation_model(generator), generator)


def test_an_evaluator_of_other_words_or_features_is_refused(checkpoint, dictionary):
    generator = load_generation_model(checkpoint("vqapg_joint"))
    other = Dictionary()
    for word in [*dictionary.symbols[4:], "zebra"]:
        other.add_symbol(word)
    with pytest.raises(InputError, match=r"another dictionary .*\(19 and 18 entries\)"):
        load_evaluator_for(
            generator, checkpoint("vqapg_consistency", "evaluator.pt", of_dictionary=other)
        )
    elsewhere = SimpleNamespace(
        **vars(features()) | {"source": features().source | {"image_size": 96}}
    )
    with pytest.raises(InputError, match=r"with other features .*\(image_size 96, not 64\)"):
        load_evaluator_for(
            generator, checkpoint("vqapg_consistency", "evaluator.pt", of_features=elsewhere)
        )


@pytest.mark.parametrize("content", [b"", b"text", {"model": {}}, {"cfg": None, "model": [1]}])
def test_what_is_no_checkpoint_is_one_line(tmp_path, content):
    path = tmp_path / "model.pt"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(
        InputError, match="model.pt: (not a whole checkpoint|it does not say what model)"
    ) as error:
        load_generation_model(path)
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="none.pt: no such checkpoint"):
        load_generation_model(tmp_path / "none.pt")


def test_the_backbone_has_the_weights_of_training(tmp_path):
    assert (
        load_backbone(features().source, "none").weights_sha256
        == features().source["weights_sha256"]
    )
    with pytest.raises(
        InputError, match="--weights none: are not the weights of resnet18 .*instead of abababab"
    ):
        load_backbone(features().source | {"weights_sha256": "ab" * 32}, "none")


@pytest.fixture
def old(tmp_path, dictionary):
    """A checkpoint of before decoders started from the unscaled regions, and its state."""
    path = tmp_path / "old.pt"
    save_checkpoint(
        path,
        "vqapg_joint_variational",
        dictionary,
        leave_out=("scaled_start",),
        scaled_start=True,
    )
    state = torch.load(path, weights_only=False)
    record = origin.from_tensor(state["model"]["_extra_state"])
    record = {key: value for key, value in record.items() if key != "version"}
    record["model"] = "VariationalJointModel"
    state["model"]["_extra_state"] = origin.to_tensor(record)
    torch.save(state, path)
    return path, state


def test_old_checkpoint_keeps_its_scaled_start(old):
    path, _ = old
    assert load_generation_model(path).model.latent.scaled_start


def test_old_weights_are_refused_by_an_unscaled_start(old, dictionary):
    _, state = old
    for scaled_start in (True, False):
        model = build("vqapg_joint_variational", dictionary, features(), scaled_start=scaled_start)
        if scaled_start:
            model.load_state_dict(state["model"])
            continue
        with pytest.raises(InputError, match="of VariationalJointModel, --scaled-start, not of"):
            model.load_state_dict(state["model"])


@pytest.mark.parametrize(
    "options, flag",
    [
        ({"scaled_start": True}, "--scaled-start"),
        ({"region_scaling_factor": 100.0}, "--region-scaling-factor 100"),
        ({"region_scaling_scores": "scaled-dot-product"}, "--region-scaling-scores scaled-dot"),
    ],
)
def test_another_scaling_with_equal_parameters_is_refused(dictionary, options, flag):
    name = "vqapg_sequential_variational"
    state = build(name, dictionary, features(), **options).state_dict()
    with pytest.raises(InputError, match=flag):
        build(name, dictionary, features()).load_state_dict(state)
    build(name, dictionary, features(), **options).load_state_dict(state)
