"""Cells that a spreadsheet would run, and their way back."""

import pytest

from vqapg.csv_cells import escape_cell, unescape_cell

RUN = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''", "'"]
HARMLESS = ["", "what is it ?", "a=b", "1-2", " =1", "?", "dog's"]


@pytest.mark.parametrize("text", RUN)
def test_cell_that_is_run_gets_one_apostrophe(text):
    assert escape_cell(text) == "'" + text


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_cell_stays_as_it_is(text):
    assert escape_cell(text) == text


@pytest.mark.parametrize("text", RUN + HARMLESS)
def test_every_cell_comes_back(text):
    assert unescape_cell(escape_cell(text)) == text
