"""Opening image files: as a person would see them, or with one clear error."""

import errno
import logging
import os
import stat
import warnings
from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError

from vqapg.data.picture_formats import (
    HEAD_BYTES,
    HEIF_CURE,
    MOST_PIXELS,
    heic_is_read,
    identify,
    is_heic,
)
from vqapg.errors import InputError

# An uncompressed 16-bit picture of 150 megapixels has 900 MB.
MOST_BYTES = 1 << 30

# How the pixels must be turned for each way in which the camera was held (EXIF 2.3, tag 0x0112).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# fairseq sets the root logger to DEBUG, whereupon PIL would tell of every block of every PNG.
logging.getLogger("PIL").setLevel(logging.INFO)


class PictureError(Exception):
    """Why a file cannot be read as an image, in a few words."""


def open_rgb(path: str | os.PathLike) -> Image.Image:
    """The picture in the image file *path*: upright, mode RGB, what is transparent over white.

    Raises:
        InputError: the file is missing, no image, damaged, cut short, or larger than the bounds
    """
    cure = "replace it, or delete its pairs and prepare again"
    try:
        with open_ordinary(path) as file:
            return decode_rgb(file)
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: no such image file; put it back, or delete its pairs and prepare again"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {cure}") from error
    except PictureError as error:
        raise InputError(f"{path}: cannot be read as an image ({error}); {cure}") from error


def open_ordinary(path: str | os.PathLike) -> BinaryIO:
    """Open an ordinary file for reading.

    Raises:
        OSError: it cannot be opened, or is a FIFO, a socket or a device, which may never end
        PictureError: it has more than MOST_BYTES
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "no ordinary file", os.fspath(path))
    check_bytes(status.st_size)
    # Without O_NONBLOCK a FIFO that took the file's place meanwhile would be waited for.
    return open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))


def check_bytes(size: int) -> None:
    """Raises PictureError when a file of *size* bytes is too large to be read."""
    if size > MOST_BYTES:
        raise PictureError(f"{size:,} bytes are more than {MOST_BYTES:,}")


def decode_rgb(file: BinaryIO) -> Image.Image:
    """As open_rgb, of an open binary file.

    Raises:
        PictureError: it is no image, is damaged or cut short, or has more than MOST_PIXELS
    """
    try:
        # Pillow warns of blemishes such as broken EXIF data, in several lines a picture.
        with warnings.catch_warnings(action="ignore"), identify(file) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            return to_rgb(picture)
    except UnidentifiedImageError as error:
        file.seek(0)
        if is_heic(file.read(HEAD_BYTES)) and not heic_is_read():
            raise PictureError(f"it is HEIC, which {HEIF_CURE} reads") from error
        raise PictureError("of no known format") from error
    except Image.DecompressionBombError as error:
        raise PictureError(f"it has more than {MOST_PIXELS:,} pixels") from error
    except Exception as error:  # a damaged file can make a decoder raise anything
        raise PictureError(" ".join(str(error).split()) or type(error).__name__) from error


def to_rgb(picture: Image.Image) -> Image.Image:
    """A PIL picture of any mode: upright, mode RGB, what is transparent over white.

    Grey of 16 bits is scaled from 0..65535. Grey in floating point is scaled by its values:

    - all within 0..1: times 255
    - all within 0..255: as they are
    - otherwise: the smallest becomes black, the largest white

    What is not a number becomes black.
    """
    picture = upright(picture)
    if picture.mode.startswith("I"):
        import numpy as np  # half the time that it takes to say that an output is there already

        # convert() would cut off everything above 255 instead of scaling.
        picture = Image.fromarray(
            (np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8)
        )
    elif picture.mode == "F":
        picture = _grey_of_floats(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert(
            "RGB"
        )
    return picture.convert("RGB")


def upright(picture: Image.Image) -> Image.Image:
    """The picture as it was seen: cameras store how they were held instead of turning the pixels.

    ImageOps.exif_transpose also rewrites the EXIF data, and fails where they are broken.
    """
    picture.load()
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # broken EXIF data can make Pillow raise anything; the pixels are good
        orientation = None
    turn = TURNS.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def _grey_of_floats(picture):
    import numpy as np

    values = np.asarray(picture, dtype=np.float64)
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    if low >= 0 and high <= 255:
        low, high = 0.0, 1.0 if high <= 1 else 255.0
    grey = (values - low) * (255 / (high - low)) if high > low else np.zeros_like(values)
    grey = np.nan_to_num(grey, nan=0, posinf=255, neginf=0)
    return Image.fromarray(grey.clip(0, 255).round().astype(np.uint8))
