"""Where the pairs and the pictures of a session come from."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from vqapg.data.directory import DataDirectory
from vqapg.evaluation.generated import GeneratedPair, read_generated
from vqapg.judges.context import JudgeContext


class PairSource(NamedTuple):
    """Pairs, and the pictures that they are of.

    Attributes:
        path: what holds the pictures
        split: of the images; None where there are no splits
        inputs: the files that say which images there are, for the session's provenance
        read_pairs: the pairs in a file
        image_path: image id -> the file of its picture
        context: what a judge may ask
    """

    path: Path
    split: str | None
    inputs: dict[str, Path]
    read_pairs: Callable[[str | os.PathLike[str]], list[GeneratedPair]]
    image_path: Callable[[str], Path]
    context: JudgeContext


def data_source(data: str | os.PathLike[str] | DataDirectory, split: str = "test") -> PairSource:
    """The images of one split of a data directory.

    Args:
        data: the data directory that was generated from
        split: of the images

    Raises:
        InputError: if it is no data directory
    """
    directory = data if isinstance(data, DataDirectory) else DataDirectory(data)
    return PairSource(
        path=directory.path,
        split=split,
        inputs={"data": directory.path},
        read_pairs=lambda file: read_generated(file, directory, split),
        image_path=directory.image_path,
        context=JudgeContext(directory, split),
    )
