"""The tables that are not of the study's metrics: 2, 3, 6, 7 and 10, each from a JSON file of its
own.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vqapg.errors import InputError
from vqapg.reports.attention_maps import AttentionRecord, without_drawn_pairs
from vqapg.reports.conditions import SPLITS, Conditions, StudyConditions, of_counted_parameters
from vqapg.reports.measures import ACCURACY, HUMAN
from vqapg.reports.model_tables import ours, ours_column, paper_cell, paper_column, paper_note
from vqapg.reports.paper import (
    DATASETS,
    MODELS,
    PAPER,
    PUBLISHED_MILLIONS,
    PUBLISHED_WORDS,
    paper_datasets,
)
from vqapg.reports.stored import SEED_FOLDER, check_figure, read_json
from vqapg.reports.study_judge import CURE as EVALUATOR_CURE
from vqapg.reports.study_judge import negatives_of, read_evaluator
from vqapg.reports.table import Cell, Table, number, text, text_column
from vqapg.reports.trained import UNKNOWN


def table_2(manifest: Mapping[str, Any], conditions: StudyConditions) -> Table:
    """Statistics of the data, from its manifest.json; the paper's are given in thousands."""
    counts = manifest.get("counts")
    if not isinstance(counts, dict) or set(counts) != set(SPLITS):
        raise InputError(
            "manifest.json: counts no images and pairs; make the data directory anew with vqapg "
            "prepare"
        )
    columns = [text_column("data set")]
    columns += [
        text_column(f"{what}, {name}") for what in ("images", "pairs") for name in SPLITS.values()
    ]
    rows = [
        [
            text(manifest["dataset"]),
            *(number(counts[split][what]) for what in ("images", "pairs") for split in SPLITS),
        ]
    ]
    for key in paper_datasets(manifest["dataset"]):
        paper = PAPER["table2_statistics_thousands"][key]
        thousands = [
            paper[what][split] for what in ("images", "pairs") for split in SPLITS.values()
        ]
        rows.append(
            [
                text(f"{DATASETS[key]}, paper"),
                *(Cell(f"{count:.1f}K", (round(1000 * count),)) for count in thousands),
            ]
        )
    title, note = "Statistics of the data", "Images and question-answer pairs."
    return Table(2, title, note, conditions.of_data(), columns, rows)


def table_3(folder: Path, conditions: StudyConditions) -> Table | None:
    """The evaluators' accuracy, from ``evaluator*/evaluator.json``; None where there is none."""
    sets, rows, folders = paper_datasets(conditions.dataset), [], []
    keys = {"train": "train", "valid": "dev", "test": "test_positives_only"}
    paper = {
        split: {where: PAPER["table3_evaluator_accuracy_percent"][where][key] for where in sets}
        for split, key in keys.items()
    }
    for its_folder in sorted(folder.glob("evaluator*")):
        path, stored = its_folder / "evaluator.json", read_evaluator(its_folder)
        if stored is None:
            continue
        table = stored.get("table3")
        if not isinstance(table, dict):
            raise InputError(f"{path}: has no table3; {EVALUATOR_CURE}")
        folders.append(its_folder)
        row = [text(its_folder.name), text(negatives_of(stored))]
        for split in keys:
            check_figure(path, table, split, EVALUATOR_CURE)
            row += [ours(ACCURACY[split], {0: table}), paper_cell(paper[split], 1)]
        rows.append(row)
    columns = [text_column("evaluator"), text_column("negatives it was trained with")]
    for measure in ACCURACY.values():
        columns += [ours_column(measure.head), paper_column(measure.head, sets)]
    note = (
        "Train and dev hold the paper's negatives, test only pairs of the data. In brackets "
        f"bootstrap 95% intervals over images. {paper_note(sets)}"
    )
    if not rows:
        return None
    title = "Accuracy of the consistency evaluator"
    its_conditions = conditions.of_runs(folders, "one a row", seeds=conditions.evaluator_seed())
    return Table(3, title, note, its_conditions, columns, rows)


