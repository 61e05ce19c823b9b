"""Pictures as Hugging Face's ``datasets`` finds and opens them in a folder."""

import io

from PIL import Image, ImageFile

from vqapg.data.picture_formats import identify
from vqapg.data.pictures import upright

# Of its list of endings, ImageFolder.EXTENSIONS. It leaves out a file with another ending (.avif,
# .heic, .qoi), and gives a folder of such files no column "image".
SUFFIX_OF_FORMAT = {
    "BMP": ".bmp",
    "DIB": ".dib",
    "GIF": ".gif",
    "ICO": ".ico",
    "JPEG": ".jpg",
    "JPEG2000": ".jp2",
    "MPO": ".jpg",
    "PCX": ".pcx",
    "PNG": ".png",
    "PPM": ".ppm",
    "PSD": ".psd",
    "SGI": ".sgi",
    "TGA": ".tga",
    "TIFF": ".tiff",
    "WEBP": ".webp",
}


def as_dataset_file(content: bytes) -> tuple[str, bytes]:
    """The ending and the bytes of the file that holds the picture *content*.

    They are the very same bytes where ``datasets`` can open them. Otherwise they are a PNG of the
    same pixels.
    """
    with identify(io.BytesIO(content)) as picture:
        suffix = SUFFIX_OF_FORMAT.get(picture.format or "")
        if suffix is not None and not _has_long_text(picture):
            return suffix, content
        file = io.BytesIO()
        upright(picture).save(file, "PNG")
        return ".png", file.getvalue()


def _has_long_text(picture: Image.Image) -> bool:
    """Whether Pillow, by its defaults, refuses the picture, a PNG, for the text in it."""
    picture.load()  # text may stand behind the pixels
    return any(
        isinstance(text, str) and len(text) > ImageFile.SAFEBLOCK for text in picture.info.values()
    )
