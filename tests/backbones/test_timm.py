"""timm's networks as backbones: small ones that timm has for tests, with random weights."""

import re

import huggingface_hub
import numpy as np
import pytest
import timm
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from PIL import Image
from safetensors.torch import save_file
from timm.data import create_transform, resolve_model_data_config
from torch import nn

from vqapg.backbones import build_backbone
from vqapg.backbones.timm_networks import FeatureMap
from vqapg.errors import InputError
from vqapg.files import sha256

VERSION = f"(timm {timm.__version__})"


def same_in_timm(backbone, **options):
    """The network of *backbone* as timm makes it, with the same weights."""
    name = backbone.name.removeprefix("timm:")
    model = timm.create_model(name, num_classes=0, **options).eval()
    model.load_state_dict(backbone.network.model.state_dict())
    return model


@pytest.mark.parametrize("name", ["test_vit", "test_vit3"])
def test_transformer_gives_patches_without_its_prefix(name):
    backbone = build_backbone(f"timm:{name}", "none", "64x32")
    model = same_in_timm(backbone, img_size=(64, 32))
    images = torch.randn(2, 3, 64, 32)
    with torch.inference_mode():
        tokens = model.forward_features(images)
        # A token that is no patch stands first, then 4 rows of 2.
        assert tokens.shape == (2, 1 + 8, backbone.channels)
        torch.testing.assert_close(backbone(images), tokens[:, 1:])
    assert backbone.grid == (4, 2)


@pytest.mark.parametrize(
    "name",
    [
        "test_resnet",
        "test_convnext",
        "test_byobnet",
        "test_mambaout",  # [N, H, W, C]
        "test_vit4",
        "test_vit_relpos",  # no prefix
    ],
)
def test_regions_are_timms_own_last_map(name):
    backbone = build_backbone(f"timm:{name}", "none", "96x64")
    fixed = backbone.network.model.pretrained_cfg["fixed_input_size"]
    model = same_in_timm(backbone, **({"img_size": (96, 64)} if fixed else {}))
    images = torch.randn(2, 3, 96, 64)
    with torch.inference_mode():
        # timm's other interface, which finds the map in its own way
        (expected,) = model.forward_intermediates(
            images, indices=1, norm=True, output_fmt="NCHW", intermediates_only=True
        )
        found = backbone(images)
    assert backbone.grid == tuple(expected.shape[2:])
    row_by_row = [
        expected[:, :, row, column]
        for row in range(backbone.grid[0])
        for column in range(backbone.grid[1])
    ]
    torch.testing.assert_close(found, torch.stack(row_by_row, dim=1))


@pytest.mark.parametrize(("name", "patch"), [("test_vit", 16), ("test_convnext", 32)])
def test_region_of_a_changed_patch_is_found_row_by_row(name, patch):
    backbone = build_backbone(f"timm:{name}", "none", f"{3 * patch}x{4 * patch}")
    images = torch.randn(1, 3, 3 * patch, 4 * patch)
    bright = images.clone()
    bright[:, :, 2 * patch : 3 * patch, patch : 2 * patch] += 5  # row 2, column 1
    with torch.inference_mode():
        change = (backbone(bright) - backbone(images)).norm(dim=2)[0]
    assert backbone.grid == (3, 4) and int(change.argmax()) == 2 * 4 + 1


class _Stub(nn.Module):
    """Gives one tensor of features, and says of itself what it is told."""

    def __init__(self, features, **said):
        super().__init__()
        self.features, self.num_features = features, 5
        for name, value in said.items():
            setattr(self, name, value)

    def forward_features(self, images):
        return self.features