def table_6(path: Path, conditions: StudyConditions) -> Table:
    """Human evaluation, from human.json; the paper's is of VQA2.0."""
    cure = "make it again with vqapg annotate score"
    stored = read_json(path, cure)
    models = stored.get("models")
    if not isinstance(models, dict) or not all(
        isinstance(model, dict) for model in models.values()
    ):
        raise InputError(f"{path}: has no models; {cure}")
    columns = [text_column("model"), text_column("count"), paper_column("count", ("vqa2",))]
    for measure in HUMAN:
        columns += [ours_column(measure.head), paper_column(measure.head, ("vqa2",))]
    rows = []
    for name, model in models.items():
        key = next((key for key, label in MODELS.items() if name in (key, label)), None)
        paper = PAPER["table6_human_vqa2"].get(key)
        row = [text(MODELS.get(key, name)), number(model.get("count")), _paper(paper, 0, 0)]
        for place, measure in enumerate(HUMAN, start=1):
            check_figure(path, model, measure.key, cure)
            row += [ours(measure, {0: model}), _paper(paper, place, 2)]
        rows.append(row)
    alpha = ((stored.get("agreement") or {}).get("consistency") or {}).get("value")
    note = (
        f"{stored.get('images', '-')} images; in brackets bootstrap 95% intervals over images. "
        f"Krippendorff's alpha of consistency: {'-' if alpha is None else format(alpha, '.2f')}. "
        "The paper's figures are of VQA2.0, 50 images."
    )
    return Table(6, "Human evaluation", note, _of_judged(stored, conditions), columns, rows)


def _of_judged(stored: Mapping[str, Any], conditions: StudyConditions) -> Conditions:
    """Of the runs whose pairs people judged, as far as they are runs of the study."""
    sources = stored.get("sources")
    parents = [
        Path(source).resolve().parent
        for source in (sources.values() if isinstance(sources, dict) else ())
        if isinstance(source, str)
    ]
    study = conditions.folder.resolve()
    runs = [
        path for path in parents if SEED_FOLDER.fullmatch(path.name) and path.parent.parent == study
    ]
    found = conditions.of_runs(runs, "people judged")
    others = len(stored["models"]) - len(runs)
    if runs and others:
        more = f"; {UNKNOWN} of {others} of the {len(stored['models'])} models"
        found = found._replace(seeds=found.seeds + more, updates=found.updates + more)
    return found


def _paper(figures, place, decimals):
    return Cell("-", (None,)) if figures is None else paper_cell({"vqa2": figures[place]}, decimals)


# Of an image and a model, in Table 7. More are drawn, so that Figure 8 has a rejected one.
SHOWN = 4


def table_7(records: Mapping[str, AttentionRecord], conditions: StudyConditions) -> Table | None:
    """Generated pairs of the same image from each model; *records* as ``attention_records`` gives
    them.
    """
    columns = [
        text_column(head) for head in ("image", "model", "question", "answer", "evaluator's score")
    ]
    images = dict.fromkeys(image for record in records.values() for image in record.images)
    rows = [
        [
            text(image),
            text(MODELS[model]),
            text(pair.question),
            text(pair.answer),
            number(pair.consistency, 2),
        ]
        for image in images
        for model, record in records.items()
        for pair in record.pairs_of(image)[:SHOWN]
    ]
    note = (
        f"The first {SHOWN} pairs drawn, each from latent variables of its own. A score above 0.5 "
        "counts as consistent."
    )
    note = " ".join([note, *without_drawn_pairs(records)])
    if not rows:
        return None
    its_conditions = conditions.of_records(records.values())
    return Table(7, "Generated pairs", note, its_conditions, columns, rows)


def table_10(stored: Mapping[str, Any], path: Path | None) -> Table:
    """Numbers of parameters, as *stored* in the file *path*."""
    cure = "make it again with vqapg report --table-10"
    counts = stored.get("parameters")
    if not isinstance(counts, dict) or not all(
        isinstance(of_size, dict) for of_size in counts.values()
    ):
        raise InputError(f"{path}: has no parameters; {cure}")
    for key in ("words", "channels"):
        if type(stored.get(key)) is not int:
            raise InputError(f"{path}: has no number of {key}; {cure}")
    columns = [
        text_column("model"),
        text_column("paper (M)"),
        text_column("published code (M)"),
        *(text_column(f"ours, {size} (M)") for size in counts),
    ]
    rows = []
    for name, millions in PAPER["table10_parameters_millions"].items():
        row = [text(MODELS[name]), number(millions, 2), number(PUBLISHED_MILLIONS[name], 2)]
        for of_size in counts.values():
            if type(of_size.get(name)) is not int:
                raise InputError(f"{path}: has no count for {name}; {cure}")
            count = of_size[name] / 1e6
            row.append(Cell(f"{count:.2f} ({100 * (count / millions - 1):+.0f}%)", (count,)))
        rows.append(row)
    note = (
        f"Millions of parameters, with a dictionary of {stored['words']:,} entries and features of "
        f"{stored['channels']:,} channels; in brackets the difference from the paper. The "
        f"published code was counted with {PUBLISHED_WORDS:,} entries."
    )
    title = "Number of parameters"
    return Table(10, title, note, of_counted_parameters(), columns, rows)
