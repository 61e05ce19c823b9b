"""The size that pictures are resized to: one side of a square, or ``HEIGHTxWIDTH``."""

import re

from vqapg.errors import InputError

# A whole number of pixels is a square. A text, such as "224x160", is any other rectangle.
PictureSize = int | str
LARGEST_SIDE = 10_000
_RECTANGLE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", re.ASCII)


def picture_size(wanted: PictureSize) -> PictureSize:
    """What the user *wanted*, in the one form that files keep: 224 for ``"224x224"`` and ``"224"``.

    Raises:
        InputError: if it is no size, or a side is too long
    """
    given = f"{wanted}x{wanted}" if re.fullmatch("[0-9]+", str(wanted)) else str(wanted)
    found = _RECTANGLE.fullmatch(given)
    if found is None or max(map(int, found.groups())) > LARGEST_SIDE:
        raise InputError(
            f"--image-size {wanted}: must be a positive number of pixels up to {LARGEST_SIDE:,}, "
            "or HEIGHTxWIDTH such as 224x160"
        )
    height, width = map(int, found.groups())
    return height if height == width else given


def sides(size: PictureSize) -> tuple[int, int]:
    """Height and width of a :func:`picture_size`, in pixels."""
    height, _, width = str(size).partition("x")
    return int(height), int(width or height)


def is_picture_size(value: object) -> bool:
    """Whether a file's *value* is a size in the form that files keep."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return False
    try:
        return picture_size(value) == value
    except InputError:
        return False
