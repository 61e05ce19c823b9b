"""The same judgements on a sheet: CSV, filled in with any spreadsheet, and read back.

A generated text could be a formula. So cells are escaped when written, see csv_cells.py.
"""

import csv
import io
import os
from collections.abc import Container, Mapping
from pathlib import Path

from vqapg.annotation.judgements import annotator_name, checked_value
from vqapg.annotation.session import Session
from vqapg.csv_cells import escape_cell, unescape_cell
from vqapg.data.question_type import question_type
from vqapg.errors import InputError
from vqapg.evaluation.human import FIELDS
from vqapg.files import atomic_write, check_readable_file
from vqapg.strict_json import decode
from vqapg.targets import csv_of

LARGEST_SHEET = 64 << 20  # bytes
# What the page calls a judgement, whose keys differ from the paper's scores. In a session for an
# estimate the sheet has the words; the scores are read too.
WORDS = {"right": "2", "wrong": "1", "not answerable": "0", "cannot tell": "?"}
COLUMNS = ("annotator", "group", "image", "pair", "question", "answer", *FIELDS)
our_sheet = csv_of([COLUMNS])


def write_sheet(
    path: str | os.PathLike[str],
    session: Session,
    annotator: str,
    judged: Mapping[str, Mapping[str, str]],
    shown: Container[str] | None = None,
) -> None:
    """Write a row for every pair, with what is judged already.

    Args:
        path: of the sheet
        session: its pairs; in the paper's evaluation, one without a question type gets the
            suggested one
        annotator: in whose order the pairs stand
        judged: {pair: {field: value}} of this annotator
        shown: the ids of the pairs that have a row; None: all
    """
    kind = "question_type" in session.fields
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for group in session.order(annotator):
        image = f"images/{session.image_path(group.image).name}"
        for pair in group.pairs:
            if shown is not None and pair.id not in shown:
                continue
            suggested = {"question_type": question_type(pair.question)} if kind else {}
            given = {**suggested, **judged.get(pair.id, {})}
            if session.plan is not None:
                given = {field: _word(value) for field, value in given.items()}
            cells = [annotator, group.id, image, *pair, *(given.get(field, "") for field in FIELDS)]
            writer.writerow(map(escape_cell, cells))
    # With a byte order mark, without which some spreadsheets do not read UTF-8.
    with atomic_write(path, "wb") as file:
        file.write(text.getvalue().encode("utf-8-sig"))


def read_sheet(
    path: str | os.PathLike[str], session: Session
) -> list[tuple[str, str, dict[str, str]]]:
    """[(annotator, pair id, {field: value})] of the rows that are filled in; with commas or
    semicolons between.

    A row with neither consistency nor object is not judged yet. Raises InputError with the line of
    anything else that is missing, unknown or not of this session.
    """
    path = Path(path)
    try:
        check_readable_file(path, "give a sheet of vqapg annotate sheet", LARGEST_SHEET)
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); give a sheet of vqapg annotate sheet"
        ) from None
    text = decode(content, str(path), "save the sheet as CSV in UTF-8")
    head = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",", strict=True
    )
    pairs = {pair.id: pair for group in session.groups for pair in group.pairs}
    rows, seen = [], set()
    try:
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise InputError(
                f"{path}:1: no column {', '.join(missing)}; give a sheet of vqapg annotate sheet"
            )
        for cells in reader:
            row = {column: unescape_cell(cells[column] or "") for column in COLUMNS}
            where = f"{path}:{reader.line_num}"
            # Sheets of earlier versions have no apostrophes added.
            readings = (row["question"], cells["question"])
            if row["pair"] not in pairs or pairs[row["pair"]].question not in readings:
                raise InputError(
                    f"{where}: pair {row['pair'][:60]!r} with this question is not in "
                    f"{session.path}; give its own sheet"
                )
            if not row["consistency"].strip() and not row["object"].strip():
                continue
            try:
                name = annotator_name(row["annotator"])
                row["consistency"] = _score(row["consistency"])
                values = {field: checked_value(field, row[field]) for field in session.fields}
            except InputError as error:
                raise InputError(f"{where}: {error}") from None
            if (name, row["pair"]) in seen:
                raise InputError(
                    f"{where}: pair {row['pair']} of {name} stands twice in the sheet; delete one "
                    "row"
                )
            seen.add((name, row["pair"]))
            rows.append((name, row["pair"], values))
    except csv.Error as error:
        raise InputError(
            f"{path}:{reader.line_num}: broken CSV ({error}); save the sheet as CSV again"
        ) from None
    return rows


def _word(score: str) -> str:
    """The word of a judgement that is stored as *score*."""
    return next((word for word, value in WORDS.items() if value == score), score)


def _score(text: str) -> str:
    """What is stored of a judgement: that of its word, or the text as it is."""
    return WORDS.get(" ".join(text.split()).lower(), text)
