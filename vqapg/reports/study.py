"""Every model of a study with every measure and seed, and which of the paper's claims hold: study.md."""

from typing import NamedTuple

from vqapg.errors import InputError
from vqapg.reports.paper import MODELS
from vqapg.reports.stored import (
    Measure,
    check_figure,
    format_summary,
    read_json,
    seed_folders,
    summary,
)
from vqapg.reports.table import markdown_table

COUNTS = ("pairs", "images", "malformed")
CURE = "make it again with vqapg evaluate"

D = Measure("distinct4", "D (%)", 100, 2)
N = Measure("unique_pairs", "N", 1, 0)
P = Measure("consistent", "P (%)", 100, 1)
S = Measure("mean_score", "S", 1, 3)
TRUE = Measure("true_consistent", "truly consistent (%)", 100, 1)
FOUND = Measure("possible_pairs_found", "possible pairs found", 1, 0)
AGREES = Measure("evaluator_agreement", "evaluator agrees with the truth (%)", 100, 1)
MEASURES = (D, N, P, S, TRUE, FOUND, AGREES)
BLEU = Measure("bleu4", "BLEU-4 (%)", 100, 2)
METEOR = Measure("meteor", "METEOR (%)", 100, 2)
ROUGE = Measure("rouge_l", "ROUGE-L (%)", 100, 2)
OVERLAP = (BLEU, METEOR, ROUGE)

# The paper's rows in its order, then what is only here.
ROWS = {
    **MODELS,
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
        Claim(
            "Table 4",
            f"Variation makes the {paradigm} model more diverse",
            (D, N),
            f"{paradigm}_variational",
            paradigm,
        )
        for paradigm in ("pipeline", "joint", "sequential")
    ),
    Claim(
        "Table 4",
        "The variational pipeline is more diverse than the joint model",
        (D, N),
        "pipeline_variational",
        "joint_variational",
    ),
    Claim(
        "Table 4",
        "The joint model is more diverse than the sequential, both variational",
        (D, N),
        "joint_variational",
        "sequential_variational",
    ),
    Claim(
        "Table 4",
        "The sequential baseline is more consistent than the joint one",
        (P, TRUE),
        "sequential",
        "joint",
    ),
    Claim(
        "Table 4",
        "The sequential baseline is more consistent than the pipeline",
        (P, TRUE),
        "sequential",
        "pipeline",
    ),
    Claim(
        "Table 4",
        "Variation makes the pipeline less consistent",
        (P, TRUE),
        "pipeline",
        "pipeline_variational",
    ),
    Claim(
        "Table 4",
        "Variation makes the joint model more consistent",
        (P, TRUE),
        "joint_variational",
        "joint",
    ),
    Claim(
        "Table 4",
        "Variation makes the sequential model less consistent",
        (P, TRUE),
        "sequential",
        "sequential_variational",
    ),
    Claim(
        "Table 4",
        "The variational sequential model is more consistent than the pipeline",
        (P, TRUE),
        "sequential_variational",
        "pipeline_variational",
    ),
    Claim(
        "Table 4",
        "The variational sequential model is more consistent than the joint model",
        (P, TRUE),
        "sequential_variational",
        "joint_variational",
    ),
    *(
        Claim(
            "Table 5",
            f"Region scaling makes the {paradigm} model more consistent",
            (P, TRUE),
            f"{paradigm}_variational",
            f"{paradigm}_variational-no_scaling",
        )
        for paradigm in ("joint", "pipeline", "sequential")
    ),
    Claim(
        "Table 5",
        "Region scaling makes the joint model less diverse",
        (D, N),
        "joint_variational-no_scaling",
        "joint_variational",
    ),
    Claim(
        "Table 5",
        "Attention alignment makes the joint model more consistent",
        (P, TRUE),
        "joint_variational",
        "joint_variational-no_alignment",
    ),
    Claim(
        "Table 5",
        "Attention alignment makes the joint model not less diverse",
        (D, N),
        "joint_variational",
        "joint_variational-no_alignment",
    ),
    Claim(
        "Figure 5",
        "The pipeline is more diverse answer first",
        (D, N),
        "pipeline_variational",
        "pipeline_variational-qa",
    ),
    Claim(
        "Figure 5",
        "The pipeline is more consistent question first",
        (P, TRUE),
        "pipeline_variational-qa",
        "pipeline_variational",
    ),
    Claim(
        "Figure 5",
        "The sequential model is more diverse question first",
        (D, N),
        "sequential_variational-qa",
        "sequential_variational",
    ),
    Claim(
        "Figure 5",
        "The sequential model is more consistent answer first",
        (P, TRUE),
        "sequential_variational",
        "sequential_variational-qa",
    ),
)


