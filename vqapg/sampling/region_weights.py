"""The region weights (equation 5) that pairs are generated with, for showing them."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from vqapg.data.given_image import GivenImage, open_given
from vqapg.errors import InputError
from vqapg.modules.region_scaling import RegionScaling

# How much of its light a region of weight 0 loses, here and in the gallery.
DARKENING = 0.85


@dataclass(frozen=True, eq=False)
class RegionWeights:
    """How much of each region of a picture a text was made with (equation 5).

    Examples:
        >>> weights = model.sample("photo.jpg")[0].region_weights["pair"]
        >>> weights.array.shape
        (10, 10)
        >>> weights.overlay("photo.jpg").save("overlay.png")

    Attributes:
        array: floats in [0, 1]; 1 where the text was made with the whole region, 0 without it

    Shape:
        - array: ``[H, W]``, a grid over the whole picture; ``[R]`` of imported features, whose
          regions are no grid
    """

    array: NDArray[np.float32]

    def overlay(self, image: GivenImage) -> Image.Image:
        """The picture, darkened where the text was made without it, as in the gallery.

        Args:
            image: that the pair is of, as ``sample`` takes it

        Returns:
            a new picture of the same size, RGB and upright

        Raises:
            InputError: if the picture cannot be read, or the regions are no grid
        """
        if self.array.ndim != 2:
            raise InputError(
                "overlay: the regions of imported features are no grid; vqapg sample --html "
                "draws their boxes"
            )
        picture, _ = open_given(image)
        shade = (255 * DARKENING * (1 - self.array)).round().astype(np.uint8)
        # The picture was squeezed into the grid, so the grid fits all of it.
        mask = Image.fromarray(shade).resize(picture.size, Image.Resampling.NEAREST)
        return Image.composite(Image.new("RGB", picture.size), picture, mask)

    def as_bytes(self) -> bytes:
        """One byte a region, 255 for 1, row by row: as files hold them."""
        return (255 * self.array).round().astype(np.uint8).tobytes()


@contextlib.contextmanager
def region_weights_of(model: nn.Module) -> Iterator[dict[str, Tensor]]:
    """While a model generates, gathers its region weights.

    Yields a dict that holds, after ``model.generate``, ``[B, R]`` for each text that has weights of
    its own: "question" and "answer" in a pipeline, "pair" elsewhere; empty in a model without
    region scaling.
    """
    gathered: dict[str, Tensor] = {}
    hooks = [
        part.register_forward_hook(
            lambda part, inputs, output, name=name: gathered.update(
                {_text_of(model, name): output[1].float().cpu()}
            )
        )
        for name, part in model.named_modules()
        if isinstance(part, RegionScaling)
    ]
    try:
        yield gathered
    finally:
        for hook in hooks:
            hook.remove()


def _text_of(model: nn.Module, name: str) -> str:
    """The text that the region scaling called *name* in *model* is of."""
    texts = {"x_model": getattr(model, "x", None), "y_model": getattr(model, "y", None)}
    return texts.get(name.split(".")[0]) or "pair"
