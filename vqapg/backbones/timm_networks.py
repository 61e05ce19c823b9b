"""Any network of timm: a convolutional one's last feature map, or a transformer's patches.

timm is the package ``timm`` (Wightman, https://github.com/huggingface/pytorch-image-models).
"""

import difflib
import importlib.util
from typing import Any

from torch import Tensor, nn

from vqapg.backbones.backbone import Backbone, Preprocessing
from vqapg.backbones.timm_weights import load_timm
from vqapg.errors import InputError
from vqapg.picture_size import PictureSize, picture_size, sides

PREFIX = "timm:"
NEAR_NAMES = 4


def build(name: str, weights: str, image_size: PictureSize | None) -> Backbone:
    """The regions of ``timm:NAME``, see :class:`vqapg.backbones.backbone.Builder`.

    Size, mean, deviation and interpolation are those of the model's own data configuration. Its
    crop is not taken: a question may ask about the edges.

    Raises:
        InputError: if timm is not installed or has no such network, if it cannot take that size, if
            it gives no grid of regions, or if the weights are missing or do not fit
    """
    if importlib.util.find_spec("timm") is None:
        raise InputError(f'--backbone {name} needs timm: pip install "vqapg[timm]"')
    from timm.data.config import resolve_model_data_config

    model_name = name.removeprefix(PREFIX)
    check_name(model_name)
    model, loaded = load_timm(name, model_name, weights, image_size)
    config = resolve_model_data_config(model)
    size = image_size or picture_size("x".join(map(str, config["input_size"][1:])))
    _check_patches(name, model, size)
    preprocessing = Preprocessing(
        size,
        tuple(config["mean"]),
        tuple(config["std"]),
        "bilinear" if config["interpolation"] == "bilinear" else "bicubic",
    )
    return Backbone(name, FeatureMap(name, model), preprocessing, *loaded)


def check_name(model_name: str) -> None:
    """Raises InputError, with names that are near, unless timm has *model_name*, tag included."""
    import timm

    architecture, _, tag = model_name.partition(".")
    if not timm.is_model(architecture):
        known = timm.list_models() + timm.list_models(pretrained=True)
    elif tag and not timm.models.is_model_pretrained(model_name):
        known = timm.list_models(f"{architecture}.*", pretrained=True)
    else:
        return
    near = difflib.get_close_matches(model_name, known, NEAR_NAMES, cutoff=0.5)
    raise InputError(
        f"timm has no model {model_name!r}; near it: {', '.join(near) or 'none'}; all names: "
        "python -c 'import timm; print(*timm.list_models(pretrained=True))'"
    )


def _check_patches(name: str, model: nn.Module, size: PictureSize) -> None:
    """Raises InputError where patches would leave out the right and lower edge of a picture."""
    patch = getattr(getattr(model, "patch_embed", None), "patch_size", None)
    if not isinstance(patch, tuple) or not model.pretrained_cfg.get("fixed_input_size"):  # type: ignore[operator, union-attr]
        return
    if any(side % step for side, step in zip(sides(size), patch)):
        raise InputError(
            f"--image-size {size}: {name} has patches of {patch[0]} x {patch[1]} pixels; "
            "give multiples of them"
        )


class FeatureMap(nn.Module):
    """What ``forward_features`` gives, as one feature map.

    Args:
        name: the backbone's, for messages
        model: of timm; ``num_features``, ``num_prefix_tokens`` and ``output_fmt`` tell its form

    Shape:
        ``[N, 3, height, width]`` -> ``[N, C, H, W]``. The model gives ``[N, C, H, W]``,
        ``[N, H, W, C]``, or tokens ``[N, P + H * W, C]`` whose first P are no patches.
    """

    def __init__(self, name: str, model: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        features: Any = self.model.forward_features(images)  # type: ignore[operator]
        if not isinstance(features, Tensor) or features.dim() not in (3, 4):
            raise InputError(f"--backbone {self.name}: gives no grid of regions; take another one")
        if features.dim() == 4:
            return features.permute(0, 3, 1, 2) if self._channels_last(features) else features
        patches = features[:, int(getattr(self.model, "num_prefix_tokens", 0)) :]
        height, width = images.shape[2:]
        rows, columns = self._grid(patches.shape[1], height, width)
        # [N, R, C] -> [N, C, H, W]
        return patches.transpose(1, 2).reshape(len(patches), -1, rows, columns)

    def _channels_last(self, features: Tensor) -> bool:
        if getattr(self.model, "output_fmt", "NCHW") == "NHWC":
            return True
        channels = self.model.num_features
        return features.shape[1] != channels and features.shape[3] == channels

    def _grid(self, regions: int, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of that many patches of a picture."""
        declared = getattr(getattr(self.model, "patch_embed", None), "grid_size", None)
        if declared is not None and declared[0] * declared[1] == regions:
            return int(declared[0]), int(declared[1])
        # A network that merges patches declares the first grid only: the picture's shape tells.
        wanted = (regions * height / width) ** 0.5
        rows = min(
            (rows for rows in range(1, regions + 1) if regions % rows == 0),
            key=lambda rows: abs(rows - wanted),
        )
        columns = regions // rows
        # A step of the network is as long downwards as across, whichever way it rounds. One token
        # is a class token.
        if (
            regions == 1
            or height * (columns - 1) >= width * (rows + 1)
            or width * (rows - 1) >= height * (columns + 1)
        ):
            raise InputError(
                f"--backbone {self.name}: its {regions} regions make no grid of a picture of "
                f"{height}x{width}; take another one"
            )
        return rows, columns
