"""What a metric is: one record, which tables, JSON files, documentation and reports all read.

:mod:`vqapg.evaluation.metrics` lists those of this package. Another package adds its own under the
entry-point group ``vqapg.metrics``, see ``docs/extend/metric.md``.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypedDict, TypeVar

import numpy as np

from vqapg.data.directory import Pair
from vqapg.errors import RunError
from vqapg.evaluation.figures import Figures
from vqapg.judges.truth import Truth

T = TypeVar("T")
Need = Literal["scores", "scores_elsewhere", "truth", "gold", "train"]


class Figure(TypedDict):
    """A number, how many things it is over, and its bootstrap interval over images."""

    value: float | None
    n: int
    ci95: list[float] | None


class Unit(NamedTuple):
    """How a number is printed: times *factor*, to so many *decimals*, with *mark* in the head."""

    factor: float
    decimals: int
    mark: str


UNITS = {
    "share": Unit(100, 2, " (%)"),
    "count": Unit(1, 0, ""),
    "number": Unit(1, 2, ""),
    "score": Unit(1, 3, ""),
    "nats": Unit(1, 3, " (nats)"),
}


class NotComputed(Exception):
    """A metric cannot be had: *reason* says why and what to do, as "needs Java: install it".

    *figure* is what is still to be told, such as how many things it would be over.
    """

    def __init__(self, reason: str, figure: Figure | None = None):
        super().__init__(reason)
        self.reason = reason
        self.figure = figure


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A kind of figure, and how it is printed.

    Attributes:
        key: its name in JSON
        label: for people; without the unit
        unit: one of :data:`UNITS`
        symbol: the paper's letter for it, such as P
    """

    key: str
    label: str
    unit: Literal["share", "count", "number", "score", "nats"]
    symbol: str = ""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(
                f"{self.key}: the unit is {self.unit!r}; give one of {', '.join(UNITS)}"
            )

    @property
    def head(self) -> str:
        """The head of a column: the symbol or else the label, with the unit."""
        return (self.symbol or self.label) + UNITS[self.unit].mark

    def scaled(self, value: float) -> float:
        """*value*, as JSON has it, in the unit in which it is printed."""
        return UNITS[self.unit].factor * value

    def text(self, value: float | None) -> str:
        """*value*, as JSON has it, for people; a dash for None."""
        if value is None:
            return "-"
        return f"{self.scaled(value):,.{UNITS[self.unit].decimals}f}"


class MetricInputs:
    """What a metric may read.

    Attributes:
        figures: the generated pairs, with what makes figures of them
        scores: [T] the judge's score of each distinct triple; None without a judge
        scores_elsewhere: [T] its score of each with another image; None where nobody asked for it
        truth: of the data set; None where nobody knows it
        gold: the pairs of the split; None where there are none
        train: the pairs of the train split; None where there are none
    """

    def __init__(
        self,
        figures: Figures,
        *,
        scores: np.ndarray | None = None,
        scores_elsewhere: np.ndarray | None = None,
        truth: Truth | None = None,
        gold: Sequence[Pair] | None = None,
        train: Sequence[Pair] | None = None,
    ) -> None:
        self.figures = figures
        self.scores = scores
        self.scores_elsewhere = scores_elsewhere
        self.truth = truth
        self.gold = gold
        self.train = train
        self._found: dict[Callable[[MetricInputs], Any], Any] = {}

    def have(self, needs: Iterable[Need]) -> bool:
        """Whether all that a metric *needs* is there."""
        return all(getattr(self, need) is not None for need in needs)

    def once(self, function: "Callable[[MetricInputs], T]") -> T:
        """``function(self)``, computed once however many metrics ask for it."""
        if function not in self._found:
            self._found[function] = function(self)
        found: T = self._found[function]
        return found


@dataclass(frozen=True, kw_only=True)
class Metric(Measure):
    """A figure of a generated set.

    Attributes:
        over: the things that its n counts, in the plural
        better: which way is better; None where neither is
        version: rises when the same pairs get another figure than before
        group: the heading it stands under
        compute: makes the figure; may raise :class:`NotComputed`; None leaves it out
        needs: what else than pairs it needs; where that is not there, it is left out
        variant_of: the key of the metric of which this treats repeats within an image in the
            other way; it is shown only where there are repeats
        differs_without_repeats: of a variant, whether it has another rule besides; it is then
            always shown
    """

    over: str
    better: Literal["higher", "lower"] | None
    version: int
    group: str
    compute: Callable[[MetricInputs], Figure | None]
    needs: tuple[Need, ...] = ()
    variant_of: str | None = None
    differs_without_repeats: bool = False

    @property
    def title(self) -> str:
        """The whole name, as it stands in tables: symbol, label, unit, and that lower is better."""
        symbol = f"{self.symbol}: " if self.symbol else ""
        direction = ", lower is better" if self.better == "lower" else ""
        return f"{symbol}{self.label}{UNITS[self.unit].mark}{direction}"

    @property
    def summary(self) -> str:
        """One line for ``vqapg list metrics``."""
        return f"{self.title}, over {self.over}"

    def variant(self, suffix: str, label: str, over: str) -> "Metric":
        """This metric with repeats treated otherwise, under the key that ends in *suffix*.

        Its figure is the one that the function of this metric's :class:`PartOf` has under that key.
        """
        compute = self.compute
        if not isinstance(compute, PartOf):
            raise TypeError(f"{self.key}: has no variants, for its function gives one figure")
        return replace(
            self,
            key=self.key + suffix,
            label=label,
            symbol="",
            over=over,
            compute=PartOf(compute.function, self.key + suffix),
            variant_of=self.key,
        )


@dataclass(frozen=True)
class PartOf:
    """Computes one figure of those that *function* gives at once, by key.

    Where it gives a :class:`NotComputed` instead, that is raised; where it gives nothing under that
    key, the metric is left out.
    """

    function: Callable[[MetricInputs], Mapping[str, Figure | NotComputed]]
    key: str

    def __call__(self, inputs: MetricInputs) -> Figure | None:
        found = inputs.once(self.function).get(self.key)
        if isinstance(found, NotComputed):
            raise found
        return found


def figures_of(
    metrics: Iterable[Metric], inputs: MetricInputs
) -> tuple[dict[str, Figure], dict[str, str]]:
    """The figures of those *metrics* whose inputs are there.

    Returns:
        ({key: figure}, {key: why it was not computed})

    Raises:
        RunError: if a metric's function fails, or gives no figure
    """
    figures: dict[str, Figure] = {}
    missing: dict[str, str] = {}
    for metric in metrics:
        if not inputs.have(metric.needs):
            continue
        try:
            figure = metric.compute(inputs)
        except NotComputed as error:
            figure = error.figure
            missing[metric.variant_of or metric.key] = error.reason
        if figure is not None:
            _check_figure(metric.key, figure)
            figures[metric.key] = figure
    return figures, missing


def _check_figure(key: str, figure: object) -> None:
    """Raises RunError unless *figure* is one that JSON and the tables can hold."""
    if isinstance(figure, dict) and set(figure) == {"value", "n", "ci95"}:
        bounds = figure["ci95"]
        if bounds is None or (isinstance(bounds, list) and len(bounds) == 2):
            numbers = [figure["value"], *(bounds or ())]
            if all(number is None or _is_finite(number) for number in numbers):
                return
    raise RunError(
        f"metric {key}: its function gave {str(figure)[:80]}; it must give value, n and ci95, with "
        "finite numbers, as vqapg.evaluation.figures.Figures makes them"
    )


def _is_finite(number: object) -> bool:
    return isinstance(number, (int, float)) and math.isfinite(number)
