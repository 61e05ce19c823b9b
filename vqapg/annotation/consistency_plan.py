"""What an estimate of consistency needs of a session: which triples its pairs were drawn from.

The distinct triples of all files are cut into cells. A cell holds the triples that the same files
have, and that the judge treats in the same way. Pairs are drawn at random within a cell.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

# By the judge's score: above 0.5, at most 0.5, no score; and of a draw without a judge.
STRATA = ("accepted", "rejected", "unscored", "all")
MOST_ANNOTATORS = 100


@dataclass(frozen=True)
class Cell:
    """Triples that are in the same files and in the same stratum.

    Attributes:
        files: the names of the files that have them, in the order of the plan
        stratum: one of :data:`STRATA`
        size: how many there are
        pairs: the ids of those that were drawn
    """

    files: tuple[str, ...]
    stratum: str
    size: int
    pairs: tuple[str, ...]


@dataclass(frozen=True)
class JudgedFile:
    """A file of pairs.

    Attributes:
        triples: how many distinct well-formed triples it has
        malformed: how many pairs have no such form
        sha256: of the file
    """

    triples: int
    malformed: int
    sha256: str


@dataclass(frozen=True)
class Plan:
    """How the pairs of a session were drawn.

    Attributes:
        judge: the identity of the judge whose score makes the strata; None without one
        asked: how many pairs the user asked for
        annotators: how many judge every pair; one more judges where they disagree
        files: by name
        cells: together they hold every distinct triple of every file once
    """

    judge: dict[str, Any] | None
    asked: int
    annotators: int
    files: dict[str, JudgedFile]
    cells: tuple[Cell, ...]

    def cells_of(self, name: str) -> list[Cell]:
        """The cells of one file; together they are the file."""
        return [cell for cell in self.cells if name in cell.files]


def plan_content(plan: Plan) -> dict[str, Any]:
    """*plan* as JSON holds it."""
    return asdict(plan)


def read_plan(content: dict[str, Any], pairs: Sequence[str]) -> Plan:
    """The plan that *content* spells, of a session that shows these *pairs* (their ids).

    Raises:
        ValueError, KeyError, TypeError: if it is none, saying where
    """
    if not isinstance(content["files"], dict) or not isinstance(content["cells"], list):
        raise ValueError("plan: files is no object, or cells no list")
    files = {name: JudgedFile(**file) for name, file in content["files"].items()}
    cells: list[Cell] = []
    for number, cell in enumerate(content["cells"]):
        try:
            cells.append(
                Cell(tuple(cell["files"]), cell["stratum"], cell["size"], tuple(cell["pairs"]))
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"plan: cells[{number}] is not of its form: {error}") from error
        if not set(cells[-1].files) <= set(files) or not cells[-1].files:
            raise ValueError(f"plan: cells[{number}] is of no file of the plan")
        if cells[-1].stratum not in STRATA:
            raise ValueError(f"plan: cells[{number}] is of no known stratum")
        if not _is_count(cells[-1].size) or len(cells[-1].pairs) > cells[-1].size:
            raise ValueError(f"plan: cells[{number}] has more pairs than its size")
    plan = Plan(content["judge"], content["asked"], content["annotators"], files, tuple(cells))
    if plan.judge is not None and not isinstance(plan.judge, dict):
        raise ValueError("plan: judge is no object")
    if not _is_count(plan.asked) or not _is_count(plan.annotators):
        raise ValueError("plan: asked or annotators is no whole number")
    if not 1 <= plan.annotators <= MOST_ANNOTATORS:
        raise ValueError(f"plan: annotators is not within 1 to {MOST_ANNOTATORS}")
    drawn = [pair for cell in cells for pair in cell.pairs]
    if sorted(drawn) != sorted(pairs):
        raise ValueError("plan: its cells do not hold each pair of the session once")
    for name, file in files.items():
        counts = (file.triples, file.malformed)
        if not all(map(_is_count, counts)) or not isinstance(file.sha256, str):
            raise ValueError(f"plan: file {name[:60]!r} has a count or a checksum that is none")
        if sum(cell.size for cell in plan.cells_of(name)) != file.triples:
            raise ValueError(f"plan: the cells of file {name[:60]!r} are not all of its triples")
    return plan


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0
