"""The tables that have a row a generation model: 4, 5 and 9, from the metrics of a study."""

from collections.abc import Iterable, Mapping

from vqapg.evaluation.metric import Measure
from vqapg.reports.conditions import StudyConditions
from vqapg.reports.measures import BLEU, FOUND, METEOR, PUBLISHED, ROUGE, TRUE, D, N, P, R, S
from vqapg.reports.paper import DATASETS, MODELS, PAPER, paper_datasets
from vqapg.reports.stored import format_summary, summary
from vqapg.reports.study import ROWS, Study, seeds_note, without_pairs
from vqapg.reports.study_judge import NO_PART
from vqapg.reports.table import Cell, Column, Table, text, text_column

# By the order of the paper's columns, with its decimals and what one of its units is.
MAIN = ((D, 2, 1), (N, 0, 1000), (P, 2, 1), (S, 2, 1))
# Ours, which stand right of the paper's where truth is known.
BESIDE = {N.key: (R,)}
OVERLAPS = ((BLEU, 2, 1), (METEOR, 2, 1), (ROUGE, 2, 1))
# Table 5: the models of each paradigm, under our names and the paper's keys.
ABLATION = {
    "pipeline_variational": ("Pipeline*", "pipeline_variational"),
    "pipeline_variational-no_scaling": ("  - scaling", "pipeline_variational-scaling"),
    "joint_variational": ("Joint*", "joint_variational"),
    "joint_variational-no_scaling": ("  - scaling (keeps L_attn)", "joint_variational-scaling"),
    "joint_variational-no_scaling-no_alignment": (
        "  - scaling and L_attn, as the published script",
        "joint_variational-scaling",
    ),
    "joint_variational-no_alignment": ("  - alignment", "joint_variational-alignment"),
    "sequential_variational": ("Sequential*", "sequential_variational"),
    "sequential_variational-no_scaling": ("  - scaling", "sequential_variational-scaling"),
}


# The paper's models by our names, each with its label and the paper's key.
MAIN_ROWS = {name: (label, name) for name, label in MODELS.items()}
READINGS = (
    "The paper does not say whether its joint row without scaling keeps L_attn. The published "
    "code's only script without scaling drops it too. Both readings stand beside that row."
)
RULES = (
    "Ours is over all pairs, without punctuation (coco-caption). The published code's rule leaves "
    "out repeats within an image, and counts punctuation."
)


def table_4(study: Study, conditions: StudyConditions) -> Table | None:
    """The main results, and what is true where that is known."""
    return _table(
        4,
        "Diversity and consistency",
        study,
        conditions,
        MAIN_ROWS,
        "table4_main",
        MAIN,
        (TRUE, FOUND),
    )


def table_5(study: Study, conditions: StudyConditions) -> Table | None:
    """The ablation of region scaling and attention alignment."""
    table = _table(
        5, "Ablation", study, conditions, ABLATION, "table5_ablation", MAIN, (TRUE, FOUND)
    )
    return table and table._replace(note=f"{table.note} {READINGS}")


def table_9(study: Study, conditions: StudyConditions) -> Table | None:
    """Overlap with the gold pairs, by both rules."""
    table = _table(
        9,
        "Overlap with the gold pairs of the image",
        study,
        conditions,
        MAIN_ROWS,
        "table9_overlap",
        OVERLAPS,
        (),
    )
    stored = [metrics for runs in study.values() for metrics in runs.values()]
    keys = [m.key for measure, _, _ in OVERLAPS for m in (measure, PUBLISHED[measure])]
    if table is None or not any(key in metrics for metrics in stored for key in keys):
        return None
    table = table._replace(
        note=f"{table.note} {RULES}",
        conditions=table.conditions._replace(evaluator=NO_PART),
    )
    reasons = dict.fromkeys(
        f"{key} {reason}"
        for metrics in stored
        for key, reason in metrics.get("not_computed", {}).items()
    )
    return (
        table._replace(note=f"{table.note} Not computed: {'; '.join(reasons)}.")
        if reasons
        else table
    )


def _table(number_, title, study, conditions, rows, key, measures, extra):
    """A table of the models *rows*, ``{ours: (label, the paper's key)}``; None where the study has
    none of them.
    """
    if not any(name in study for name in rows):
        return None
    sets = paper_datasets(conditions.dataset)
    stored = [metrics for name in rows for metrics in study.get(name, {}).values()]

    def known(those: Iterable[Measure]) -> list[Measure]:
        return [one for one in those if any(one.key in metrics for metrics in stored)]

    extra = known(extra)
    beside = {measure.key: known(BESIDE.get(measure.key, ())) for measure, _, _ in measures}
    columns = [text_column("model"), text_column("seeds")]
    for measure, _, _ in measures:
        columns += [ours_column(head) for head in _heads(measure)]
        columns.append(paper_column(measure.head, sets))
        columns += [ours_column(ours_alone.head) for ours_alone in beside[measure.key]]
    columns += [ours_column(measure.head) for measure in extra]
    body = []
    for name, (label, paper_key) in rows.items():
        runs = study.get(name, {})
        row = [text(label), text(", ".join(map(str, runs)) or "-")]
        for place, (measure, decimals, unit) in enumerate(measures):
            paper = {where: unit * PAPER[key][where][paper_key][place] for where in sets}
            row += [ours(one, runs) for one in _rules(measure)]
            row.append(paper_cell(paper, decimals))
            row += [ours(ours_alone, runs) for ours_alone in beside[measure.key]]
        body.append([*row, *(ours(measure, runs) for measure in extra)])
    labels = {name: ROWS[name] for name in rows}
    note = " ".join([seeds_note(study), paper_note(sets), *without_pairs(study, labels)])
    return Table(number_, title, note, conditions.of_models(study, rows), columns, body)


def _rules(measure):
    """*measure* by each of the rules that it is computed by."""
    return (measure, PUBLISHED[measure]) if measure in PUBLISHED else (measure,)


def _heads(measure):
    if measure in PUBLISHED:
        return f"{measure.head}, ours", f"{measure.head}, published rule"
    return (measure.head,)


def paper_note(sets):
    return f"The paper's figures are of {' / '.join(DATASETS[where] for where in sets)}."


def ours_column(head):
    return Column(head, (head, f"{head} low", f"{head} high"))


def paper_column(head, sets):
    return Column("paper", tuple(f"{head} paper {DATASETS[where]}" for where in sets))


def ours(measure, runs):
    """The mean over seeds with its interval; in CSV with six decimals."""
    found = summary(measure, runs)
    numbers = (
        (None,) * 3 if found is None else tuple(round(measure.scaled(value), 6) for value in found)
    )
    return Cell(format_summary(measure, runs), numbers)


def paper_cell(values: Mapping[str, float], decimals: int) -> Cell:
    """The paper's figures, ``{data set: number}``."""
    return Cell(
        " / ".join(f"{value:,.{decimals}f}" for value in values.values()), tuple(values.values())
    )
