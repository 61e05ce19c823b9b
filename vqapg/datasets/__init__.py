"""Where question-answer pairs come from: one file a data set, each giving the same records.

An entry of ``DATASETS`` is a :class:`~vqapg.datasets.reader.Reader`, see docs/extend/dataset.md.
"""

from vqapg.datasets.reader import Option, Reader, Record, SourceData
from vqapg.errors import InputError
from vqapg.registry import Registry

__all__ = ["DATASETS", "Option", "Reader", "Record", "SourceData", "reader", "truth_name"]

DATASETS: Registry[Reader] = Registry("data set", "vqapg.datasets")
DATASETS.register(
    "easy-vqa",
    "vqapg.datasets.easy_vqa:READER",
    "5,000 drawings of a coloured shape with templated questions; comes as a PyPI package",
)
DATASETS.register("jsonl", "vqapg.datasets.jsonl:READER", "your own pairs, one JSON object a line")
DATASETS.register(
    "scenes",
    "vqapg.datasets.scenes:READER",
    "drawings of 2 to 5 coloured shapes, with ten kinds of questions; made here, no download",
)
DATASETS.register(
    "visual7w",
    "vqapg.datasets.visual7w:READER",
    "Visual7W, the telling questions, by its official splits",
)
DATASETS.register(
    "vqa2",
    "vqapg.datasets.vqa2:READER",
    "VQA v2.0 by the paper's protocol: official val is test",
)


def reader(name: str) -> Reader:
    """The reader of the data set *name*, or the one that ``package.module:attribute`` names.

    Raises:
        InputError: if there is none
    """
    found = DATASETS.get(name)
    if not isinstance(found, Reader):
        raise InputError(
            f"the data set {name} is a {type(found).__name__}, not a vqapg.datasets.Reader; "
            "name a Reader"
        )
    return found


def truth_name(name: str) -> str | None:
    """The name of the judge that knows the truth about the data set *name*; None where none does.

    A data directory outlives the package that made it, so a reader that is gone is no error.
    """
    try:
        return reader(name).truth
    except InputError:
        return None
