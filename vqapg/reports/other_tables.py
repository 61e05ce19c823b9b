"""The tables that are not of the study's metrics: 2, 3, 6, 7, 8 and 10, each from a JSON file of
its own.
"""

from vqapg.errors import InputError
from vqapg.evaluation.text_overlap import EXACT
from vqapg.reports.measures import ACCURACY, BLEU, HUMAN, METEOR, ROUGE
from vqapg.reports.model_tables import ours, ours_column, paper_cell, paper_column, paper_note
from vqapg.reports.paper import DATASETS, MODELS, PAPER, VARIATIONAL, paper_datasets
from vqapg.reports.stored import check_figure, read_json, seed_folders
from vqapg.reports.table import Cell, Table, number, text, text_column

# Our splits and the names of the paper's tables.
SPLITS = {"train": "train", "valid": "dev", "test": "test"}
TASKS = {"vqg": "VQG", "vqa": "VQA"}


def table_2(manifest):
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
    return Table(2, "Statistics of the data", "Images and question-answer pairs.", columns, rows)


def table_3(folder, dataset):
    """The evaluators' accuracy, from ``evaluator*/evaluator.json``; None where there is none."""
    cure, sets, rows = "make it again with vqapg check-evaluator", paper_datasets(dataset), []
    keys = {"train": "train", "valid": "dev", "test": "test_positives_only"}
    paper = {
        split: {where: PAPER["table3_evaluator_accuracy_percent"][where][key] for where in sets}
        for split, key in keys.items()
    }
    for path in sorted(folder.glob("evaluator*/evaluator.json")):
        stored = read_json(path, cure)
        table = stored.get("table3")
        if not isinstance(table, dict):
            raise InputError(f"{path}: has no table3; {cure}")
        row = [
            text(path.parent.name),
            text(str((stored.get("evaluator") or {}).get("negatives", "-"))),
        ]
        for split in keys:
            check_figure(path, table, split, cure)
            row += [ours(ACCURACY[split], {0: table}), paper_cell(paper[split], 1)]
        rows.append(row)
    columns = [text_column("evaluator"), text_column("negatives it was trained with")]
    for measure in ACCURACY.values():
        columns += [ours_column(measure.head), paper_column(measure.head, sets)]
    note = (
        "Train and dev hold the paper's negatives, test only pairs of the data. In brackets "
        f"bootstrap 95% intervals over images. {paper_note(sets)}"
    )
    return Table(3, "Accuracy of the consistency evaluator", note, columns, rows) if rows else None


def table_6(path):
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
    return Table(6, "Human evaluation", note, columns, rows)


def _paper(figures, place, decimals):
    return Cell("-", (None,)) if figures is None else paper_cell({"vqa2": figures[place]}, decimals)


def table_7(records):
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
        for pair in record.pairs_of(image)
    ]
    note = "Each pair from latent variables of its own. A score above 0.5 counts as consistent."
    return Table(7, "Generated pairs", note, columns, rows) if rows else None


def table_8(folder):
    """VQG and VQA with and without pre-training, from
    ``downstream/TASK/MODEL/seed-K/metrics.json``; None where there is none. The paper's is of
    Visual7W, whose answers have several tokens.
    """
    cure, measures = "make it again with vqapg overlap", (BLEU, METEOR, ROUGE)
    columns = [text_column(head) for head in ("task", "pre-trained on pairs of", "seeds")]
    for measure in measures:
        columns += [ours_column(measure.head), paper_column(measure.head, ("visual7w",))]
    columns.append(ours_column(EXACT.head))
    rows, reasons = [], {}
    for task, label in TASKS.items():
        for name in ("baseline", *VARIATIONAL):
            runs = {}
            for seed, seed_folder in seed_folders(folder / "downstream" / task / name).items():
                path = seed_folder / "metrics.json"
                if path.exists():
                    runs[seed] = read_json(path, cure)
                    for measure in (*measures, EXACT):
                        if measure.key in runs[seed]:
                            check_figure(path, runs[seed], measure.key, cure)
                    reasons |= runs[seed].get("not_computed", {})
            if not runs:
                continue
            paper = PAPER["table8_downstream"][task][
                "baseline" if name == "baseline" else f"+{name}"
            ]
            row = [
                text(label),
                text(MODELS.get(name, "none: gold pairs alone")),
                text(", ".join(map(str, runs))),
            ]
            for place, measure in enumerate(measures):
                row += [ours(measure, runs), paper_cell({"visual7w": paper[place]}, 2)]
            rows.append([*row, ours(EXACT, runs)])
    note = (
        "The text generated for each test pair against the pair's own; BLEU-4 of texts below four "
        "tokens is 0. Mean over seeds; in brackets from the lowest to the highest end of the "
        "seeds' bootstrap 95% intervals over images. The paper's figures are of Visual7W."
    )
    if reasons:
        note += (
            " Not computed: "
            + "; ".join(f"{key} {reason}" for key, reason in reasons.items())
            + "."
        )
    return (
        Table(8, "VQG and VQA, pre-trained on generated pairs", note, columns, rows)
        if rows
        else None
    )


def table_10(stored, path):
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
        *(text_column(f"{size} (M)") for size in counts),
    ]
    rows = []
    for name, millions in PAPER["table10_parameters_millions"].items():
        row = [text(MODELS[name]), number(millions, 2)]
        for of_size in counts.values():
            if type(of_size.get(name)) is not int:
                raise InputError(f"{path}: has no count for {name}; {cure}")
            count = of_size[name] / 1e6
            row.append(Cell(f"{count:.2f} ({100 * (count / millions - 1):+.0f}%)", (count,)))
        rows.append(row)
    note = (
        f"Millions of parameters, with a dictionary of {stored['words']:,} entries and features of "
        f"{stored['channels']:,} channels; in brackets the difference from the paper."
    )
    return Table(10, "Number of parameters", note, columns, rows)
