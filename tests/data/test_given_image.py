"""Pictures that are handed over from Python."""

import numpy as np
import pytest
import torch
from PIL import Image

from vqapg.data.given_image import name_of, open_given
from vqapg.errors import InputError

PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


def test_array_is_the_picture_of_its_pixels():
    picture, number = open_given(PIXELS)
    assert picture.mode == "RGB" and picture.size == (4, 2)
    np.testing.assert_array_equal(np.asarray(picture), PIXELS)
    assert number == open_given(Image.fromarray(PIXELS))[1] != open_given(PIXELS[::-1])[1]


def test_view_of_an_array_is_read_as_its_copy():
    view = PIXELS[:, ::-1]
    np.testing.assert_array_equal(np.asarray(open_given(view)[0]), view)


def test_image_is_called_by_its_path_or_its_number(tmp_path):
    assert name_of(tmp_path / "1.png", 7) == str(tmp_path / "1.png")
    assert name_of(PIXELS, 7) == name_of(Image.fromarray(PIXELS), 7) == "image-7"


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (PIXELS / 255, "image: an array of float64 [2, 4, 3]; give uint8 [H, W, 3]; of floats"),
        (PIXELS.astype(int), "image: an array of int64 [2, 4, 3]; give uint8 [H, W, 3]"),
        (PIXELS[..., 0], "image: an array of uint8 [2, 4]; give uint8 [H, W, 3]"),
        (PIXELS[None], "image: an array of uint8 [1, 2, 4, 3]; give uint8 [H, W, 3]"),
        (PIXELS[:0], "image: an array of uint8 [0, 4, 3]; give uint8 [H, W, 3]"),
        (
            torch.zeros(3, 4, 4),
            "image: Tensor is no picture; give one path, PIL image or uint8 arr",
        ),
        (["1.png", "2.png"], "image: list is no picture; give one path, PIL image or uint8 array"),
        (b"1.png", "image: bytes is no picture"),
        (None, "image: NoneType is no picture"),
        (
            "https://example.org/1.jpg",
            "https://example.org/1.jpg: vqapg reads nothing from the web; download the file, and",
        ),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(image, message):
    with pytest.raises(InputError) as error:
        open_given(image)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)
