"""What Figure 5 shows: diversity and consistency by order of generation, and what it lacks."""

from collections.abc import Iterator

from vqapg.evaluation.metric import Measure
from vqapg.reports.measures import TRUE, D, N, P
from vqapg.reports.paper import MODELS
from vqapg.reports.stored import summary
from vqapg.reports.study import Study, without_pairs

PARADIGMS = ("pipeline_variational", "sequential_variational")
# What the name of a run ends with, and the order that it stands for.
ORDERS = {"": "answer first", "-qa": "question first"}


def paradigms(study: Study) -> list[str]:
    """Those that were evaluated in any order; none unless one of them was in both."""
    if not any({name + order for order in ORDERS} <= set(study) for name in PARADIGMS):
        return []
    return [name for name in PARADIGMS if any(name + order in study for order in ORDERS)]


def runs_shown(study: Study) -> list[str]:
    """The names of the runs that the figure may show."""
    names = [name + order for name in paradigms(study) for order in ORDERS]
    return [name for name in names if name in study]


def measures(study: Study) -> list[Measure]:
    """Those that any run has a figure of."""
    shown = runs_shown(study)
    return [m for m in (D, N, P, TRUE) if any(summary(m, study[name]) for name in shown)]


def lacking(study: Study) -> Iterator[str]:
    """Which bars are missing and why, a sentence a run."""
    for name in (name + order for name in PARADIGMS for order in ORDERS):
        if name not in study:
            yield f"{_label(name)}, is missing: it was not evaluated."
    labels = {name: _label(name) for name in runs_shown(study)}
    yield from without_pairs(study, labels)
    for name, label in labels.items():
        formed = any(stored["malformed"] < stored["pairs"] for stored in study[name].values())
        missing = [m.head for m in measures(study) if not summary(m, study[name])]
        if formed and missing:
            yield f"{label}, lacks {', '.join(missing)}: not measured."


def _label(name: str) -> str:
    paradigm = name.removesuffix("-qa")
    return f"{MODELS[paradigm]}, {ORDERS[name.removeprefix(paradigm)]}"
