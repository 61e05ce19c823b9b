"""Every model of a study with every measure and seed, and which of the paper's claims hold:
study.md.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vqapg.errors import InputError
from vqapg.evaluation.metrics import OURS, added_metrics
from vqapg.reports.claims import CLAIMS
from vqapg.reports.conditions import Conditions
from vqapg.reports.measures import AGREES, FOUND, TRUE, D, N, P, R, S
from vqapg.reports.paper import MODELS
from vqapg.reports.stored import (
    check_figure,
    compare,
    format_summary,
    measured,
    read_json,
    seed_folders,
)
from vqapg.reports.study_judge import identity_of
from vqapg.reports.table import markdown_table

Study = Mapping[str, Mapping[int, Mapping[str, Any]]]

COUNTS = ("pairs", "images", "malformed")
CURE = "make it again with vqapg evaluate"

MEASURES = (D, N, R, P, S, TRUE, FOUND, AGREES)

# The paper's rows in its order, then what is only here.
ROWS = {
    **MODELS,
    "joint_variational-no_scaling": "Joint* - scaling (keeps L_attn)",
    "joint_variational-no_scaling-no_alignment": "Joint* - scaling and L_attn",
    "joint_variational-no_alignment": "Joint* - alignment",
    "pipeline_variational-no_scaling": "Pipeline* - scaling",
    "sequential_variational-no_scaling": "Sequential* - scaling",
    "pipeline_variational-qa": "Pipeline*, question first",
    "sequential_variational-qa": "Sequential*, question first",
}


def _read_metrics(path):
    metrics = read_json(path, CURE)
    for name in COUNTS:
        if type(metrics.get(name)) is not int:
            raise InputError(f"{path}: has no count of {name}; {CURE}")
    # Of this package and of others, whether or not they are installed here.
    figures = [
        key for key, figure in metrics.items() if isinstance(figure, dict) and "value" in figure
    ]
    for key in dict.fromkeys([D.key, N.key, *figures, *(key for key in OURS if key in metrics)]):
        check_figure(path, metrics, key, CURE)
    versions = metrics.setdefault("metric_versions", {})
    if not isinstance(versions, dict):
        raise InputError(f"{path}: metric_versions is no object; {CURE}")
    return metrics


def read_study(folder):
    """{model: {seed: metrics}} of ``folder/MODEL/seed-K/metrics.json``, models in the order of the
    tables; empty where there is none.

    Raises:
        InputError: if one cannot be read, or they are not measured alike
    """
    found, versions, first = {}, {}, None
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
                identity_of(metrics),
            ]
            first = first or (path, alike)
            if alike != first[1]:
                raise InputError(
                    f"{path}: is over other pairs or images, another split or another judge than "
                    f"{first[0]}, which no table may compare; evaluate it alike, or remove it"
                )
            for key, version in metrics["metric_versions"].items():
                earlier = versions.setdefault(key, (version, path))
                if earlier[0] != version:
                    raise InputError(
                        f"{path}: has version {version} of {key}, and {earlier[1]} version "
                        f"{earlier[0]}, which no table may compare; {CURE}"
                    )
            found.setdefault(model, {})[seed] = metrics
    order = [*ROWS, *found]
    return {model: found[model] for model in sorted(found, key=order.index)}


def without_pairs(study: Study, labels: Mapping[str, str]) -> Iterator[str]:
    """The runs without a well-formed pair, a sentence a model.

    Args:
        study: as :func:`read_study` gives it
        labels: of the models that are looked at, by name
    """
    for name, label in labels.items():
        runs = study.get(name, {})
        seeds = [seed for seed, stored in runs.items() if stored["malformed"] == stored["pairs"]]
        if seeds:
            of = "" if len(seeds) == len(runs) else f" of seed {', '.join(map(str, seeds))}"
            yield f"{label}{of} has no figures: none of its pairs is well-formed."


def seeds_note(study):
    """How the figures of a study's tables are to be read."""
    some = next(iter(next(iter(study.values())).values()))
    return (
        "Mean over seeds; in brackets from the lowest to the highest end of the seeds' bootstrap "
        f"95% intervals over {some['images']:,} images. One pair generated for each of "
        f"{some['pairs']:,} test pairs. * is variational."
    )


def format_study(study, conditions: Conditions) -> str:
    """The tables as Markdown: every model, every seed, and the paper's claims.

    Args:
        study: as :func:`read_study` gives it
        conditions: under which its figures were made
    """
    measures = [
        measure
        for measure in (*MEASURES, *added_metrics().values())
        if any(
            isinstance(metrics.get(measure.key), dict)
            for runs in study.values()
            for metrics in runs.values()
        )
    ]
    parts = [
        " ".join(
            [seeds_note(study), *without_pairs(study, {name: _label(name) for name in study})]
        ),
        conditions.markdown(),
        _table(
            study, measures, lambda name, runs: (_label(name), _seeds(runs)), ("model", "seeds")
        ),
        "Each seed:",
        _table(
            {
                (name, seed): {seed: metrics}
                for name, runs in study.items()
                for seed, metrics in runs.items()
            },
            measures,
            lambda key, runs: (_label(key[0]), str(key[1])),
            ("model", "seed"),
        ),
    ]
    claims = [row for claim in CLAIMS for row in _check(claim, study)]
    if claims:
        parts += [
            "The paper's claims. *Holds* and *does not hold*: the intervals above do not overlap; "
            "*not told apart*: they do, or both figures are printed alike. *Not known*: a seed "
            "lacks the figure.",
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


def _table(rows, measures, label, heads):
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
        # Of what nobody measured, such as a truth that is not known, there is nothing to say.
        if not any(measured(measure, runs) for runs in both):
            continue
        found = compare(measure, *both)
        verdict = {"more": "holds", "less": "does not hold", None: "not known"}.get(found, found)
        figures = (_figure(measure, runs) for runs in both)
        yield claim.source, claim.text, measure.head, *figures, beside, seeds, verdict


def _figure(measure, runs):
    return format_summary(measure, runs)


def _label(name):
    return ROWS.get(name, name)


def _seeds(runs):
    return ", ".join(map(str, runs))
