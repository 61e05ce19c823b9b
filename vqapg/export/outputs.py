"""Writing pairs in any of the formats: which format an output has, and the one rule for what
exists.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vqapg.data.input_image import InputImage
from vqapg.errors import InputError
from vqapg.export import FORMATS, OURS
from vqapg.export.format import Format, Record
from vqapg.export.licences import check_licence
from vqapg.export.pair_origin import Origin
from vqapg.files import writing
from vqapg.targets import check_target, real_path


class Destination(NamedTuple):
    """Where a run writes to.

    Attributes:
        output: the file or folder
        format: the format's name
        html: the page beside it, or None
        replace: whether what exists of ours is replaced
        origin: what a data set says of the images and the licence; the run adds the rest
        split: of the data directory that the images are of; None: they are of none
    """

    output: Path
    format: str
    html: Path | None = None
    replace: bool = False
    origin: Origin = Origin()
    split: str | None = None

    @property
    def journal(self) -> Path:
        """Where the run keeps what is finished."""
        return self.output.with_name(f"{self.output.name}.partial")


def format_named(name: str) -> Format:
    """The format called *name*, or the one that ``package.module:ATTRIBUTE`` names.

    Raises:
        InputError: if there is none
    """
    found = FORMATS.get(name)
    if not isinstance(found, Format):
        raise InputError(
            f"the format {name} is a {type(found).__name__}, not a vqapg.export.Format; "
            "name a Format"
        )
    return found


def format_of(output: str | Path, given: str | None = None) -> str:
    """The name of the format: *given*, or the one that the ending of *output* tells.

    Raises:
        InputError: if there is no such format, or the ending tells none
    """
    if given is not None:
        format_named(given)
        return given
    endings = _endings()
    suffix = Path(output).suffix
    if suffix not in endings:
        known = ", ".join(f"{ending or 'no ending'}: {name}" for ending, name in endings.items())
        raise InputError(f"--output {output}: its ending tells no format ({known}); give --format")
    return endings[suffix]


def _endings() -> dict[str, str]:
    """The format of each ending. One of ours is never replaced by another package's."""
    endings: dict[str, str] = {}
    for name in [*OURS, *(name for name in FORMATS.names() if name not in OURS)]:
        try:
            suffixes = format_named(name).suffixes
        except InputError:
            continue  # it is told of when it is asked for by name
        for suffix in suffixes:
            endings.setdefault(suffix, name)
    return endings


def files_of(output: str | Path, format: str) -> list[Path]:
    """The paths that are written for *output*."""
    return format_named(format).files_of(Path(output))


def write_records(
    output: str | Path,
    format: str,
    records: Iterable[Record],
    images: Sequence[InputImage],
    *,
    overwrite: bool = False,
    origin: Origin | None = None,
) -> int:
    """Write *records* as *format*; every name appears when its content is whole.

    Args:
        output: the file or folder
        format: the format's name
        records: those of an image stand together. "split" in them is for data sets, and no other
            format has it
        images: all images that records may be of
        overwrite: replace what exists, if vqapg wrote it
        origin: where the pairs come from; None: nobody said

    Returns:
        the number of records

    Raises:
        InputError: if there is something already that may not be replaced, see :mod:`vqapg.targets`
        RunError: if the disk is full
    """
    chosen = format_named(format)
    if not chosen.is_dataset:
        records = (_without_split(record) for record in records)
    counted = _Counted(records)
    targets = [real_path(path) for path in chosen.files_of(Path(output))]
    # Hours may have passed since the command looked at them.
    for target in targets:
        check_target(target, chosen.recognise, overwrite=overwrite)
    with writing(output):
        chosen.write(targets, counted, images, origin or Origin())
    return counted.number


def check_data_set(
    format: str,
    *,
    licence: str | None = None,
    checkpoint: Path | None = None,
    images: Iterable[InputImage] = (),
) -> None:
    """What only data sets can have, told before the long work begins.

    Args:
        format: the format's name
        licence: that is given to the pairs; None: none
        checkpoint: that the card names; None: none
        images: files that a data set copies

    Raises:
        InputError: if the licence is unknown, the format has no card, or an image is gone
    """
    is_dataset = format_named(format).is_dataset
    if licence is not None:
        check_licence(licence)
    for flag, given in (("--license", licence), ("--checkpoint", checkpoint)):
        if given is not None and not is_dataset:
            sets = " or ".join(name for name in OURS if format_named(name).is_dataset)
            raise InputError(
                f"{flag} {given}: the format {format} has no place for it; "
                f"leave it out, or give --format {sets}"
            )
    for image in images if is_dataset else ():
        if not Path(image.path).is_file():
            raise InputError(
                f"{image.path}: there is no such picture, and the format {format} copies the "
                "pictures; put it back, or give another --format"
            )


def _without_split(record: Record) -> Record:
    return {key: value for key, value in record.items() if key != "split"}


class _Counted:
    """Counts the items that are taken of it."""

    def __init__(self, items: Iterable[Record]):
        self.items, self.number = items, 0

    def __iter__(self) -> Iterator[Record]:
        for item in self.items:
            self.number += 1
            yield item
