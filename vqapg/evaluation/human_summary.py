"""The figures of a human evaluation as text for people, the paper's Table 6 beneath."""

from vqapg.counted import counted

AGREEMENT = {
    "consistency": "consistency 0 < 1 < 2, ? as 2",
    "consistency_marks": "consistency 0, 1, 2, ?",
    "question_type": "which pairs share a question type",
    "object": "which pairs share an object",
}


def format_human(figures):
    """The tables of ``compute_human``'s result: models, annotators one by one, the paper,
    agreement.
    """
    heads = (
        "model",
        "pairs",
        "diversity",
        "before count",
        "consistency",
        "cannot judge (%)",
        "judged",
    )
    rows = [
        (
            name,
            str(model["count"]),
            _figure(model["diversity"]),
            _figure(model["diversity_before_count"]),
            _figure(model["consistency"]),
            _figure(model["cannot_judge"], 100, 1),
            _judged(model["diversity"]["n"], model["consistency"]["n"]),
        )
        for name, model in figures["models"].items()
    ]
    for name, model in figures["models"].items():
        for annotator, own in model["annotators"].items():
            judged = _judged(own["groups"], own["pairs"])
            rows.append((f"  {name}, {annotator}", "", *_both(own), "", judged))
    rows += [
        (f"paper: {name}", str(row["count"]), *_both(row), "", "VQA v2.0, 50 images, 4 annotators")
        for name, row in figures["paper_table_6"].items()
    ]
    return "\n\n".join(
        (
            f"{counted(figures['images'], 'image')}; in brackets bootstrap 95% intervals "
            "over images",
            _table([heads, *rows]),
            _agreement(figures["agreement"]),
        )
    )


def _judged(groups, pairs):
    return f"{counted(groups, 'group')}, {counted(pairs, 'pair')}"


def _agreement(alphas):
    """Krippendorff's alphas; a sentence where no two annotators judged the same."""
    if not any(alphas[key]["n"] for key in AGREEMENT):
        return "agreement needs two annotators of the same pairs"
    rows = [
        (words, alphas[key]["level"], _figure(alphas[key]), counted(alphas[key]["n"], "unit"))
        for key, words in AGREEMENT.items()
    ]
    return _table([("Krippendorff's alpha", "level", "alpha", "over"), *rows])


def _both(row):
    return _plain(row["diversity"]), "", _plain(row["consistency"])


def _table(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _figure(figure, factor=1, decimals=2):
    if figure["value"] is None:
        return "-"
    bounds = ", ".join(_plain(bound, factor, decimals) for bound in figure["ci95"] or ())
    return _plain(figure["value"], factor, decimals) + (f" [{bounds}]" if bounds else "")


def _plain(value, factor=1, decimals=2):
    return "-" if value is None else f"{factor * value:.{decimals}f}"
