"""One table for people in Markdown and LaTeX, and for programs in CSV."""

import csv
import io
from typing import NamedTuple

from vqapg.reports.conditions import Conditions

LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "%": r"\%",
        "#": r"\#",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
    }
)


class Column(NamedTuple):
    """A column for people, and the columns of plain values that it is in CSV."""

    head: str
    csv: tuple[str, ...]


class Cell(NamedTuple):
    """What people read, and a value for each of the column's CSV columns, None where
    there is none.
    """

    text: str
    values: tuple


class Table(NamedTuple):
    """One table.

    Attributes:
        number, title: as in the paper
        note: what one must know to read it
        conditions: under which the figures of ours were made
    """

    number: int
    title: str
    note: str
    conditions: Conditions
    columns: list[Column]
    rows: list[list[Cell]]

    @property
    def name(self):
        return f"table{self.number}"

    def markdown(self):
        body = markdown_table([column.head for column in self.columns], self._texts())
        head = f"## Table {self.number}: {self.title}"
        return "\n\n".join([head, self.note, self.conditions.markdown(), f"{body}\n"])

    def latex(self):
        """A table environment, for LaTeX's packages booktabs and adjustbox; what is special to
        LaTeX is escaped.
        """
        caption = f"{self.title}. {self.note} {self.conditions.text()}"
        # The empty group: a bracket or star at the beginning would belong to the line break before
        # it.
        lines = [
            ("{}" if row[0][:1] in ("[", "*") else "")
            + " & ".join(text.translate(LATEX) for text in row)
            + r" \\"
            for row in ([column.head for column in self.columns], *self._texts())
        ]
        alignment = "".join(
            "r" if self._is_number(place) else "l" for place in range(len(self.columns))
        )
        return "\n".join(
            [
                r"\begin{table}",
                r"\centering",
                r"\begin{adjustbox}{max width=\textwidth}",
                rf"\begin{{tabular}}{{{alignment}}}",
                r"\toprule",
                lines[0],
                r"\midrule",
                *lines[1:],
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{adjustbox}",
                rf"\caption{{{caption.translate(LATEX)}}}",
                rf"\label{{tab:{self.name}}}",
                r"\end{table}",
                "",
            ]
        )

    def csv(self):
        """The columns' names, then a line a row: numbers as they are, nothing where there is none.

        The last columns say the conditions, in every row. So a reader of CSV needs no option for
        lines of comments, and rows of several studies keep theirs when they are put together.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        conditions = self.conditions._asdict()
        heads = [name for column in self.columns for name in column.csv]
        writer.writerow([*heads, *(f"study {label}" for label in conditions)])
        for row in self.rows:
            values = [value for cell in row for value in cell.values]
            writer.writerow([*values, *conditions.values()])
        return text.getvalue()

    def _texts(self):
        return [[cell.text for cell in row] for row in self.rows]

    def _is_number(self, place):
        return any(
            isinstance(value, (int, float)) for row in self.rows for value in row[place].values
        )


def markdown_table(heads, rows):
    """Rows of texts as a Markdown table that is legible as text, too."""
    # A bar would end the cell.
    lines = [[text.replace("|", r"\|") for text in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in lines) for column in range(len(heads))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |"
        for row in lines
    )


def text_column(head):
    return Column(head, (head,))


def text(value):
    return Cell(value, (value,))


def number(value, decimals=0):
    """A plain number; a dash where there is none."""
    return Cell("-" if value is None else f"{value:,.{decimals}f}", (value,))
