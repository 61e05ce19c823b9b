"""Several backbones as one: each region has the channels of all of them, one after the other."""

import hashlib

import torch
from torch import Tensor, nn

from vqapg.backbones import build_backbone
from vqapg.backbones.backbone import Backbone
from vqapg.errors import InputError
from vqapg.picture_size import PictureSize

PREFIX = "joined:"
WORDS = ("imagenet", "none")  # weights of any backbone


def build(name: str, weights: str, image_size: PictureSize | None) -> Backbone:
    """The backbones that ``joined:A+B`` names, see :class:`vqapg.backbones.backbone.Builder`.

    Without an image size it is that of the first. All see the same picture, each normalised as its
    own weights expect. Weights are one word for all, or one for each: ``imagenet+FILE``.

    Raises:
        InputError: if it names fewer than two, if one file is given for all, or if the regions do
            not lie in one grid
    """
    names = name.removeprefix(PREFIX).split("+")
    if len(names) < 2 or not all(names):
        raise InputError(f"--backbone {name}: joins two or more; give joined:NAME+NAME")
    given = [weights] * len(names) if weights in WORDS else weights.split("+")
    if len(given) != len(names):
        raise InputError(
            f"--weights {weights}: a file has the weights of one backbone; "
            f"give imagenet or none, or one for each of {' and '.join(names)}, joined by +"
        )
    first = build_backbone(names[0], given[0], image_size)
    size = first.preprocessing.image_size
    others = (build_backbone(*other, size) for other in zip(names[1:], given[1:]))
    backbones = [first, *others]
    for other in backbones[1:]:
        if other.grid != first.grid:
            raise InputError(
                f"--backbone {name}: at {size} pixels {first.name} has "
                f"{first.grid[0]} x {first.grid[1]} regions and {other.name} "
                f"{other.grid[0]} x {other.grid[1]}; give others, or another --image-size"
            )
    checksums = "".join(backbone.weights_sha256 for backbone in backbones)
    digest = hashlib.sha256(checksums.encode()).hexdigest()
    called = "+".join(backbone.weights for backbone in backbones)
    label = next((word for word in WORDS if called == "+".join([word] * len(names))), called)
    return Backbone(name, _Joined(backbones), first.preprocessing, label, digest, first.grid)


class _Joined(nn.Module):
    """Images ``[N, 3, H, W]``, normalised for the first -> ``[N, R, C_1 + C_2 + ...]``."""

    scale: Tensor
    shift: Tensor

    def __init__(self, backbones: list[Backbone]) -> None:
        super().__init__()
        self.backbones = nn.ModuleList(backbones)
        # [backbones, 3, 1, 1] each
        mean, std = (
            torch.tensor([getattr(b.preprocessing, key) for b in backbones])[..., None, None]
            for key in ("mean", "std")
        )
        # (x std_1 + mean_1 - mean_k) / std_k
        self.register_buffer("scale", std[0] / std)
        self.register_buffer("shift", (mean[0] - mean) / std)

    def forward(self, images: Tensor) -> Tensor:
        regions = [
            backbone(images * scale + shift)
            for backbone, scale, shift in zip(self.backbones, self.scale, self.shift)
        ]
        return torch.cat(regions, dim=2)
