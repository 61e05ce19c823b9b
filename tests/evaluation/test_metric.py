"""The record that a metric is, and how the table, the JSON and the pages read it."""

import importlib.metadata
import re
from pathlib import Path

import pytest

from vqapg.errors import RunError
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.metric import Measure, Metric, MetricInputs, NotComputed, figures_of
from vqapg.evaluation.metrics import METRICS, OURS, added_metrics, compute_metrics
from vqapg.evaluation.summary import format_table

PAIRS = [
    GeneratedPair(0, "a.png", "what is it ?", "a cat", -1.0),
    GeneratedPair(1, "b.png", "is it ?", "yes", -1.0),
]


def metric(**changes):
    record = {
        "key": "words",
        "label": "words of an answer",
        "unit": "count",
        "over": "well-formed pairs",
        "better": None,
        "version": 4,
        "group": "of my own",
        "compute": lambda inputs: {"value": 1.5, "n": 2, "ci95": [1.0, 2.0]},
    }
    return Metric(**(record | changes))


def inputs(**more):
    return MetricInputs(Figures(PAIRS, resamples=5), **more)


@pytest.mark.parametrize(
    "unit, head, text",
    [
        ("share", "P (%)", "1,234.57"),
        ("count", "P", "12"),
        ("score", "P", "12.346"),
        ("nats", "P (nats)", "12.346"),
    ],
)
def test_unit_decides_head_and_digits(unit, head, text):
    measure = Measure(key="p", label="scored", symbol="P", unit=unit)
    assert measure.head == head and measure.text(12.34567) == text and measure.text(None) == "-"


def test_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="words: the unit is 'percent'; give one of share, count"):
        metric(unit="percent")


def test_title_says_that_lower_is_better():
    assert metric(better="lower", unit="share").title == "words of an answer (%), lower is better"
    assert metric(better="higher", symbol="W").title == "W: words of an answer"


def test_metric_without_its_inputs_is_left_out():
    metrics = [metric(needs=("gold", "train"))]
    assert figures_of(metrics, inputs(gold=[])) == ({}, {})
    assert list(figures_of(metrics, inputs(gold=[], train=[]))[0]) == ["words"]


def test_metric_that_gives_none_is_left_out():
    assert figures_of([metric(compute=lambda inputs: None)], inputs()) == ({}, {})


def test_reason_stands_under_the_key_of_the_main_metric():
    def compute(inputs):
        raise NotComputed("needs a dictionary", {"value": None, "n": 2, "ci95": None})

    figures, missing = figures_of([metric(compute=compute, variant_of="main")], inputs())
    assert missing == {"main": "needs a dictionary"} and figures["words"]["n"] == 2


@pytest.mark.parametrize(
    "figure",
    [
        3,
        {"value": 1.0, "n": 2},
        {"value": float("nan"), "n": 2, "ci95": None},
        {"value": 1.0, "n": 2, "ci95": [0.0, float("inf")]},
        {"value": 1.0, "n": 2, "ci95": [0.0]},
        {"value": "1", "n": 2, "ci95": None},
    ],
)
def test_what_is_no_figure_is_one_line_that_names_the_metric(figure):
    with pytest.raises(RunError, match="^metric words: its function gave"):
        figures_of([metric(compute=lambda inputs: figure)], inputs())


def test_shared_work_is_done_once():
    calls, given = [], inputs()

    def work(inputs):
        calls.append(inputs)
        return "done"

    assert [given.once(work), given.once(work)] == ["done", "done"] and calls == [given]


@pytest.fixture
def stranger(monkeypatch):
    """Registers an object under a name, as another package's entry point does."""

    def register(name, thing):
        point = importlib.metadata.EntryPoint(name, "strangers:THING", METRICS.group)
        monkeypatch.setattr(importlib.metadata.EntryPoint, "load", lambda self: thing)
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])

    return register


def test_a_strangers_metric_is_in_json_and_table(stranger):
    stranger("words", metric())
    metrics = compute_metrics(PAIRS, resamples=5)
    assert metrics["words"] == {"value": 1.5, "n": 2, "ci95": [1.0, 2.0]}
    assert metrics["metric_versions"]["words"] == 4
    lines = format_table(metrics).splitlines()
    (at,) = [number for number, line in enumerate(lines) if line == "of my own"]
    assert lines[at + 1].split() == "words of an answer 2 [1, 2] 2 well-formed pairs".split()


@pytest.mark.parametrize(
    "name, thing", [("words", 3), ("other", metric()), ("pairs", metric(key="pairs"))]
)
def test_a_stranger_that_is_no_metric_is_named(stranger, capsys, name, thing):
    stranger(name, thing)
    assert added_metrics() == {}
    assert f"warning: the metric {name} is no" in capsys.readouterr().err


def test_a_stranger_cannot_take_a_key_of_ours(stranger):
    stranger("distinct4", metric(key="distinct4"))
    assert METRICS.get("distinct4") is OURS["distinct4"]


def test_the_documented_table_is_that_of_the_records():
    page = Path(__file__).parents[2] / "docs/evaluate.md"
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|$", page.read_text(), re.M)
    assert rows == [
        (ours.key, ours.label, ours.over, ours.better or "neither")
        for ours in OURS.values()
        if ours.variant_of is None
    ]
