"""The study's tables in Markdown (the paper's Tables 4 and 5, Figure 5), from stored metrics alone."""

import json
import math
import re
from typing import NamedTuple

from vqapg.errors import InputError

COUNTS = ("pairs", "images", "malformed")
SEED_FOLDER = re.compile(r"seed-(\d+)")


class Measure(NamedTuple):
    """A figure of metrics.json: its key, its head in the tables, its factor and its decimals."""

    key: str
    head: str
    factor: float
    decimals: int


D = Measure("distinct4", "D (%)", 100, 2)
N = Measure("unique_pairs", "N", 1, 0)
P = Measure("consistent", "P (%)", 100, 1)
S = Measure("mean_score", "S", 1, 3)
TRUE = Measure("true_consistent", "truly consistent (%)", 100, 1)
FOUND = Measure("possible_pairs_found", "possible pairs found", 1, 0)
AGREES = Measure("evaluator_agreement", "evaluator agrees with the truth (%)", 100, 1)
MEASURES = (D, N, P, S, TRUE, FOUND, AGREES)

# The paper's rows in its order, then what is only here.
ROWS = {
    "pipeline": "Pipeline",
    "pipeline_variational": "Pipeline*",
    "joint": "Joint",
    "joint_variational": "Joint*",
    "sequential": "Sequential",
    "sequential_variational": "Sequential*",
    "joint_variational-no_scaling": "Joint* - scaling",
    "joint_variational-no_alignment": "Joint* - alignment",
    "pipeline_variational-no_scaling": "Pipeline* - scaling",
    "sequential_variational-no_scaling": "Sequential* - scaling",
    "pipeline_variational-qa": "Pipeline*, question first",
    "sequential_variational-qa": "Sequential*, question first",
    "pipeline_variational-paper_objective": "Pipeline*, the paper's objective",
    "joint_variational-paper_objective": "Joint*, the paper's objective",
    "sequential_variational-paper_objective": "Sequential*, the paper's objective",
}


class Claim(NamedTuple):
    """The paper says that *higher* has more of each of the measures than *lower*."""

    source: str
    text: str
    measures: tuple[Measure, ...]
    higher: str
    lower: str


CLAIMS = (
    *(
        Claim("Table 4", f"Variation makes the {paradigm} model more diverse", (D, N), f"{paradigm}_variational", paradigm)
        for paradigm in ("pipeline", "joint", "sequential")
    ),
    Claim("Table 4", "The variational pipeline is more diverse than the joint model", (D, N),
          "pipeline_variational", "joint_variational"),
    Claim("Table 4", "The joint model is more diverse than the sequential, both variational", (D, N),
          "joint_variational", "sequential_variational"),
    Claim("Table 4", "The sequential baseline is more consistent than the joint one", (P, TRUE), "sequential", "joint"),
    Claim("Table 4", "The sequential baseline is more consistent than the pipeline", (P, TRUE), "sequential", "pipeline"),
    Claim("Table 4", "Variation makes the pipeline less consistent", (P, TRUE), "pipeline", "pipeline_variational"),
    Claim("Table 4", "Variation makes the joint model more consistent", (P, TRUE), "joint_variational", "joint"),
    Claim("Table 4", "Variation makes the sequential model less consistent", (P, TRUE),
          "sequential", "sequential_variational"),
    Claim("Table 4", "The variational sequential model is more consistent than the pipeline", (P, TRUE),
          "sequential_variational", "pipeline_variational"),
    Claim("Table 4", "The variational sequential model is more consistent than the joint model", (P, TRUE),
          "sequential_variational", "joint_variational"),
    *(
        Claim("Table 5", f"Region scaling makes the {paradigm} model more consistent", (P, TRUE),
              f"{paradigm}_variational", f"{paradigm}_variational-no_scaling")
        for paradigm in ("joint", "pipeline", "sequential")
    ),
    Claim("Table 5", "Region scaling makes the joint model less diverse", (D, N),
          "joint_variational-no_scaling", "joint_variational"),
    Claim("Table 5", "Attention alignment makes the joint model more consistent", (P, TRUE),
          "joint_variational", "joint_variational-no_alignment"),
    Claim("Table 5", "Attention alignment makes the joint model not less diverse", (D, N),
          "joint_variational", "joint_variational-no_alignment"),
    Claim("Figure 5", "The pipeline is more diverse answer first", (D, N), "pipeline_variational", "pipeline_variational-qa"),
    Claim("Figure 5", "The pipeline is more consistent question first", (P, TRUE),
          "pipeline_variational-qa", "pipeline_variational"),
    Claim("Figure 5", "The sequential model is more diverse question first", (D, N),
          "sequential_variational-qa", "sequential_variational"),
    Claim("Figure 5", "The sequential model is more consistent answer first", (P, TRUE),
          "sequential_variational", "sequential_variational-qa"),
)


def metrics_files(folder):
    """The files that a study is read from."""
    return [path for path in sorted(folder.glob("*/seed-*/metrics.json")) if SEED_FOLDER.fullmatch(path.parent.name)]


