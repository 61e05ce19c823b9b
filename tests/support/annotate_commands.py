"""``vqapg annotate`` in this process, on files written by hand."""

import csv

from PIL import Image

from tests.support.annotated_pairs import IMAGES, MODELS, PAIRS
from tests.support.handwritten_data import write_data
from vqapg.cli.main import main


def write_folder(tmp_path, monkeypatch):
    """A data directory DATA, and the pairs of two models, in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_data(
        tmp_path / "DATA", [(image, *pair) for image in IMAGES for pair in PAIRS["model-one"]]
    )
    (tmp_path / "images").mkdir()
    for image in IMAGES:
        Image.new("RGB", (60, 40)).save(tmp_path / "images" / image)
    for model in MODELS:
        lines = [
            f"H-{3 * image + number}\t-1.0\t{question} <sep> {answer}\n"
            for image in range(3)
            for number, (question, answer) in enumerate(PAIRS[model])
        ]
        (tmp_path / f"{model}.txt").write_text(
            "".join([lines[0], "H-0\t-1.0\tno separator\n", *lines[1:]])
        )
    return tmp_path


def annotate(*arguments):
    return main(["annotate", *map(str, arguments)])


def fill(sheet, of_pair):
    """Fill in a sheet: of_pair(row) gives the fields."""
    with open(sheet, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with open(sheet, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(row | of_pair(row) for row in rows)
