"""Pictures in a folder, each known by its path in it: what there is without a data directory."""

import os
from pathlib import Path

from PIL.Image import Image

from vqapg.data.input_image import InputImage
from vqapg.errors import InputError


class PictureFolder:
    """The pictures of a folder and of the folders in it.

    A file of pairs may name a picture in two ways: by its path in the folder, or, as ``vqapg
    sample`` writes it, by its path from the current folder. Either way it is known by the first.
    The file may be a stranger's, so no name leads out of the folder.

    Args:
        path: of the folder

    Raises:
        InputError: if there is no such folder
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise InputError(
                f"--images {path}: there is no such folder; give the one that the pictures are in"
            )
        self._root = os.path.abspath(self.path)
        self._names: dict[str, str | None] = {}

    def name_of(self, image: str) -> str | None:
        """The path in the folder of the picture that *image* names; None where there is none.

        Whether the file is a picture shows when it is opened.
        """
        if image not in self._names:
            self._names[image] = self._look_for(image)
        return self._names[image]

    def image_path(self, name: str) -> Path:
        """The file of the picture *name*, as :meth:`name_of` gives it."""
        return self.path / name

    def open(self, name: str) -> Image:
        """The picture *name*: upright, mode RGB.

        Raises:
            InputError: if it is no picture, is damaged or cut short, or is larger than the bounds
        """
        path = str(self.image_path(name))
        return InputImage(path, path).open()[0]

    def _look_for(self, image: str) -> str | None:
        for path in (os.path.join(self._root, image), os.path.abspath(image)):
            path = os.path.normpath(path)
            try:
                if not path.startswith(os.path.join(self._root, "")) or not os.path.isfile(path):
                    continue
            except ValueError:  # a zero byte, or what is no Unicode: no file has such a name
                continue
            return Path(path).relative_to(self._root).as_posix()
        return None
