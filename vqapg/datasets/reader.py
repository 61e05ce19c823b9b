"""What a reader of a data set is: what it reads, the options it takes, and what it says when asked.

Importing this is cheap, because the flags of ``vqapg prepare`` are made of the readers' options.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vqapg.errors import InputError

SPLITS = ("train", "valid", "test")
# Flags that vqapg prepare has itself.
TAKEN = ("dataset", "source", "dest", "overwrite", "help")

Value = int | float | str
# {split: {"images": number, "pairs": number}}
Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Record:
    """A question-answer pair as people wrote it.

    Args:
        image: its file, relative to the image root, or absolute
        split: train, valid or test
        wrong_answers: that people wrote to the question of this image; empty where nobody did
    """

    image: str
    question: str
    answer: str
    split: str
    wrong_answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceData:
    """What a reader read.

    Args:
        source: the resolved path it was read from
        image_root: the folder that the images' names are relative to; a relative one lies in the
            data directory
        records: the pairs of one image stand together within a split
        files: every file that shaped the records, so that a later change of them is noticed
        write: for a data set that is made here; writes its images and other files into a data
            directory, and returns the names of the other files
    """

    source: Path
    image_root: Path
    records: list[Record]
    files: list[Path]
    write: Callable[[Path], list[str]] | None = None

    def check(self, dataset: str) -> None:
        """Raises InputError, naming the record, where a reader broke the rules above."""
        image_before: dict[str, str] = {}
        seen: set[tuple[str, str]] = set()
        for number, record in enumerate(self.records, start=1):
            if record.split not in SPLITS:
                fault = f"is of the split {record.split!r}, not of {', '.join(SPLITS)}"
            elif not record.image or any(sign in record.image for sign in "\0\n\r"):
                fault = f"has the image {record.image!r}, which is no name of a file"
            elif image_before.get(record.split) != record.image and (
                (record.split, record.image) in seen
            ):
                fault = f"stands apart from the other pairs of its image {record.image}"
            else:
                image_before[record.split] = record.image
                seen.add((record.split, record.image))
                continue
            raise InputError(f"{self.source}: record {number} {fault}; mend the reader {dataset}")


@dataclass(frozen=True)
class Option:
    """An option of a reader, and the flag of ``vqapg prepare`` for it.

    Args:
        name: of the argument of ``read``; its flag has dashes for underscores
        type: int, float or str
        default: used where the flag is not given
        help: one line, without the default
        minimum: the least value of a number; None: any
    """

    name: str
    type: type[int] | type[float] | type[str]
    default: Value
    help: str
    minimum: float | None = None

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name in TAKEN:
            raise ValueError(f"an option of a reader cannot have the name {self.name!r}")

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def parse(self, text: str) -> Value:
        """The value that *text*, from the command line, stands for.

        Raises:
            InputError: if it is of another type
        """
        try:
            return self.type(text)
        except ValueError as error:
            kind = "whole number" if self.type is int else "number"
            raise InputError(f"{self.flag} {text}: is not a {kind}; give one") from error


def complete_source(split: str) -> str:
    """The cure for an empty split where a reader has no better one."""
    return "give a --source that is complete"


@dataclass(frozen=True)
class Reader:
    """An entry of the registry of data sets.

    Args:
        read: called with the path of the source (None: not given) and each option by its name;
            raises InputError that names the file, the line or item, and the cure
        source: what ``--source`` names, for the help
        options: what ``read`` takes beside the source
        empty_split_cure: what a user can do when that split has no pair
        paper_table2: the counts in the paper's Table 2, if the paper has the data set
        truth: the name of a judge that knows the right answers, see :mod:`vqapg.judges`
        images: where the images come from and under which terms, in sentences; for the card of a
            data set that is made of them
    """

    read: Callable[..., SourceData]
    source: str
    options: tuple[Option, ...] = ()
    empty_split_cure: Callable[[str], str] = complete_source
    paper_table2: Counts | None = None
    truth: str | None = None
    images: str = ""

    def complete(self, dataset: str, given: Mapping[str, Value]) -> dict[str, Value]:
        """All options of this reader: those *given*, else their defaults.

        Raises:
            InputError: if it takes no such option, or the value is below its minimum
        """
        flags = {option.name: option.flag for option in self.options}
        for name in given:
            if name not in flags:
                takes = f"it takes {', '.join(flags.values())}" if flags else "it takes no option"
                raise InputError(
                    f"--{name.replace('_', '-')}: the data set {dataset} has no such option; "
                    f"{takes}"
                )
        values = {option.name: given.get(option.name, option.default) for option in self.options}
        for option in self.options:
            value = values[option.name]
            if option.minimum is not None and value < option.minimum:  # type: ignore[operator]
                raise InputError(f"{option.flag} {value}: must be at least {option.minimum}")
        return values
