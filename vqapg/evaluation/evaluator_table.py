"""The report on an evaluator as text for people."""

ROWS = (("auc", "AUC"), ("accuracy", "accuracy (%)"), ("accuracy_positives", "  accepts a pair (%)"),
        ("accuracy_negatives", "  rejects a negative (%)"))


def format_report(report):
    """Two tables of ``report_evaluator``'s result: held-out pairs against each kind of negatives, and Table 3."""
    columns = {}
    for kind, figures in report["negatives"].items():
        columns[f"{kind} negatives"] = figures
        if "truth" in figures:
            columns[f"{kind}, true ones removed"] = figures["truth"]["without_true"]
    rows = [[f"{report['split']} split", *columns]]
    rows.append(["pairs", *(f"{figures['positives']:,}" for figures in columns.values())])
    rows.append(["negatives", *(f"{figures['negatives']:,}" for figures in columns.values())])
    if any("truth" in figures for figures in report["negatives"].values()):
        rows.append(["  of these true (%)", *(
            _cell(figures["truth"]["share_true"], 100) if "truth" in figures else "" for figures in columns.values()
        )])
    rows.append(["calibration error", *(_cell(figures["calibration_error"]) for figures in columns.values())])
    first = next(iter(columns.values()))
    for name, of_type in first["by_type"].items():
        if not of_type["accuracy"]["n"]:
            continue
        if name != "all":
            rows.append([f"{name}", *(f"{figures['by_type'][name]['accuracy']['n']:,} triples" for figures in columns.values())])
        for key, label in ROWS:
            if name != "all" and key.startswith("accuracy_"):
                continue
            scale = 1 if key == "auc" else 100
            rows.append([
                label if name == "all" else f"  {label}",
                *(_cell(figures["by_type"][name][key], scale) for figures in columns.values()),
            ])
    paper = report["table3_paper"]
    table_3 = [["Table 3: accuracy (%)", "here", "over", *(f"paper, {name}" for name in paper)]]
    for name, label in (("train", "train"), ("valid", "dev"), ("test", "test, pairs only")):
        figure = report["table3"][name]
        table_3.append([
            label, _cell(figure, 100), f"{figure['n']:,}", *(f"{100 * figures[name]:.1f}" for figures in paper.values())
        ])
    return _columns(rows) + "\n\n" + _columns(table_3)


def _cell(figure, scale=1):
    if figure["value"] is None:
        return "-"
    digits = 2 if scale == 100 else 4
    interval = ", ".join(f"{scale * bound:.{digits}f}" for bound in figure["ci95"] or ())
    return f"{scale * figure['value']:.{digits}f}" + (f" [{interval}]" if interval else "")


def _columns(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
