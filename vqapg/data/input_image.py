"""An image that pairs are made for: its bytes, its picture and its number."""

import hashlib
import io
import os
from typing import NamedTuple

from PIL.Image import Image

from vqapg.data.pictures import PictureError, check_bytes, decode_rgb, open_ordinary, to_rgb
from vqapg.errors import InputError


class InputImage(NamedTuple):
    """An image file, or a member of a tar shard, whose ``size`` bytes begin at ``offset``.

    ``name`` is what it is called in all output: the path as it was given. A member's path stands
    after its shard's.
    """

    name: str
    path: str
    offset: int = 0
    size: int = -1

    def read(self) -> bytes:
        """Its bytes. Raises InputError when they cannot be read, or are too many."""
        try:
            if self.size >= 0:
                check_bytes(self.size)
                # No bound on the shard. Listing its members showed that it is an ordinary file.
                with open(self.path, "rb") as file:
                    file.seek(self.offset)
                    return file.read(self.size)
            with open_ordinary(self.path) as file:
                return file.read()
        except OSError as error:
            raise InputError(
                f"{self.name}: cannot be read ({error.strerror}); put it back, or do not name it"
            ) from error
        except PictureError as error:
            raise self._unreadable(error) from error

    def number(self) -> int:
        """As open gives it, without decoding the picture."""
        return image_number(self.read())

    def open(self) -> tuple[Image, int]:
        """The picture, RGB and upright, and the image's number in noise keys.

        Raises:
            InputError: it is no image, is damaged or cut short, or is larger than the bounds
        """
        content = self.read()
        try:
            return decode_rgb(io.BytesIO(content)), image_number(content)
        except PictureError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, reason):
        return InputError(
            f"{self.name}: cannot be read as an image ({reason}); replace or remove it"
        )


def image_number(content: bytes) -> int:
    """The image's number in noise keys (:mod:`vqapg.modules.noise`), made of its bytes.

    It is below 2**63. The same photograph and seed give the same pairs, whatever it is called and
    whatever else is sampled with it, in whichever shard, batch or run.
    """
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") >> 1


def open_given(image: str | os.PathLike | Image) -> tuple[Image, int]:
    """Picture and number of a path, or of a PIL image, whose number is made of its pixels."""
    if isinstance(image, (str, os.PathLike)):
        return InputImage(str(image), str(image)).open()
    picture = to_rgb(image)
    return picture, image_number(repr(picture.size).encode() + picture.tobytes())
