"""Several backbones as one: each region has the channels of all of them, one after the other."""

import hashlib

import torch
from torch import Tensor, nn

from vqapg.backbones import build_backbone
from vqapg.backbones.backbone import Backbone
from vqapg.errors import InputError

PREFIX = "joined:"


def build(name: str, weights: str, image_size: int | None) -> Backbone:
    """The backbones that ``joined:A+B`` names, see :class:`vqapg.backbones.backbone.Builder`.

    Without an image size it is that of the first. All see the same picture, each normalised as its
    own weights expect.

    Raises:
        InputError: if it names fewer than two, if weights are a file, or if the regions do not
            lie in one grid
    """
    names = name.removeprefix(PREFIX).split("+")
    if len(names) < 2 or not all(names):
        raise InputError(f"--backbone {name}: joins two or more; give joined:NAME+NAME")
    if weights not in ("imagenet", "none"):
        raise InputError(
            f"--weights {weights}: a file has the weights of one backbone; give imagenet or none"
        )
    first = build_backbone(names[0], weights, image_size)
    size = first.preprocessing.image_size
    backbones = [first, *(build_backbone(other, weights, size) for other in names[1:])]
    for other in backbones[1:]:
        if other.grid != first.grid:
            raise InputError(
                f"--backbone {name}: at {size} pixels {first.name} has "
                f"{first.grid[0]} x {first.grid[1]} regions and {other.name} "
                f"{other.grid[0]} x {other.grid[1]}; give others, or another --image-size"
            )
    checksums = "".join(backbone.weights_sha256 for backbone in backbones)
    digest = hashlib.sha256(checksums.encode()).hexdigest()
    return Backbone(name, _Joined(backbones), first.preprocessing, weights, digest, first.grid)


class _Joined(nn.Module):
    """Images ``[N, 3, S, S]``, normalised for the first -> ``[N, R, C_1 + C_2 + ...]``."""

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
