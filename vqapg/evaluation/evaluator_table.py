"""The report on an evaluator as text for people."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

# (key, label, factor); of a type of question only the first two.
ROWS = (
    ("auc", "AUC", 1),
    ("accuracy", "accuracy (%)", 100),
    ("accuracy_positives", "  accepts a pair (%)", 100),
    ("accuracy_negatives", "  rejects a negative (%)", 100),
)
CONDITIONS = {
    "judge": "the judge",
    "question_and_answer": "question and answer only",
    "answer": "answer only",
    "image_swapped": "image swapped",
}


def format_report(report: Mapping[str, Any]) -> str:
    """The verdict, then tables of ``report_evaluator``'s result: held-out pairs against each kind
    of negatives, the right answer among four, the image-swap test, and Table 3.
    """
    parts = [
        f"Verdict: {report['verdict']['text']}",
        _negatives(report),
        *_four_way(report),
        _image_swap(report),
        _table_3(report),
    ]
    return "\n\n".join(parts)


def _negatives(report: Mapping[str, Any]) -> str:
    columns: dict[str, Any] = {}
    for kind, figures in report["negatives"].items():
        columns[f"{kind} negatives"] = figures
        if "truth" in figures:
            columns[f"{kind}, true ones removed"] = figures["truth"]["without_true"]
    rows = [[f"{report['split']} split", *columns]]

    def row(label: str, cell: Callable[[Any], str]) -> None:
        rows.append([label, *map(cell, columns.values())])

    row("pairs", lambda figures: f"{figures['positives']:,}")
    row("  with an unknown word", _unknown("positives"))
    row("negatives", lambda figures: f"{figures['negatives']:,}")
    row("  with an unknown word", _unknown("negatives"))
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
    for name, of_type in columns["paper negatives"]["by_type"].items():
        if not of_type["accuracy"]["n"]:
            continue
        if name != "all":
            row(name, _triples(name))
        for key, label, factor in ROWS if name == "all" else ROWS[:2]:
            indent = "" if name == "all" else "  "
            row(indent + label, _figure(name, key, factor))
    return _columns([row for row in rows if any(row[1:])])


def _unknown(name: str) -> Callable[[Any], str]:
    return lambda figures: (
        f"{figures['unknown_words'][name]['with_unknown']:,}" if "unknown_words" in figures else ""
    )


def _triples(name: str) -> Callable[[Any], str]:
    return lambda figures: f"{figures['by_type'][name]['accuracy']['n']:,} triples"


def _figure(name: str, key: str, factor: int) -> Callable[[Any], str]:
    return lambda figures: _cell(figures["by_type"][name][key], factor)


def _four_way(report: Mapping[str, Any]) -> list[str]:
    """The table and what to read from it; nothing where there are no wrong answers."""
    found = report["four_way"]
    if found is None:
        return []
    rows = [["right answer of four (%), chance 25", "questions", *CONDITIONS.values()]]
    for name, figures in found["by_type"].items():
        cells = (_cell(figures[condition], 100, 1) for condition in CONDITIONS)
        rows.append([name, f"{figures['judge']['n']:,}", *cells])
    notes = [f"Seeing the image adds {_cell(found['sees'], 100, 1)} points to question and answer."]
    if found["untold"]:
        notes.append(f"{found['untold']:,} questions are left out: the judge cannot tell.")
    return ["\n".join([_columns(rows), *notes])]


def _image_swap(report: Mapping[str, Any]) -> str:
    found = report["image_swap"]
    rows = [["image swapped, question and answer kept", "pairs", "AUC", "own image higher (%)"]]
    for label, figures in (
        ("all", found),
        ("the question is asked of both images", found["same_question"]),
    ):
        area, higher = _cell(figures["auc"]), _cell(figures["own_higher"], 100, 1)
        rows.append([label, f"{figures['pairs']:,}", area, higher])
    notes = ["A judge that does not see scores an AUC of 0.5."]
    for key, what in (
        ("without_another_image", "no other image has another answer"),
        ("untold", "the judge cannot tell"),
    ):
        if found[key]:
            notes.append(f"{found[key]:,} pairs are left out: {what}.")
    return "\n".join([_columns(rows), *notes])


def _table_3(report: Mapping[str, Any]) -> str:
    paper = report["table3_paper"]
    rows = [["Table 3: accuracy (%)", "here", "over", *(f"paper, {name}" for name in paper)]]
    for name, label in (("train", "train"), ("valid", "dev"), ("test", "test, pairs only")):
        figure = report["table3"][name]
        rows.append(
            [
                label,
                _cell(figure, 100),
                f"{figure['n']:,}",
                *(f"{100 * figures[name]:.1f}" for figures in paper.values()),
            ]
        )
    return _columns(rows)


def _cell(figure: Mapping[str, Any], factor: int = 1, digits: int | None = None) -> str:
    if figure["value"] is None:
        return "-"
    if digits is None:
        digits = 2 if factor == 100 else 4
    interval = ", ".join(f"{factor * bound:.{digits}f}" for bound in figure["ci95"] or ())
    return f"{factor * figure['value']:.{digits}f}" + (f" [{interval}]" if interval else "")


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows
    )