def _read_metrics(path):
    cure = "make it again with vqapg evaluate"
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); {cure}") from error
    if not isinstance(metrics, dict):
        raise InputError(f"{path}: holds no figures; {cure}")
    for name in COUNTS:
        if type(metrics.get(name)) is not int:
            raise InputError(f"{path}: has no count of {name}; {cure}")
    for measure in MEASURES:
        if measure.key not in metrics and measure not in (D, N):
            continue
        figure = metrics.get(measure.key)
        numbers = [figure.get("value"), *(figure.get("ci95") or ())] if isinstance(figure, dict) else ["none"]
        if not all(value is None or type(value) in (int, float) and math.isfinite(value) for value in numbers):
            raise InputError(f"{path}: {measure.key} is no figure with an interval; {cure}")
    return metrics


def read_study(folder):
    """{model: {seed: metrics}} of ``folder/MODEL/seed-K/metrics.json``, models in the order of the tables.

    Raises:
        InputError: if there is none, one cannot be read, or they are not measured alike
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder of a study, see scripts/study.sh")
    found, first = {}, None
    for path in metrics_files(folder):
        model, seed = path.parent.parent.name, int(SEED_FOLDER.fullmatch(path.parent.name)[1])
        metrics = _read_metrics(path)
        alike = [metrics["pairs"], metrics["images"], metrics.get("split"), (metrics.get("evaluator") or {}).get("sha256")]
        first = first or (path, alike)
        if alike != first[1]:
            raise InputError(
                f"{path}: is over other pairs or images, another split or another evaluator than {first[0]}, which no "
                "table may compare; evaluate it alike, or remove it"
            )
        if seed in found.setdefault(model, {}):
            raise InputError(f"{path}: seed {seed} of {model} is there twice; remove one of them")
        found[model][seed] = metrics
    if not found:
        raise InputError(
            f"{folder}: holds no MODEL/seed-K/metrics.json; give the folder of a study, see scripts/study.sh"
        )
    order = [*ROWS, *found]
    return {model: dict(sorted(found[model].items())) for model in sorted(found, key=order.index)}


def format_study(study):
    """The tables as Markdown: every model, every seed, and the paper's claims."""
    some = next(iter(next(iter(study.values())).values()))
    parts = [
        f"Mean over seeds; in brackets from the lowest to the highest end of the seeds' bootstrap 95% intervals over "
        f"{some['images']:,} images. One pair generated for each of {some['pairs']:,} test pairs. * is variational.",
        _table(study, lambda name, runs: (_label(name), _seeds(runs)), ("model", "seeds")),
        "Each seed:",
        _table(
            {(name, seed): {seed: metrics} for name, runs in study.items() for seed, metrics in runs.items()},
            lambda key, runs: (_label(key[0]), str(key[1])),
            ("model", "seed"),
        ),
    ]
    claims = [row for claim in CLAIMS for row in _check(claim, study)]
    if claims:
        parts += [
            "The paper's claims. *Holds* and *does not hold*: the intervals above do not overlap; *not told apart*: they do.",
            _markdown(("paper", "claim", "measure", "said to be more", "said to be less", "their N", "seeds", "here"), claims),
        ]
    return "\n\n".join(parts)


def _table(rows, label, heads):
    measures = [m for m in MEASURES if any(m.key in metrics for runs in rows.values() for metrics in runs.values())]
    return _markdown(
        (*heads, *(measure.head for measure in measures), "malformed"),
        [
            (*label(key, runs), *(_figure(measure, runs) for measure in measures), _malformed(runs))
            for key, runs in rows.items()
        ],
    )


def _malformed(runs):
    return f"{sum(metrics['malformed'] for metrics in runs.values()) / len(runs):,.0f}"


def _check(claim, study):
    if claim.higher not in study or claim.lower not in study:
        return
    both = study[claim.higher], study[claim.lower]
    # Consistency is never read without N beside it.
    beside = " / ".join(_figure(N, runs).split()[0] for runs in both)
    seeds = " / ".join(str(len(runs)) for runs in both)
    for measure in claim.measures:
        higher, lower = (_summary(measure, runs) for runs in both)
        if higher is None or lower is None:
            continue
        if higher[1] > lower[2]:
            verdict = "holds"
        elif higher[2] < lower[1]:
            verdict = "does not hold"
        else:
            verdict = "not told apart"
        figures = (_figure(measure, runs) for runs in both)
        yield claim.source, claim.text, measure.head, *figures, beside, seeds, verdict


def _summary(measure, runs):
    """(mean, lowest end, highest end) over the seeds; None where a run lacks the figure or its interval."""
    figures = [metrics.get(measure.key) for metrics in runs.values()]
    if not all(figure and figure["ci95"] for figure in figures):
        return None
    values = [figure["value"] for figure in figures]
    low, high = (bounds for bounds in zip(*(figure["ci95"] for figure in figures)))
    return sum(values) / len(values), min(low), max(high)


def _figure(measure, runs):
    summary = _summary(measure, runs)
    if summary is None:
        return "-"
    mean, low, high = (f"{measure.factor * value:,.{measure.decimals}f}" for value in summary)
    return f"{mean} [{low}, {high}]"


def _label(name):
    return ROWS.get(name, name)


def _seeds(runs):
    return ", ".join(map(str, runs))


def _markdown(heads, rows):
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = [heads, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines
    )
