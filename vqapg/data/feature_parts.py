"""Parts of the features of a run, beside the file that they go into.

    .features.h5.parts/000000064-000000128.h5     the rows 64 to 127
    .features.h5.parts/000000064-000000128.json   what could not be read of them: the part is done

A file appears under its name when it is whole, the features first. So a part that was cut short is
made again. A part is removed as soon as its rows are in the features file.
"""

import contextlib
import os
import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from vqapg.data.feature_encoding import Encoded
from vqapg.data.feature_journal import FeatureJournal
from vqapg.data.feature_store import FeatureStore
from vqapg.data.feature_writer import FeatureWriter
from vqapg.errors import InputError
from vqapg.files import whole_file, writing
from vqapg.targets import check_target, our_features

# Also what a worker that was killed had begun, see vqapg.files.working_name.
OURS = re.compile(r"\d{9}-\d{9}\.(h5|json)|\.\d{9}-\d{9}\.(h5|json)\.vqapg-.+")


class Part(NamedTuple):
    """Some images of a run, one after another.

    Attributes:
        first: the row of the first
        ids: of the images
        paths: likewise
    """

    first: int
    ids: list[str]
    paths: list[Path]

    @property
    def name(self) -> str:
        """Its rows. The images of a run have one order, so no others have these."""
        return f"{self.first:09}-{self.first + len(self.ids):09}"


class FeatureParts:
    """The parts of the features file *target*.

    Args:
        target: the features file
        source: of the backbone
        images_digest: of the data directory
    """

    def __init__(self, target: Path, source: Mapping[str, str | int], images_digest: str) -> None:
        self.folder = target.with_name(f".{target.name}.parts")
        self.source, self.images_digest = dict(source), images_digest

    def begin(self) -> None:
        """Make the folder, or take up the one that is there.

        Raises:
            InputError: if something else is there
            RunError: if the disk is full
        """
        if self.folder.is_symlink() or (self.folder.exists() and not self.folder.is_dir()):
            raise InputError(f"{self.folder}: is no folder of vqapg; move it away")
        with writing(self.folder):
            self.folder.mkdir(exist_ok=True)

    def done(self, part: Part, skip_bad_images: bool) -> bool:
        """Whether a part is whole, and made of the same images by the same network.

        Args:
            part: its images
            skip_bad_images: False: a part that leaves an image out is not done. Someone may have
                repaired the image since.
        """
        count, errors = self._journal(part).read()
        whole = count == len(part.ids) and self._path(part).is_file()
        return whole and (skip_bad_images or not errors)

    def write(
        self, part: Part, encoded: Iterable[Encoded], grid: tuple[int, int], channels: int
    ) -> None:
        """Write a part as a whole.

        Args:
            part: its images
            encoded: their features
            grid: of the regions
            channels: of a region

        Raises:
            InputError: if this machine cannot write to the folder
            RunError: if the disk is full
        """
        if not os.access(self.folder, os.W_OK):
            raise InputError(
                f"{self.folder}: the machine {socket.gethostname()} does not see this folder, or "
                "may not write to it; all machines must have the data directory under one path"
            )
        check_target(self._path(part), our_features, overwrite=True)
        errors: dict[int, str] = {}
        with whole_file(self._path(part)) as file:
            writer = FeatureWriter.create(
                file, part.ids, grid, channels, self.source, self.images_digest
            )
            row = 0
            for features, wrong in encoded:
                writer.write(row, features)
                errors |= {row + place: error for place, error in wrong.items()}
                row += len(features)
            writer.finish(skipped=errors)
        self._journal(part).write(len(part.ids), errors)

    def read(self, part: Part) -> Encoded:
        """The features of a part that is done, and what could not be read.

        Raises:
            InputError: if its file was changed
        """
        try:
            store = FeatureStore(self._path(part))
        except InputError as error:
            raise self._changed(part) from error
        if store.ids != part.ids:
            raise self._changed(part)
        return Encoded(store.read(range(len(part.ids))), self._journal(part).read()[1])

    def remove(self, part: Part) -> None:
        """Remove a part. What says that it is done goes first."""
        self._journal(part).path.unlink(missing_ok=True)
        self._path(part).unlink(missing_ok=True)

    def end(self) -> None:
        """Remove all parts and the folder; nothing that is not ours."""
        if self.folder.is_symlink() or not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if OURS.fullmatch(path.name) and not path.is_symlink():
                path.unlink(missing_ok=True)
        # Something foreign stays, and so does what a worker of a killed run writes at this moment.
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _changed(self, part: Part) -> InputError:
        return InputError(
            f"{self._path(part)}: was changed after it was written; delete {self.folder} and run "
            "the same command again"
        )

    def _path(self, part: Part) -> Path:
        return self.folder / f"{part.name}.h5"

    def _journal(self, part: Part) -> FeatureJournal:
        identity = {"images_digest": self.images_digest, **self.source}
        return FeatureJournal(self.folder / f"{part.name}.json", identity)
