"""The report on an evaluator as text for people."""

# (key, label, factor); of a type of question only the first two.
ROWS = (
    ("auc", "AUC", 1),
    ("accuracy", "accuracy (%)", 100),
    ("accuracy_positives", "  accepts a pair (%)", 100),
    ("accuracy_negatives", "  rejects a negative (%)", 100),
)


def format_report(report):
    """Two tables of ``report_evaluator``'s result: held-out pairs against each kind of negatives,
    and Table 3.
    """
    columns = {}
    for kind, figures in report["negatives"].items():
        columns[f"{kind} negatives"] = figures
        if "truth" in figures:
            columns[f"{kind}, true ones removed"] = figures["truth"]["without_true"]
    rows = [[f"{report['split']} split", *columns]]

    def row(label, cell):
        rows.append([label, *map(cell, columns.values())])

    row("pairs", lambda figures: f"{figures['positives']:,}")
    row("negatives", lambda figures: f"{figures['negatives']:,}")
    if any("truth" in figures for figures in columns.values()):
        row(
            "  of these true (%)",
            lambda figures: (
                _cell(figures["truth"]["share_true"], 100) if "truth" in figures else ""
            ),
        )
    if any(figures.get("untold") for figures in columns.values()):
        row("  left out, the judge cannot tell", lambda figures: f"{figures.get('untold', 0):,}")
    row("calibration error", lambda figures: _cell(figures["calibration_error"]))
    for name in columns["paper negatives"]["by_type"]:
        if not columns["paper negatives"]["by_type"][name]["accuracy"]["n"]:
            continue
        if name != "all":
            row(
                name,
                lambda figures, name=name: f"{figures['by_type'][name]['accuracy']['n']:,} triples",
            )
        for key, label, factor in ROWS if name == "all" else ROWS[:2]:
            indent = "" if name == "all" else "  "
            row(
                indent + label,
                lambda figures, name=name, key=key, factor=factor: _cell(
                    figures["by_type"][name][key], factor
                ),
            )
    paper = report["table3_paper"]
    table_3 = [["Table 3: accuracy (%)", "here", "over", *(f"paper, {name}" for name in paper)]]
    for name, label in (("train", "train"), ("valid", "dev"), ("test", "test, pairs only")):
        figure = report["table3"][name]
        table_3.append(
            [
                label,
                _cell(figure, 100),
                f"{figure['n']:,}",
                *(f"{100 * figures[name]:.1f}" for figures in paper.values()),
            ]
        )
    return _columns(rows) + "\n\n" + _columns(table_3)


def _cell(figure, factor=1):
    if figure["value"] is None:
        return "-"
    digits = 2 if factor == 100 else 4
    interval = ", ".join(f"{factor * bound:.{digits}f}" for bound in figure["ci95"] or ())
    return f"{factor * figure['value']:.{digits}f}" + (f" [{interval}]" if interval else "")


def _columns(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows
    )
