"""Parquet files of pairs: what other programs read in them, and how vqapg knows its own."""

import builtins

import datasets
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from vqapg.errors import InputError
from vqapg.export import parquet_table
from vqapg.export.outputs import format_of, write_records
from vqapg.export.parquet_table import our_parquet

RECORDS = [
    {
        "image": f"photos/{number}.png",
        "question": 'is it "rød"?',
        "answer": "ja, 2",
        "score": -0.5 * number,
        # What a judge cannot tell, also in the first row
        "consistency": None if number % 2 == 0 else 0.25,
        "seed": 1,
        "draw": number,
        "model": "joint:ab",
    }
    for number in range(5)
]


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_table, "ROWS_AT_ONCE", 2)  # so that there are several blocks
    path = tmp_path / "pairs.parquet"
    assert write_records(path, "parquet", iter(RECORDS), []) == 5
    return path


def test_parquet_rows_are_the_records(path):
    assert pyarrow.parquet.read_table(path).to_pylist() == RECORDS
    assert pyarrow.parquet.ParquetFile(path).num_row_groups == 3


def test_parquet_columns_are_plain_whatever_the_first_rows(path):
    schema = pyarrow.parquet.read_schema(path)
    assert {field.name: str(field.type) for field in schema} == {
        **dict.fromkeys(("image", "question", "answer", "model"), "string"),
        **dict.fromkeys(("score", "consistency"), "double"),
        **dict.fromkeys(("seed", "draw"), "int64"),
    }


def test_parquet_is_read_by_pandas_and_datasets(path, tmp_path):
    frame = pandas.read_parquet(path)
    assert list(frame["draw"]) == list(range(5)) and frame["consistency"].isna().sum() == 3
    rows = datasets.load_dataset(
        "parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert rows.to_list() == RECORDS


def test_parquet_keeps_a_column_of_another_package(tmp_path):
    path = tmp_path / "more.parquet"
    write_records(path, "parquet", [{**RECORDS[0], "boxes": [1.5, 2.0]}], [])
    assert pyarrow.parquet.read_table(path)["boxes"].to_pylist() == [[1.5, 2.0]]


def test_parquet_without_pairs_has_the_columns_of_all(tmp_path):
    path = tmp_path / "none.parquet"
    assert write_records(path, "parquet", [], []) == 0
    table = pyarrow.parquet.read_table(path)
    assert table.num_rows == 0 and table.column_names == ["image", "question", "answer", "score"]


def test_only_a_parquet_file_of_vqapg_is_replaced(path, tmp_path):
    assert our_parquet(path) is None
    write_records(path, "parquet", RECORDS[:1], [], overwrite=True)
    foreign = tmp_path / "foreign.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"image": ["vqapg_provenance"]}), foreign)
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(path.read_bytes()[:-9])
    for other in (foreign, cut):
        before = other.read_bytes()
        with pytest.raises(InputError, match="was not written by vqapg"):
            write_records(other, "parquet", RECORDS, [], overwrite=True)
        assert other.read_bytes() == before


def test_ending_tells_parquet():
    assert format_of("a/pairs.parquet") == "parquet"


def test_without_pyarrow_one_line_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'vqapg\[parquet\]'"):
        write_records(tmp_path / "pairs.parquet", "parquet", RECORDS, [])
    assert list(tmp_path.iterdir()) == []