def _read_metrics(path):
    metrics = read_json(path, CURE)
    for name in COUNTS:
        if type(metrics.get(name)) is not int:
            raise InputError(f"{path}: has no count of {name}; {CURE}")
    for measure in (*MEASURES, *OVERLAP):
        if measure.key in metrics or measure in (D, N):
            check_figure(path, metrics, measure.key, CURE)
    return metrics


def read_study(folder):
    """{model: {seed: metrics}} of ``folder/MODEL/seed-K/metrics.json``, models in the order of the tables; empty where
    there is none.

    Raises:
        InputError: if one cannot be read, or they are not measured alike
    """
    found, first = {}, None
    for model in sorted(path.name for path in folder.iterdir() if path.is_dir()):
        for seed, seed_folder in seed_folders(folder / model).items():
            path = seed_folder / "metrics.json"
            if not path.exists():
                continue
            metrics = _read_metrics(path)
            alike = [
                metrics["pairs"],
                metrics["images"],
                metrics.get("split"),
                (metrics.get("evaluator") or {}).get("sha256") or metrics.get("judge"),
            ]
            first = first or (path, alike)
            if alike != first[1]:
                raise InputError(
                    f"{path}: is over other pairs or images, another split or another judge than {first[0]}, which "
                    "no table may compare; evaluate it alike, or remove it"
                )
            found.setdefault(model, {})[seed] = metrics
    order = [*ROWS, *found]
    return {model: found[model] for model in sorted(found, key=order.index)}


def seeds_note(study):
    """How the figures of a study's tables are to be read."""
    some = next(iter(next(iter(study.values())).values()))
    return (
        f"Mean over seeds; in brackets from the lowest to the highest end of the seeds' bootstrap 95% intervals over "
        f"{some['images']:,} images. One pair generated for each of {some['pairs']:,} test pairs. * is variational."
    )


def format_study(study):
    """The tables as Markdown: every model, every seed, and the paper's claims."""
    parts = [
        seeds_note(study),
        _table(study, lambda name, runs: (_label(name), _seeds(runs)), ("model", "seeds")),
        "Each seed:",
        _table(
            {
                (name, seed): {seed: metrics}
                for name, runs in study.items()
                for seed, metrics in runs.items()
            },
            lambda key, runs: (_label(key[0]), str(key[1])),
            ("model", "seed"),
        ),
    ]
    claims = [row for claim in CLAIMS for row in _check(claim, study)]
    if claims:
        parts += [
            "The paper's claims. *Holds* and *does not hold*: the intervals above do not overlap; *not told apart*: they do.",
            markdown_table(
                (
                    "paper",
                    "claim",
                    "measure",
                    "said to be more",
                    "said to be less",
                    "their N",
                    "seeds",
                    "here",
                ),
                claims,
            ),
        ]
    return "\n\n".join(parts)


def _table(rows, label, heads):
    measures = [
        m
        for m in MEASURES
        if any(m.key in metrics for runs in rows.values() for metrics in runs.values())
    ]
    return markdown_table(
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
        higher, lower = (summary(measure, runs) for runs in both)
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


def _figure(measure, runs):
    return format_summary(measure, summary(measure, runs))


def _label(name):
    return ROWS.get(name, name)


def _seeds(runs):
    return ", ".join(map(str, runs))
