import csv
import io

from vqapg.reports.conditions import Conditions
from vqapg.reports.table import Cell, Column, Table, markdown_table, number, text, text_column

TABLE = Table(
    4,
    "A & B",
    "Of 50% of them.",
    Conditions("small", "1, 2", "CPU, 2 cores", "unknown", "easy_vqa", "takes no part"),
    [text_column("model_name"), Column("D (%)", ("D (%)", "D (%) low")), text_column("pairs")],
    [
        [text("Joint*"), Cell("0.36 [0.32]", (0.361234, 0.32)), number(9673)],
        [text('[x] | "a, b" \\ {y} ~ ^ # $ <z>'), Cell("-", (None, None)), number(None)],
    ],
)


def test_markdown_is_a_head_a_rule_and_a_line_a_row_with_bars_escaped():
    lines = TABLE.markdown().splitlines()
    assert lines[:4] == ["## Table 4: A & B", "", "Of 50% of them.", ""]
    assert lines[4:11] == [
        "- **Preset:** small",
        "- **Seeds:** 1, 2",
        "- **Device:** CPU, 2 cores",
        "- **Updates:** unknown",
        "- **Data:** easy_vqa",
        "- **Evaluator:** takes no part",
        "",
    ]
    lines = lines[7:]
    assert [cell.strip() for cell in lines[4].strip("|").split("|")] == [
        "model_name",
        "D (%)",
        "pairs",
    ]
    assert set(lines[5]) == {"|", "-", " "}
    assert lines[6].startswith("| Joint* ") and lines[6].endswith("| 0.36 [0.32] | 9,673 |")
    assert r"[x] \| " in lines[7] and len({len(line) for line in lines[4:]}) == 1


def test_latex_escapes_everything_that_is_special_to_it():
    lines = TABLE.latex().splitlines()
    assert r"\begin{tabular}{lrr}" in lines
    assert r"model\_name & D (\%) & pairs \\" in lines
    assert r"Joint* & 0.36 [0.32] & 9,673 \\" in lines
    # After a line break [ would be its optional argument.
    assert (
        r'{}[x] \textbar{} "a, b" \textbackslash{} \{y\} \textasciitilde{} \textasciicircum{} \# '
        r"\$ "
        r"\textless{}z\textgreater{} & - & - \\"
    ) in lines
    assert (
        r"\caption{A \& B. Of 50\% of them. Preset: small. Seeds: 1, 2. Device: CPU, 2 cores. "
        r"Updates: unknown. Data: easy\_vqa. Evaluator: takes no part.}"
    ) in lines
    assert r"\label{tab:table4}" in lines
    begun, ended = (
        [line[len(what) :] for line in lines if line.startswith(what)]
        for what in (r"\begin{", r"\end{")
    )
    assert [name.split("}")[0] for name in begun] == [
        name.split("}")[0] for name in reversed(ended)
    ]


def test_csv_reads_back_as_the_very_values():
    heads, *rows = csv.reader(io.StringIO(TABLE.csv()))
    assert heads[:4] == ["model_name", "D (%)", "D (%) low", "pairs"]
    assert rows[0][:4] == ["Joint*", "0.361234", "0.32", "9673"] and float(rows[0][1]) == 0.361234
    assert rows[1][:4] == ['[x] | "a, b" \\ {y} ~ ^ # $ <z>', "", "", ""]


def test_every_row_of_csv_ends_in_the_conditions():
    rows = list(csv.DictReader(io.StringIO(TABLE.csv())))
    assert len(rows) == 2
    for row in rows:
        assert {name: row[name] for name in row if name.startswith("study ")} == {
            "study preset": "small",
            "study seeds": "1, 2",
            "study device": "CPU, 2 cores",
            "study updates": "unknown",
            "study data": "easy_vqa",
            "study evaluator": "takes no part",
        }


def test_a_markdown_table_without_rows_is_its_head():
    assert markdown_table(["a", "bc"], []) == "| a | bc |\n| - | -- |"
