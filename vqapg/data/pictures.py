"""Opening image files: as a person would see them, or with one clear error."""

import logging

from PIL import Image, ImageOps

from vqapg.errors import InputError

# fairseq sets the root logger to DEBUG, whereupon PIL would tell of every block of every PNG.
logging.getLogger("PIL").setLevel(logging.INFO)


def open_rgb(path):
    """The picture in the image file *path*: upright, mode RGB, what is transparent over white.

    Raises InputError when the file is missing, is no image, or is damaged or cut short.
    """
    try:
        return decode_rgb(path)
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: no such image file; put it back, or delete its pairs and prepare again"
        ) from error
    except Exception as error:  # a damaged file can make a decoder raise anything
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path}: cannot be read as an image ({reason}); replace it, or delete its pairs and "
            f"prepare again"
        ) from error


def decode_rgb(file):
    """As open_rgb, of a path or an open binary file; raises whatever the decoder does."""
    with Image.open(file) as picture:
        return to_rgb(picture)


def to_rgb(picture):
    """A PIL picture of any mode: upright, mode RGB, what is transparent over white."""
    # Cameras store how they were held instead of turning the pixels.
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):
        import numpy as np  # half the time that it takes to say that an output is there already

        # 16-bit grey: convert() would cut off everything above 255 instead of scaling.
        picture = Image.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")
