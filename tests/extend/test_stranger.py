"""A stranger's package goes through the commands without a change in vqapg/."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from tests.extend.conftest import PAGES
from tests.support.documented_commands import blocks_of_commands
from vqapg.backbones import build_backbone
from vqapg.cli.main import build_parser, main
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_store import FeatureStore

COLOURS = {"train": (255, 0, 0), "valid": (0, 255, 0), "test": (0, 0, 255)}


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture
def data(stranger, tmp_path):
    """A picture of one colour in each split, prepared by the stranger's reader."""
    lines = ["image;question;answer;split"]
    for split, colour in COLOURS.items():
        Image.new("RGB", (12, 8), colour).save(tmp_path / f"{split}.png")
        lines += [f"{split}.png;Is it big?;no;{split}", f"{split}.png;Which one?;a blot;{split}"]
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    source = ("--dataset", "csv", "--source", tmp_path / "pairs.csv")
    assert run("prepare", *source, "--dest", tmp_path / "data", "--delimiter", ";") == 0
    return tmp_path / "data"


@pytest.fixture
def features(data):
    words = ("--backbone", "mean_colours", "--num-workers", 0, "--device", "cpu")
    assert run("extract-features", data, *words) == 0
    return FeatureStore(data / "features.h5")


def test_reader_is_prepared_with_its_own_flag(data):
    pairs = [tuple(pair) for pair in DataDirectory(data).pairs("train")]
    assert pairs == [("train.png", "is it big ?", "no"), ("train.png", "which one ?", "a blot")]
    manifest = json.loads((data / "manifest.json").read_text())
    assert (manifest["dataset"], manifest["options"]) == ("csv", {"delimiter": ";"})


def test_readers_flag_and_source_are_in_the_help(stranger, capsys):
    with pytest.raises(SystemExit):
        run("prepare", "--help")
    text = " ".join(capsys.readouterr().out.split())
    assert "--delimiter VALUE csv: the sign between two columns (default: ,)" in text
    assert "csv: the CSV file" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,question\na,b", "pairs.csv:2: give image, question, answer, split in each line"),
        ("image,question,answer,split\na,b,c,train", "write valid into the last column"),
        ("image,question,answer,split\na,b,c,dev", "record 1 is of the split 'dev'"),
    ],
)
def test_readers_refusal_is_one_line(stranger, tmp_path, capsys, text, message):
    (tmp_path / "pairs.csv").write_text(text)
    source = ("--dataset", "csv", "--source", tmp_path / "pairs.csv")
    assert run("prepare", *source, "--dest", tmp_path / "data") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vqapg prepare: error: ") and message in line


def test_reader_is_named_by_its_module_too(stranger, tmp_path, capsys):
    words = ("--dataset", "my_vqapg.dataset:READER", "--source", tmp_path / "none.csv")
    assert run("prepare", *words, "--dest", tmp_path / "data") == 2
    assert "none.csv: no such file; name a CSV file" in capsys.readouterr().err


def test_backbone_fills_a_grid_that_is_not_square(features):
    assert (features.shape, features.grid) == ((3, 12, 3), (4, 3))
    assert features.source["backbone"] == "mean_colours"
    # Red in every cell, normalised by ImageNet's mean and deviation
    red = [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]
    row = features.rows["train.png"]
    np.testing.assert_allclose(features.read([row])[0], [red] * 12, rtol=2e-3)


def test_backbone_is_built_again_from_what_features_keep(features):
    kept = features.source
    again = build_backbone(kept["backbone"], "imagenet", kept["image_size"])
    assert again.source == kept


@pytest.mark.parametrize(("kind", "name"), [("backbones", "mean_colours"), ("datasets", "csv")])
def test_entries_are_listed_with_their_package(stranger, capsys, kind, name):
    assert run("list", kind) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines[name] == "from the package my-vqapg"
    assert not any(module.startswith("my_vqapg") for module in sys.modules)


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_commands_of_a_page_can_be_given(stranger, page):
    blocks = blocks_of_commands(page.read_text(encoding="utf-8"))
    found = [words[1:] for block in blocks for words in block if words[0] == "vqapg"]
    assert found
    for words in found:
        build_parser().parse_args(words)


def test_broken_package_does_not_stop_others(stranger, tmp_path, capsys):
    (stranger / "my_vqapg/dataset.py").write_text("import no_such_package")
    words = ("--source", tmp_path / "none", "--dest", tmp_path / "data")
    assert run("prepare", "--dataset", "jsonl", *words) == 2
    assert "none: no such file" in capsys.readouterr().err
    assert run("prepare", "--dataset", "csv", *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "data set csv of the package my-vqapg: cannot be imported (ModuleNotFoundError" in line