@pytest.mark.parametrize(
    ("shape", "said", "grid"),
    [
        ((2, 5, 4, 6), {}, (4, 6)),
        ((2, 4, 6, 5), {}, (4, 6)),  # says nothing, but has the channels last
        ((2, 5, 6, 5), {"output_fmt": "NHWC"}, (5, 6)),
        ((2, 24, 5), {}, (4, 6)),  # as the picture's sides
        ((2, 27, 5), {"num_prefix_tokens": 3}, (4, 6)),
    ],
)
def test_each_form_of_features_gives_its_grid(shape, said, grid):
    features = torch.randn(shape)
    found = FeatureMap("b", _Stub(features, **said))(torch.zeros(2, 3, 40, 60))
    assert found.shape == (2, 5, *grid)
    regions = found.flatten(2).transpose(1, 2)
    if len(shape) == 4 and shape[1:3] == grid:
        torch.testing.assert_close(regions, features.flatten(1, 2))
    elif len(shape) == 3:
        torch.testing.assert_close(regions, features[:, said.get("num_prefix_tokens", 0) :])


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (torch.zeros(2, 25, 5), "its 25 regions make no grid of a picture of 40x60"),
        (torch.zeros(2, 1, 5), "its 1 regions make no grid"),  # a class token alone
        (torch.zeros(2, 5), "gives no grid of regions"),
        ([torch.zeros(2, 5, 4, 6)], "gives no grid of regions"),
    ],
)
def test_features_that_are_no_grid_are_refused(features, message):
    with pytest.raises(InputError, match=message):
        FeatureMap("b", _Stub(features))(torch.zeros(2, 3, 40, 60))


@pytest.mark.parametrize(
    ("name", "interpolation"), [("test_vit", "bicubic"), ("test_resnet", "bilinear")]
)
def test_pictures_are_prepared_as_by_timm(name, interpolation):
    backbone = build_backbone(f"timm:{name}", "none")
    config = resolve_model_data_config(backbone.network.model)
    assert config["interpolation"] == interpolation
    # The whole picture, instead of its middle
    transform = create_transform(**config | {"crop_mode": "squash", "crop_pct": 1.0})
    pixels = np.random.default_rng(0).integers(0, 255, (200, 330, 3), np.uint8)
    expected = transform(Image.fromarray(pixels))
    found = backbone.preprocessing(Image.fromarray(pixels))
    assert found.shape == expected.shape == (3, 160, 160)
    # Colours of 1/255, by which PIL and torch round differently, over the deviation of 0.5
    steps = (found - expected).abs() * 255 * 0.5
    assert steps.mean() < 0.5 and steps.max() < 5


def test_size_is_the_models_own_unless_given():
    assert build_backbone("timm:test_vit", "none").source == {
        "backbone": "timm:test_vit",
        "weights": f"none {VERSION}",
        "weights_sha256": build_backbone("timm:test_vit", "none").weights_sha256,
        "image_size": 160,
    }
    assert build_backbone("timm:test_vit", "none", "64x64").source["image_size"] == 64


