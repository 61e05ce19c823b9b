"""Table 8: VQG and VQA with and without pre-training on generated pairs (section 6.6).

The control is pre-trained on copies of the gold pairs, as many as the generated ones of the other
models, and for as many epochs. Only a gain over it cannot come from longer training.
"""

from pathlib import Path
from typing import Any

from vqapg.evaluation.text_overlap import EXACT
from vqapg.reports.conditions import StudyConditions
from vqapg.reports.measures import BLEU, METEOR, ROUGE
from vqapg.reports.model_tables import ours, ours_column, paper_cell, paper_column
from vqapg.reports.paper import MODELS, PAPER, VARIATIONAL
from vqapg.reports.stored import check_figure, compare, read_json, seed_folders
from vqapg.reports.table import Cell, Table, text, text_column
from vqapg.reports.trained import count_text

CURE = "make it again with vqapg overlap"
TASKS = {"vqg": "VQG", "vqa": "VQA"}
MEASURES = (BLEU, METEOR, ROUGE)
CONTROL = "control"
ROWS = {
    "baseline": "none: gold pairs alone",
    CONTROL: "gold pairs alone, trained as long as the pre-trained",
    **{name: MODELS[name] for name in VARIATIONAL},
}
PAPER_KEYS = {"baseline": "baseline"} | {name: f"+{name}" for name in VARIATIONAL}
NOTE = (
    "The text generated for each test pair against the pair's own; BLEU-4 of texts below four "
    "tokens is 0. Mean over seeds; in brackets from the lowest to the highest end of the "
    "seeds' bootstrap 95% intervals over images. The paper's figures are of Visual7W."
)
WITH_CONTROL = (
    "The control, which the paper lacks, is trained on gold pairs alone, for as many epochs of as "
    "many pairs. The last column names the figures whose intervals do not overlap with the "
    "control's, and which are printed as another number."
)
BEST_WEIGHTS = (
    "The rows of {} differ in updates: each has the weights of its epoch that was best on dev."
)
OTHER_UPDATES = (
    "The rows of {} were not trained for as many updates: a gain can come from longer training."
)
WITHOUT_ROW = "{} has no row of {}: nothing was evaluated there."
ONE_SEED = "{} has a control of one seed: a difference can come from the seed."
WITHOUT_CONTROL = "{} has no control row: a gain there may come from longer training."

Runs = dict[int, dict[str, Any]]
Found = dict[str, tuple[Runs, list[Path]]]


def table_8(folder: Path, conditions: StudyConditions) -> Table | None:
    """From ``downstream/TASK/MODEL/seed-K/metrics.json``; None where there is none.

    The paper's is of Visual7W, whose answers have several tokens.

    Raises:
        InputError: if a metrics.json is not what ``vqapg overlap`` writes
    """
    columns = [
        text_column(head) for head in ("task", "pre-trained on pairs of", "seeds", "updates")
    ]
    for measure in MEASURES:
        columns += [ours_column(measure.head), paper_column(measure.head, ("visual7w",))]
    columns += [ours_column(EXACT.head), text_column("beside the control")]
    rows, folders = [], []
    reasons: dict[str, str] = {}
    controlled: dict[str, bool] = {}
    warnings: list[str] = []
    for task, label in TASKS.items():
        found = {name: _read(folder / "downstream" / task / name) for name in ROWS}
        for name, (runs, its_folders) in found.items():
            if not runs:
                continue
            folders += its_folders
            for metrics in runs.values():
                reasons |= metrics.get("not_computed", {})
            row = [text(label), text(ROWS[name]), text(", ".join(map(str, runs)))]
            row.append(text(count_text(map(conditions.trained, its_folders))))
            for place, measure in enumerate(MEASURES):
                row += [ours(measure, runs), _paper(task, name, place)]
            control, _ = found[CONTROL]
            rows.append([*row, ours(EXACT, runs), text(_beside(name, runs, control))])
            controlled[label] = bool(control)
        warnings += _warnings(label, found, conditions)
    if not rows:
        return None
    notes = [NOTE, WITH_CONTROL] if any(controlled.values()) else [NOTE]
    notes += warnings
    if reasons:
        missing = "; ".join(f"{key} {reason}" for key, reason in reasons.items())
        notes.append(f"Not computed: {missing}.")
    title = "VQG and VQA, pre-trained on generated pairs"
    return Table(8, title, " ".join(notes), conditions.of_runs(folders), columns, rows)


def _warnings(label: str, found: Found, conditions: StudyConditions) -> list[str]:
    """What keeps the rows of a task from being compared with its control, a sentence each."""
    control, _ = found[CONTROL]
    rows = {name: folders for name, (runs, folders) in found.items() if runs}
    if not rows:
        return []
    without = [ROWS[name] for name in ROWS if name not in rows and name != CONTROL]
    said = [WITHOUT_ROW.format(label, ", ".join(without))] if without else []
    if not control:
        return [*said, WITHOUT_CONTROL.format(label)]
    rows.pop("baseline", None)
    trained = [conditions.trained(folder) for folders in rows.values() for folder in folders]
    known = [one for one in trained if one is not None]
    if len({one.updates for one in known}) > 1:
        best = any(one.weights == "best" for one in known)
        said.append((BEST_WEIGHTS if best else OTHER_UPDATES).format(label))
    if len(control) == 1 and len(rows) > 1:
        said.append(ONE_SEED.format(label))
    return said


def _read(folder: Path) -> tuple[Runs, list[Path]]:
    """The metrics by seed, and the folders that they are in."""
    runs, folders = {}, []
    for seed, seed_folder in seed_folders(folder).items():
        path = seed_folder / "metrics.json"
        if not path.exists():
            continue
        runs[seed] = read_json(path, CURE)
        folders.append(seed_folder)
        for measure in (*MEASURES, EXACT):
            if measure.key in runs[seed]:
                check_figure(path, runs[seed], measure.key, CURE)
    return runs, folders


def _paper(task: str, name: str, place: int) -> Cell:
    if name not in PAPER_KEYS:
        return Cell("-", (None,))
    figure = PAPER["table8_downstream"][task][PAPER_KEYS[name]][place]
    return paper_cell({"visual7w": figure}, 2)


def _beside(name: str, runs: Runs, control: Runs) -> str:
    """What the model *name* has more and less of than the control."""
    if name == CONTROL or not control:
        return "-"
    found = {
        measure.symbol or measure.label: compare(measure, runs, control)
        for measure in (*MEASURES, EXACT)
    }
    parts = [
        f"{verdict}: {', '.join(label for label, one in found.items() if one == verdict)}"
        for verdict in ("more", "less")
        if verdict in found.values()
    ]
    if parts:
        return "; ".join(parts)
    return "not told apart" if any(found.values()) else "-"
