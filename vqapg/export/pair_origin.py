"""Where a data set of pairs comes from: what its card says beside the pairs themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vqapg.data.directory import DataDirectory
from vqapg.datasets import reader
from vqapg.demo import MODEL, SHA256
from vqapg.errors import InputError

PHOTOGRAPHS = (
    "The images are files that somebody gave to `vqapg sample`, as the command says. "
    "vqapg does not know who made them, nor under which terms they may be used."
)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What is known of how pairs came about.

    Attributes:
        made: how they were made, ``{what: value}``, such as the model and the seed
        images: where the images come from and under which terms: sentences
        license: of the pairs, an identifier of the hub that their maker gives; None: nobody said
    """

    made: Mapping[str, object] = field(default_factory=dict)
    images: str = "Nobody has said where the images come from."
    license: str | None = None

    @property
    def by_demo(self) -> bool:
        """Whether the demo's model made the pairs. A model's name has the beginning of its file's
        checksum.
        """
        return any(SHA256[MODEL][:12] in str(value) for value in self.made.values())


def images_of_data(data: DataDirectory) -> str:
    """Where the images of a data directory come from, for :class:`Origin`."""
    name = str(data.manifest["dataset"])
    try:
        terms = reader(name).images
    except InputError:  # a data directory outlives the package that made it
        terms = ""
    terms = terms or "vqapg does not know under which terms they may be used."
    directory = f"a data directory made by `vqapg prepare --dataset {name}`"
    return f"The images are those of {directory}. {terms}"
