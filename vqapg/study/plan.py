"""The plan of a study, ``configs/study.yaml``: which runs there are, and which result needs
which."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from vqapg.did_you_mean import did_you_mean
from vqapg.errors import InputError

FIRST, ALL, NONE = "first", "all", "none"
# The seed of a run that has no folder a seed.
ONE_SEED = 1
GOLD = "gold"


class Run(NamedTuple):
    """One line of the plan's runs.

    Attributes:
        name: of its folder
        model: a file of ``configs/`` without ending
        seeds: ``all``, ``first`` or ``none``
        changes: of the preset's settings, ``KEY=VALUE`` each
        pretrained_on: the run whose generated pairs it is pre-trained on, ``gold``, or None
    """

    name: str
    model: str
    seeds: str = ALL
    changes: tuple[str, ...] = ()
    pretrained_on: str | None = None

    @property
    def is_downstream(self) -> bool:
        """Whether it is of Table 8."""
        return self.model in ("vqg", "vqa")

    def folders(self, seeds: Sequence[int], which: str = ALL) -> dict[str, int]:
        """Its folders and their seeds.

        Args:
            seeds: of the study
            which: ``first``: that of the first seed only
        """
        if self.seeds == NONE:
            return {self.name: ONE_SEED}
        chosen = seeds[:1] if FIRST in (self.seeds, which) else seeds
        return {f"{self.name}/seed-{seed}": seed for seed in chosen}


class Result(NamedTuple):
    """A table or figure: the file that it needs of each of its runs.

    Attributes:
        file: in the folder of each run and seed; without runs a file of the study
        runs: their names
        seeds: ``all`` or ``first``
        also: other files of the study
    """

    file: str
    runs: tuple[str, ...] = ()
    seeds: str = ALL
    also: tuple[str, ...] = ()


class Plan(NamedTuple):
    """All runs and results of a study.

    Attributes:
        runs: by name
        results: by name, such as ``table4``
        annotation: the runs whose pairs people judge
        gpus: ``all`` or ``one``, by preset: those of one training
    """

    runs: dict[str, Run]
    results: dict[str, Result]
    annotation: tuple[str, ...]
    gpus: dict[str, str]

    def chosen(self, names: Iterable[str]) -> list[str]:
        """The results of these names in the plan's order; all where there is no name.

        Raises:
            InputError: if the plan has no result of that name
        """
        names = list(names)
        for name in names:
            if name not in self.results:
                told = did_you_mean(name, self.results, f"the plan has {', '.join(self.results)}")
                raise InputError(f"--only {name}: is no table or figure of the plan; {told}")
        return [name for name in self.results if not names or name in names]

    def files(self, names: Iterable[str], seeds: Sequence[int]) -> list[str]:
        """The files that these results need, relative to the study's folder.

        Those of a first seed stand before those of the second.
        """
        needed: dict[str, int] = {}
        for name in self.chosen(names):
            result = self.results[name]
            for file in (*result.also, *([] if result.runs else [result.file])):
                needed[file] = 0
            for run in result.runs:
                folders = self.runs[run].folders(seeds, result.seeds)
                for place, folder in enumerate(folders):
                    needed[f"{folder}/{result.file}"] = place
        return sorted(needed, key=needed.__getitem__)


def read_plan(path: Path) -> Plan:
    """The plan in the YAML file *path*.

    Raises:
        InputError: if the file is not of that form, or a result names no run
    """
    try:
        stored: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        runs = {name: _run(name, **line) for name, line in stored["runs"].items()}
        results = {name: _result(**line) for name, line in stored["results"].items()}
        plan = Plan(runs, results, tuple(stored["annotation"]), stored["gpus"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: is no plan of a study ({error}); correct it") from error
    named = {run for result in results.values() for run in result.runs} | set(plan.annotation)
    named |= {run.pretrained_on for run in runs.values() if run.pretrained_on not in (None, GOLD)}
    for run in sorted(named - set(runs)):
        raise InputError(f"{path}: has no run {run}, which it needs; add it to the runs")
    return plan


def _result(
    file: str, runs: Sequence[str] = (), seeds: str = ALL, also: Sequence[str] = ()
) -> Result:
    return Result(file, tuple(runs), seeds, tuple(also))


def _run(
    name: str,
    model: str,
    seeds: str = ALL,
    set: Sequence[str] = (),
    pretrained_on: str | None = None,
) -> Run:
    return Run(name, model, seeds, tuple(set), pretrained_on)
