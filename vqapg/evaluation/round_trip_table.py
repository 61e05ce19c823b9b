"""Round-trip agreement as text for people."""

from vqapg.data.vqa_answers import ANSWER_TYPES

# (path to a figure, label)
ROWS = (
    (("exact",), "agrees exactly (%)"),
    *((("exact_by_type", name), f"  {name} (%)") for name in ANSWER_TYPES),
    (("f1",), "token F1 (%)"),
    (("blind", "exact"), "blind answerer agrees exactly (%)"),
    *((("blind", "exact_by_type", name), f"  {name} (%)") for name in ANSWER_TYPES),
    (("blind", "f1"), "blind answerer's token F1 (%)"),
    (("above_blind",), "seeing above blind (points)"),
    (("truth", "true_consistent"), "truly consistent (%)"),
    (("truth", "agrees_with_truth"), "agreement says what is true (%)"),
    (("truth", "agrees_with_right"), "  agrees with a right pair (%)"),
    (("truth", "disagrees_with_wrong"), "  disagrees with a wrong pair (%)"),
)


def format_agreement(columns):
    """A table of results of :func:`~vqapg.evaluation.round_trip.compare`, by name."""
    rows = [["", *columns]]
    for path, label in ROWS:
        cells = []
        for figures in columns.values():
            for key in path:
                figures = (figures or {}).get(key)
            cells.append(_cell(figures))
        if any(cells):
            rows.append([label, *cells])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows
    )


def _cell(figure):
    if not figure or figure["value"] is None:
        return ""
    interval = ", ".join(f"{100 * bound:.2f}" for bound in figure["ci95"] or ())
    return (
        f"{100 * figure['value']:.2f} "
        + (f"[{interval}] " if interval else "")
        + f"over {figure['n']:,}"
    )
