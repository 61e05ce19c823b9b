"""A picture that somebody hands over from Python: a path, a PIL image or an array."""

import os

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vqapg.data.input_image import InputImage, image_number
from vqapg.data.pictures import to_rgb
from vqapg.errors import InputError

GivenImage = str | os.PathLike[str] | Image.Image | NDArray[np.uint8]


def open_given(image: GivenImage) -> tuple[Image.Image, int]:
    """The picture, RGB and upright, and its number in noise keys.

    The number of a file is made of its bytes. That of a PIL image or an array is made of its
    pixels, so the same pixels in memory give other pairs than the file that they were read from.

    Args:
        image: a path, a PIL image, or an array

    Shape:
        - image: an array is uint8 ``[H, W, 3]``, in the order red, green, blue

    Raises:
        InputError: if it is none of these, or cannot be read
    """
    if isinstance(image, (str, os.PathLike)):
        path = os.fspath(image)
        return InputImage(path, path).open()
    if isinstance(image, np.ndarray):
        _check_array(image)
        image = Image.fromarray(image)
    if not isinstance(image, Image.Image):
        raise InputError(
            f"image: {type(image).__name__} is no picture; give one path, PIL image or uint8 array "
            "[H, W, 3]; sample_folder takes many paths"
        )
    picture = to_rgb(image)
    return picture, image_number(repr(picture.size).encode() + picture.tobytes())


def name_of(image: GivenImage, number: int) -> str:
    """What *image* is called: its path, or by its *number* where it has none."""
    return os.fspath(image) if isinstance(image, (str, os.PathLike)) else f"image-{number}"


def _check_array(array: NDArray[np.uint8]) -> None:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        cure = "give uint8 [H, W, 3]"
        if array.dtype.kind == "f":
            cure += "; of floats from 0 to 1: (255 * image).round().astype('uint8')"
        raise InputError(f"image: an array of {array.dtype} {list(array.shape)}; {cure}")