class TestWeights:
    @pytest.fixture(scope="class")
    def trained(self):
        """A network that no seed of ours makes."""
        torch.manual_seed(77)
        return timm.create_model("test_vit", num_classes=1000)

    @pytest.mark.parametrize("ending", [".pth", ".safetensors"])
    def test_of_a_file_are_loaded_and_named(self, trained, tmp_path, ending):
        path = tmp_path / f"w{ending}"
        save = save_file if ending == ".safetensors" else torch.save
        save(trained.state_dict(), path)
        backbone = build_backbone("timm:test_vit", path)
        assert (backbone.weights, backbone.weights_sha256) == (f"w{ending} {VERSION}", sha256(path))
        images = torch.randn(1, 3, 160, 160)
        with torch.inference_mode():
            tokens = trained.eval().forward_features(images)
            torch.testing.assert_close(backbone(images), tokens[:, 1:])

    @pytest.mark.parametrize("classes", [0, 7])
    def test_may_have_any_classifier(self, tmp_path, classes):
        model = timm.create_model("test_vit", num_classes=classes)
        torch.save({"state_dict": model.state_dict()}, tmp_path / "w.pth")
        backbone = build_backbone("timm:test_vit", tmp_path / "w.pth", 64)
        torch.testing.assert_close(backbone.network.model.norm.weight, model.norm.weight)
        torch.testing.assert_close(
            backbone.network.model.blocks[0].mlp.fc1.weight, model.blocks[0].mlp.fc1.weight
        )

    def test_that_do_not_fit_are_refused(self, trained, tmp_path):
        def refused(message, path, name="timm:test_vit", size=64):
            with pytest.raises(InputError, match=message):
                build_backbone(name, path, size)

        state = trained.state_dict()
        torch.save(state, tmp_path / "w.pth")
        refused(
            r"w\.pth: not the weights of timm:test_resnet", tmp_path / "w.pth", "timm:test_resnet"
        )
        torch.save({k: v for k, v in state.items() if k != "norm.weight"}, tmp_path / "cut.pth")
        refused(r"cut\.pth: not the weights of timm:test_vit", tmp_path / "cut.pth")
        refused("no such file", tmp_path / "none.pth")
        for name in ("text.pth", "text.safetensors"):
            (tmp_path / name).write_text("no weights")
            refused("not a .safetensors file, nor a state dict", tmp_path / name)
        torch.save(trained, tmp_path / "code.pth")  # a pickle that would run code
        refused("not a .safetensors file, nor a state dict", tmp_path / "code.pth")
        torch.save([1, 2], tmp_path / "list.pth")
        refused("not a .safetensors file, nor a state dict", tmp_path / "list.pth")

    def test_of_the_hub_are_named_by_their_tag(self, trained, tmp_path, monkeypatch):
        path = tmp_path / "model.safetensors"
        save_file(trained.state_dict(), path)
        asked = []

        def download(repository, file, revision=None):
            asked.append((repository, file))
            return str(path)

        monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
        backbone = build_backbone("timm:test_vit")
        assert asked == [("timm/test_vit.r160_in1k", "model.safetensors")]
        assert backbone.weights == f"r160_in1k {VERSION}"
        assert backbone.weights_sha256 == sha256(path)
        # What features say of their weights asks for them again.
        for weights in (backbone.weights, "pretrained", "r160_in1k"):
            assert build_backbone("timm:test_vit", weights).source == backbone.source

    def test_of_the_hub_that_cannot_be_had_name_another_way(self, monkeypatch):
        def download(*arguments, **options):
            raise LocalEntryNotFoundError("no\nnetwork")

        monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
        with pytest.raises(InputError) as raised:
            build_backbone("timm:test_vit")
        assert "(no network)" in str(raised.value)
        assert "model.safetensors of https://huggingface.co/timm/test_vit.r160_in1k" in str(
            raised.value
        )
        with pytest.raises(InputError, match="timm publishes no weights of it"):
            build_backbone("timm:test_vit4")

    def test_random_ones_are_the_same_every_time(self):
        first, second = (build_backbone("timm:test_resnet", "none", 64) for _ in range(2))
        assert first.source == second.source
        assert build_backbone("timm:test_resnet", first.weights, 64).source == first.source


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("timm:resnet5O.tv_in1k", 64, "no model 'resnet5O.tv_in1k'; near it: resnet50.tv_in1k"),
        ("timm:resnet50.tv", 64, "no model 'resnet50.tv'; near it: resnet50.tv_in1k"),
        ("timm:", 64, "timm has no model ''; near it: none"),
        ("timm:test_vit", 100, "has patches of 16 x 16 pixels; give multiples of them"),
        ("timm:test_resnet", 0, "must be a positive number"),
    ],
)
def test_what_timm_cannot_serve_is_refused(name, size, message):
    with pytest.raises(InputError, match=re.escape(message)):
        build_backbone(name, "none", size)


def test_without_timm_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'needs timm: pip install "vqapg\[timm\]"'):
        build_backbone("timm:test_vit")


def test_two_are_joined_each_with_its_own_weights(tmp_path):
    torch.manual_seed(3)
    torch.save(timm.create_model("test_convnext").state_dict(), tmp_path / "c.pth")
    names = ("timm:test_resnet", "timm:test_convnext")
    weights = ("none", str(tmp_path / "c.pth"))
    joined = build_backbone(f"joined:{'+'.join(names)}", "+".join(weights), "64x96")
    parts = [build_backbone(*pair, "64x96") for pair in zip(names, weights)]
    assert joined.grid == (2, 3) and joined.channels == sum(part.channels for part in parts)
    assert joined.weights == f"none {VERSION}+c.pth {VERSION}"
    pixels = torch.randint(0, 256, (1, 3, 64, 96), dtype=torch.uint8)
    with torch.inference_mode():
        expected = [part(part.preprocessing.normalise(pixels)) for part in parts]
        found = joined(joined.preprocessing.normalise(pixels))
    torch.testing.assert_close(found, torch.cat(expected, dim=2), atol=1e-4, rtol=1e-4)
