"""Which files are pictures: told by what is in them, and only in the formats listed here.

Pillow reads more formats than these. Some of them start other programs: EPS starts Ghostscript. So
a file of such a format is refused, whatever its ending says.
"""

import functools
import importlib.util
from enum import Enum, auto
from typing import BinaryIO

from PIL import Image, PngImagePlugin, UnidentifiedImageError

# Those that Pillow loads first stand first. MPO, a phone's JPEG of two pictures, is opened as JPEG.
SIGNED_FORMATS = (
    "JPEG",
    "PNG",
    "GIF",
    "BMP",
    "PPM",
    "WEBP",
    "TIFF",
    "JPEG2000",
    "AVIF",
    "PSD",
    "ICO",
    "PCX",
    "SGI",
    "QOI",
)
# These begin with so little that other files pass for them. The ending, or a person, must say it.
UNSIGNED_FORMATS = ("DIB", "TGA")
# Files with these endings are taken for pictures without a look at them.
SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".webp",
    ".gif",
    ".bmp",
    ".dib",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pnm",
    ".jp2",
    ".j2k",
    ".jpx",
    ".avif",
    ".tga",
    ".psd",
    ".ico",
    ".pcx",
    ".qoi",
)
HEIF_PACKAGE = "pillow_heif"
HEIF_CURE = "pip install 'vqapg[heif]'"
HEIF_BRANDS = (
    b"heic",
    b"heix",
    b"heim",
    b"heis",
    b"hevc",
    b"hevx",
    b"hevm",
    b"hevs",
    b"mif1",
    b"msf1",
)
HEAD_BYTES = 32
TGA_SIGNATURE = b"TRUEVISION-XFILE.\0"

# A phone's 200 megapixels and every panorama pass. Pillow's own bound of 179 refuses the former.
MOST_PIXELS = 250_000_000
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
# Some programs keep megabytes of text in a PNG. It may take the memory of a large picture.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 1 << 28


class Content(Enum):
    """What a file holds."""

    PICTURE = auto()
    HEIC = auto()
    DAMAGED_HEIC = auto()
    OTHER = auto()


def identify(
    file: BinaryIO, formats: tuple[str, ...] = SIGNED_FORMATS + UNSIGNED_FORMATS
) -> Image.Image:
    """Open the picture in *file* without decoding it.

    Args:
        file: open for reading, at any place
        formats: Pillow's names of the formats to try. HEIC is tried besides, with its package.

    Returns:
        the picture, to be closed by the caller

    Raises:
        PIL.UnidentifiedImageError: *file* is of none of the formats
        Exception: whatever a decoder makes of a damaged file
    """
    try:
        return Image.open(file, formats=formats)
    except UnidentifiedImageError:
        file.seek(0)
        if not is_heic(file.read(HEAD_BYTES)) or not heic_is_read():
            raise
    import pillow_heif  # loads a decoder that few need

    pillow_heif.register_heif_opener()
    return Image.open(file, formats=("HEIF",))


def content_of(file: BinaryIO) -> Content:
    """What *file*, open at its beginning, holds. Its header is read; nothing is decoded."""
    head = file.read(HEAD_BYTES)
    if is_heic(head) and not _box_follows(file, head):
        return Content.DAMAGED_HEIC
    try:
        with identify(file, SIGNED_FORMATS) as picture:
            return Content.HEIC if picture.format == "HEIF" else Content.PICTURE
    except Image.DecompressionBombError:
        return Content.PICTURE  # refused by name when it is opened
    except Exception:  # a damaged file can make a decoder raise anything
        if is_heic(head):
            return Content.HEIC
        return Content.PICTURE if _has_tga_signature(file) else Content.OTHER


def is_heic(head: bytes) -> bool:
    """Whether a file that begins with *head* says that it is HEIC, or HEIF of another codec."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS


@functools.cache
def heic_is_read() -> bool:
    """Whether the package that reads HEIC is installed."""
    return importlib.util.find_spec(HEIF_PACKAGE) is not None


def _box_follows(file, head):
    """Whether a second box follows in a HEIC file. One that was cut or never filled has none."""
    file.seek(int.from_bytes(head[:4], "big"))
    return file.read(8)[4:].isalpha()


def _has_tga_signature(file):
    file.seek(0, 2)
    file.seek(max(0, file.tell() - len(TGA_SIGNATURE)))
    return file.read() == TGA_SIGNATURE
