"""What an export format is: which files it writes, how, and how they are known again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vqapg.data.input_image import InputImage
from vqapg.export.pair_origin import Origin
from vqapg.targets import Recogniser

# A pair: "image", "question", "answer", and what else is known of it, such as "score".
Record = Mapping[str, Any]


def one_file(output: Path) -> list[Path]:
    """The output itself, for a format that writes one file or one folder."""
    return [output]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A form in which pairs are written.

    Attributes:
        suffixes: the endings of an output that tell this format, such as ``.jsonl``; "" is none
        write: writes the records to the targets. It gets the paths of ``files_of``, the records of
            which those of an image stand together, all images that records may be of, and where
            the pairs come from. A path must appear only when its content is whole: see
            :func:`vqapg.files.atomic_write` and :func:`vqapg.folders.new_folder`.
        recognise: returns None for a file that this format wrote, else a few words that say what is
            not ours, as :mod:`vqapg.targets` asks for
        files_of: the paths that are written for an output
        is_folder: whether the output is a folder
        is_dataset: whether it is a data set as it is published, with the pictures, splits and a
            licence. Its records have "split" where the pairs are of a split of a data directory
    """

    suffixes: tuple[str, ...]
    write: Callable[[Sequence[Path], Iterable[Record], Sequence[InputImage], Origin], None]
    recognise: Recogniser
    files_of: Callable[[Path], list[Path]] = one_file
    is_folder: bool = False
    is_dataset: bool = False
