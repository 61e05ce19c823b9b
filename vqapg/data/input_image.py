"""An image that pairs are made for: its bytes, its picture and its number."""

import hashlib
import io
from typing import NamedTuple

from PIL.Image import Image

from vqapg.data.parquet_images import read_row
from vqapg.data.pictures import PictureError, check_bytes, decode_rgb, open_ordinary
from vqapg.data.remote_files import is_remote, open_remote
from vqapg.errors import InputError


class InputImage(NamedTuple):
    """An image file, a member of a tar shard, or a row of a Parquet file.

    Attributes:
        name: what it is called in all output: the path as it was given, or its name in a data
            directory. A member's path, or a row's name, stands after its file's.
        path: of the file; an address such as ``s3://bucket/1.jpg`` where it lies elsewhere
        offset: where a member's bytes begin; which row it is
        size: how many bytes a member has; -1: the file is the image
        column: of the Parquet file, that holds pictures; empty for other files
    """

    name: str
    path: str
    offset: int = 0
    size: int = -1
    column: str = ""

    def read(self) -> bytes:
        """Its bytes. Raises InputError when they cannot be read, or are too many."""
        try:
            if self.column:
                content = read_row(self.path, self.column, self.offset)
                check_bytes(len(content))
                return content
            if self.size >= 0:
                check_bytes(self.size)
                # No bound on the shard. Listing its members showed that it is an ordinary file.
                with (
                    open_remote(self.path)
                    if is_remote(self.path)
                    else open(self.path, "rb") as file
                ):
                    file.seek(self.offset)
                    return file.read(self.size)
            with (
                open_remote(self.path) if is_remote(self.path) else open_ordinary(self.path) as file
            ):
                return file.read()
        except OSError as error:
            raise InputError(
                f"{self.name}: cannot be read ({error.strerror or error}); "
                "put it back, or do not name it"
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
