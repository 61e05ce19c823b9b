"""One registry for each kind of thing that a user adds, such as backbones or data sets.

An entry is a name, a one-line summary and a target. The target is imported when it is asked for.
Another package registers an entry by an entry point of the registry's group, in its own
``pyproject.toml``::

    [project.entry-points."vqapg.datasets"]
    parrots = "parrots.reader:READER"
"""

import importlib.metadata
import pkgutil
from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any, Generic, NamedTuple, TypeVar, cast

from vqapg.did_you_mean import did_you_mean
from vqapg.errors import InputError

T = TypeVar("T")


class Entry(NamedTuple):
    """One thing that is registered, not imported yet.

    Attributes:
        summary: one line for ``vqapg list``
        load: imports it
    """

    summary: str
    load: Callable[[], Any]


class Registry(Generic[T]):
    """The things of one kind by name: ours, and those that installed packages add.

    A name that ends in a colon is a prefix. The entry ``timm:`` answers for every ``timm:NAME``.
    A name of ours is never replaced by another package's.

    Args:
        kind: what one entry is, for messages, such as ``data set``
        group: the group of entry points, such as ``vqapg.datasets``; its last part is the word
            that ``vqapg list`` takes
    """

    def __init__(self, kind: str, group: str) -> None:
        self.kind = kind
        self.group = group
        self._ours: dict[str, Entry] = {}

    def register(self, name: str, target: str | T, summary: str) -> None:
        """Add *target*: an object, or ``"module:attribute"``, which is imported when asked for.

        Raises:
            ValueError: if the name is taken
        """
        if name in self._ours:
            raise ValueError(f"the {self.kind} {name} is registered twice")
        self._ours[name] = Entry(
            summary,
            lambda: pkgutil.resolve_name(target) if isinstance(target, str) else target,
        )

    def get(self, name: str) -> T:
        """The thing of that name. ``package.module:Attribute`` names one that is not registered.

        Raises:
            InputError: if there is none, or it cannot be imported
        """
        entries = self._all()
        prefix, colon, _ = name.partition(":")
        entry = entries.get(name) or entries.get(prefix + colon)
        if entry is None and colon:
            entry = _unregistered(name)
        if entry is None:
            kinds = self.group.rpartition(".")[2]
            told = did_you_mean(name, entries, f"this lists all: vqapg list {kinds}")
            raise InputError(f"no {self.kind} is named {name!r}; {told}")
        return cast(T, entry.load())

    def names(self) -> list[str]:
        """All names, in order of the alphabet."""
        return sorted(self._all())

    def entries(self) -> list[tuple[str, str]]:
        """Name and summary of each entry, in order of the names. Imports none of them."""
        return [(name, entry.summary) for name, entry in sorted(self._all().items())]

    def _all(self) -> dict[str, Entry]:
        found: dict[str, list[EntryPoint]] = {}
        for point in importlib.metadata.entry_points(group=self.group):
            found.setdefault(point.name, []).append(point)
        return {name: self._of_packages(points) for name, points in found.items()} | self._ours

    def _of_packages(self, points: list[EntryPoint]) -> Entry:
        """The entry that *points*, which have one name, make."""
        packages = " and ".join(sorted({_package(point) for point in points}))

        def load() -> Any:
            if len(points) > 1:
                raise InputError(
                    f"{packages} both register a {self.kind} named {points[0].name}; "
                    f"name the one you mean as {' or '.join(point.value for point in points)}"
                )
            return _imported(points[0], f"{self.kind} {points[0].name} of the package {packages}")

        return Entry(f"from the package {packages}", load)


def _unregistered(name: str) -> Entry | None:
    """The entry for ``package.module:Attribute``; None where *name* is not of that form."""
    module, _, attribute = name.partition(":")
    if not all(part.isidentifier() for part in [*module.split("."), *attribute.split(".")]):
        return None
    return Entry("", lambda: _imported(EntryPoint(attribute, name, ""), name))


def _imported(point: EntryPoint, label: str) -> Any:
    """What the entry point names.

    Raises:
        InputError: if it cannot be imported; another package's code may raise anything
    """
    try:
        return point.load()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(
            f"{label}: cannot be imported ({reason}); "
            "install or mend that package, or put its folder into PYTHONPATH"
        ) from error


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value
