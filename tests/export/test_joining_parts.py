"""``vqapg join``: pairs, pages and counts of several runs."""

import csv
import json
import re

import pyarrow
import pyarrow.parquet
import pytest

from tests.support.tiny_checkpoints import draw_pictures
from vqapg.cli.main import main
from vqapg.export import gallery, gallery_join
from vqapg.export.gallery import write_gallery
from vqapg.export.outputs import write_records
from vqapg.sampling.counts import Counts
from vqapg.sampling.images import find_images
from vqapg.targets import write_json


def record(number, **more):
    return {
        "image": f"{number}.png",
        "question": "what is it?",
        "answer": "a cat",
        "score": -0.25,
        **more,
        "seed": 1,
        "draw": number,
        "model": "joint:ab",
    }


def join(*words):
    return main(["join", *map(str, words)])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_records("1.jsonl", "jsonl", [record(0), record(1)], [])
    write_records("2.parquet", "parquet", [record(2)], [])
    write_records("3.jsonl", "jsonl", [], [])
    return tmp_path


def test_pairs_of_several_files_are_one_file(folder, capsys):
    whole = [record(0), record(1), record(2)]
    parts = ["1.jsonl", "2.parquet", "3.jsonl"]
    for name in ("all.jsonl", "all.parquet", "all.csv"):
        assert join(*parts, "--output", name) == 0
        assert capsys.readouterr().out == f"{name}: 3 pairs of 3 parts\n"
    assert [json.loads(line) for line in open("all.jsonl")] == whole
    assert pyarrow.parquet.read_table("all.parquet").to_pylist() == whole
    with open("all.csv", newline="") as file:
        assert [row["draw"] for row in csv.DictReader(file)] == ["0", "1", "2"]


def test_pairs_of_other_columns_are_not_joined(folder, capsys):
    write_records("judged.jsonl", "jsonl", [record(3, consistency=0.5)], [])
    assert join("1.jsonl", "judged.jsonl", "--output", "all.jsonl") == 2
    assert "judged.jsonl: has other columns (" in capsys.readouterr().err
    assert not (folder / "all.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no.txt", "--output", "all.jsonl"], "no.txt: holds no pairs that vqapg wrote"),
        (["foreign.parquet", "--output", "all.jsonl"], "foreign.parquet: holds no pairs"),
        (["1.jsonl", "--output", "1.jsonl"], "is read by this very command"),
        (["1.jsonl", "--output", "2.parquet"], "is there already"),
        (["1.jsonl", "--output", "all"], "pairs are joined as jsonl, parquet, csv"),
        (["1.jsonl", "--output", "all.html"], "1.jsonl: is no page that vqapg sample --html wrote"),
        (["1.jsonl", "--output", "all.json"], "1.jsonl: holds no counts"),
    ],
)
def test_what_cannot_be_joined_is_one_line(folder, capsys, words, message):
    (folder / "no.txt").write_text("x")
    pyarrow.parquet.write_table(pyarrow.table({"image": ["a"]}), "foreign.parquet")
    assert join(*words) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1


def test_counts_of_several_files_are_summed(folder, capsys):
    write_json(folder / "c1.json", Counts(2, 0, 3, 1, 0, ["a.png: cut"]).as_json())
    write_json(folder / "c2.json", Counts(1, 1, 0, 0, 2, []).as_json())
    assert join("c1.json", "c2.json", "--output", "all.json") == 0
    content = json.loads((folder / "all.json").read_text())
    assert Counts.from_json(content) == Counts(3, 1, 3, 1, 2, ["a.png: cut"])
    assert (
        "3 pairs of 3 images; --keep left out 1 of 4 distinct pairs; 1 image has none"
        in capsys.readouterr().out
    )


def entry(name, *questions):
    pair = {"answer": "yes", "score": -0.5, "consistency": 0.5, "draw": 0, "weights": {}}
    return {
        "image": name,
        "pairs": [{"question": text, **pair} for text in questions],
        "below_minimum": 0,
        "malformed": 0,
    }


def page(path, images, entries, **changes):
    options = {"grid": (2, 2), "about": {"seed": 1}, "judged": True, **changes}
    write_gallery(path, iter(entries), images, **options)


def data_of(path):
    return json.loads(re.search(r'id="data">(.*?)</script>', path.read_text(), re.DOTALL)[1])


def test_joined_pages_are_the_page_of_the_whole(folder, monkeypatch, capsys):
    images = find_images([draw_pictures(folder / "photos", 4)])
    entries = [
        entry(images[0].name, "is it </script> red?", "how many are there?"),
        entry(images[1].name),
        entry(images[2].name, "what color is it?", "is it red?"),
        entry(images[3].name, "how many are there?"),
    ]
    page(folder / "whole.html", images, entries)
    page(folder / "1.html", images, entries[:2])
    page(folder / "2.html", images, entries[2:])
    assert join("1.html", "2.html", "--output", "all.html") == 0
    assert (folder / "all.html").read_text() == (folder / "whole.html").read_text()
    assert capsys.readouterr().out == "all.html: 5 pairs of 4 images\n"
    # No more images than a page can show; all are counted.
    monkeypatch.setattr(gallery, "MOST_IMAGES", 3)
    monkeypatch.setattr(gallery_join, "MOST_IMAGES", 3)
    assert join("1.html", "2.html", "--output", "all.html", "--overwrite") == 0
    shown = data_of(folder / "all.html")
    assert len(shown["images"]) == 3 and shown["total"] == {"images": 4, "pairs": 5}


def test_pages_of_different_runs_are_not_joined(folder, capsys):
    images = find_images([draw_pictures(folder / "photos", 1)])
    page(folder / "1.html", images, [])
    page(folder / "2.html", images, [], about={"seed": 2})
    assert join("1.html", "2.html", "--output", "all.html") == 2
    assert "2.html: was made by another run than 1.html (its about" in capsys.readouterr().err
