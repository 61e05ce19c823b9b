"""What a backbone is: a frozen network with a name, a picture size, a preprocessing and regions."""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from vqapg.errors import InputError
from vqapg.picture_size import PictureSize, sides

Colour = tuple[float, float, float]
IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_STD: Colour = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """RGB picture -> normalised tensor ``[3, H, W]``, as the network's weights expect it.

    Args:
        image_size: the side of a square in pixels, or ``"HEIGHTxWIDTH"``
        mean: of each colour, in [0, 1]
        std: of each colour, likewise
        interpolation: ``bicubic`` or ``bilinear``, both antialiased
    """

    image_size: PictureSize
    mean: Colour = IMAGENET_MEAN
    std: Colour = IMAGENET_STD
    interpolation: str = "bicubic"

    def __call__(self, picture: Image.Image) -> Tensor:
        return self.normalise(self.resize(picture))

    def resize(self, picture: Image.Image) -> Tensor:
        """RGB picture -> bytes ``[3, H, W]``.

        The whole picture is squeezed into that size. A question may ask about anything in it, and a
        crop would cut off its edges. The features of a CNN hardly change with the aspect.
        """
        # On bytes torch's antialiased resizing is PIL's in a quarter of the time. A value may
        # differ by one of 255, or by a few in noise.
        # [H, W, 3] -> [1, 3, H, W] -> [3, height, width]
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
        return nn.functional.interpolate(
            pixels, sides(self.image_size), mode=self.interpolation, antialias=True
        )[0]

    def normalise(self, pixels: Tensor) -> Tensor:
        """Bytes ``[..., 3, H, W]`` -> what the network expects, float32 of the same shape."""
        mean, std = (
            255 * torch.tensor(values, device=pixels.device).view(3, 1, 1)
            for values in (self.mean, self.std)
        )
        return pixels.float().sub_(mean).div_(std)


class Backbone(nn.Module):
    """A frozen network in eval mode: images -> regions.

    Args:
        name: the name that the builder was given
        network: images ``[N, 3, height, width]`` -> a feature map ``[N, C, H, W]``, or regions
            ``[N, R, C]``
        preprocessing: makes its input
        weights: what they are called: ``imagenet``, ``none``, or the file's name
        weights_sha256: of the weights, in hexadecimal
        grid: rows H and columns W of the regions, row by row over the picture, R = H * W; None
            takes it from the feature map, and supposes a square of ``[N, R, C]``

    Shape:
        - images: ``[N, 3, height, width]``, normalised
        - output: ``[N, R, C]``

    Attributes:
        channels: C
        grid: (H, W)

    Raises:
        InputError: if the picture is too small for it, or its output is of no such shape
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        preprocessing: Preprocessing,
        weights: str,
        weights_sha256: str,
        grid: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.network = network
        self.preprocessing = preprocessing
        self.weights = weights
        self.weights_sha256 = weights_sha256
        self.eval().requires_grad_(False)
        size = preprocessing.image_size
        try:
            with torch.inference_mode():
                output = network(torch.zeros(1, 3, *sides(size)))
        except (RuntimeError, AssertionError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"--image-size {size} is too small for {name}, or does not suit it "
                f"({reason}); give another"
            ) from error
        self.grid = _grid(name, output, grid)
        self.channels = int(_regions(output).shape[2])

    def train(self, mode: bool = True) -> Self:
        """Stays in eval mode, whatever is asked: it is frozen."""
        return super().train(False)

    def forward(self, images: Tensor) -> Tensor:
        return _regions(self.network(images))

    @property
    def source(self) -> dict[str, PictureSize]:
        """What identifies the features that it makes."""
        return {
            "backbone": self.name,
            "weights": self.weights,
            "weights_sha256": self.weights_sha256,
            "image_size": self.preprocessing.image_size,
        }


class Builder(Protocol):
    """An entry of the registry of backbones.

    It is called under a fixed seed, so that random weights are the same every time.

    Args:
        name: the name that the user gave; a builder may serve many
        weights: ``imagenet``, ``none`` or the path of a file, see
            :func:`vqapg.backbones.weights.load_weights`
        image_size: side of a square picture, or ``"HEIGHTxWIDTH"``; None: what suits the network
    """

    def __call__(self, name: str, weights: str, image_size: PictureSize | None) -> Backbone: ...


def _regions(output: Tensor) -> Tensor:
    # [N, C, H, W] -> [N, R, C]; regions stay as they are
    return output.flatten(2).transpose(1, 2) if output.dim() == 4 else output


def _grid(name: str, output: Tensor, declared: tuple[int, int] | None) -> tuple[int, int]:
    """Rows and columns of the regions in *output*."""
    shape = tuple(output.shape)
    if len(shape) == 4:
        found = (shape[2], shape[3])
        if declared not in (None, found):
            raise InputError(f"the backbone {name} gives a map {found} but declares {declared}")
        return found
    if len(shape) != 3:
        raise InputError(
            f"the backbone {name} gives a tensor of shape {list(shape)}; "
            "it must give [N, C, H, W] or [N, R, C]"
        )
    side = round(shape[1] ** 0.5)
    rows, columns = declared or (side, side)
    if rows * columns != shape[1]:
        raise InputError(
            f"the backbone {name} gives {shape[1]} regions, not {rows} x {columns}; "
            "its builder must pass their grid=(rows, columns) to Backbone, "
            "and leave out tokens that are no region"
        )
    return rows, columns
