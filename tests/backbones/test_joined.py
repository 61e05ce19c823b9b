import hashlib

import pytest
import torch

from vqapg.backbones import build_backbone
from vqapg.errors import InputError


def test_regions_have_the_channels_of_each_backbone():
    joined = build_backbone("joined:resnet18+shufflenet_v2_x0_5", "none", 64)
    parts = [build_backbone(name, "none", 64) for name in ("resnet18", "shufflenet_v2_x0_5")]
    assert (joined.channels, joined.grid) == (512 + 1024, (2, 2))
    images = torch.randn(3, 3, 64, 64)
    with torch.inference_mode():
        expected = torch.cat([part(images) for part in parts], dim=2)
        torch.testing.assert_close(joined(images), expected, atol=1e-4, rtol=1e-4)
    checksums = "".join(part.weights_sha256 for part in parts)
    assert joined.source == {
        "backbone": "joined:resnet18+shufflenet_v2_x0_5",
        "weights": "none",
        "weights_sha256": hashlib.sha256(checksums.encode()).hexdigest(),
        "image_size": 64,
    }


def test_each_backbone_sees_pixels_normalised_for_it():
    names = ("resnet18", "efficientnet_lite0")
    joined = build_backbone(f"joined:{'+'.join(names)}", "none", 64)
    parts = [build_backbone(name, "none", 64) for name in names]
    assert parts[0].preprocessing.mean != parts[1].preprocessing.mean
    pixels = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        expected = [part(part.preprocessing.normalise(pixels)) for part in parts]
        found = joined(joined.preprocessing.normalise(pixels))
    torch.testing.assert_close(found, torch.cat(expected, dim=2), atol=1e-4, rtol=1e-4)


def test_image_size_is_that_of_the_first():
    assert build_backbone("joined:resnet18+resnet34", "none").preprocessing.image_size == 299


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        ("joined:resnet18", "none", "joins two or more; give joined:NAME[+]NAME"),
        ("joined:resnet18+", "none", "joins two or more"),
        ("joined:resnet18+resnet35", "none", "no backbone is named 'resnet35'"),
        ("joined:resnet18+resnet34", "w.pth", "give imagenet or none"),
        ("joined:resnet18+squeezenet1_1", "none", "resnet18 has 2 x 2 regions and squeezenet1_1 3"),
    ],
)
def test_backbones_that_cannot_be_joined_are_refused(name, weights, message):
    with pytest.raises(InputError, match=message):
        build_backbone(name, weights, 64)
