"""The linear probe of benchmarks/backbones.py, on features written by hand."""

import json

import h5py
import numpy as np
import pytest

from benchmarks.backbones import cost, main, one_hot, probe
from tests.support.world import make_data, write_source


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Pictures of squares and their colours. The red ones' features are 1 in channel 0, and so
    on.
    """
    folder = tmp_path_factory.mktemp("probe")
    source = write_source(folder / "source")
    lines = source.read_text().splitlines(keepends=True)
    source.write_text("".join(line for line in lines if "What color" in line))
    made = make_data(folder, backbone="shufflenet_v2_x0_5", source=source)
    with h5py.File(made / "features.h5", "r+") as file:
        features = np.zeros(file["features"].shape, np.float16)
        for row, name in enumerate(file["ids"].asstr()[:]):
            number = int("".join(filter(str.isdigit, name.rpartition("/")[2])))
            features[row, :, number % 3] = 1
        file["features"][:] = features
        file["train_mean"][:], file["train_std"][:] = 0, 1
    return made


def test_probe_reads_colours_off_features_that_tell_them(data):
    figures = probe(data, 5)
    # All of five images: Wilson's interval.
    assert figures["picture"] == figures["both"]
    assert figures["picture"]["value"] == 1
    assert figures["picture"]["interval"] == pytest.approx([5 / (5 + 1.96**2), 1], abs=1e-4)
    # Of five test pictures two are red, as are three of nine in train.
    assert figures["majority"] == figures["words"]["value"] == 0.4
    assert figures["gain"]["value"] == pytest.approx(0.6)
    assert figures["pairs"] == {"train": 9, "valid": 3, "test": 5}
    assert (figures["regions"], figures["channels"]) == (4, 1024)


def test_features_that_tell_nothing_reach_the_majority(data, monkeypatch):
    monkeypatch.setattr(
        "benchmarks.backbones.pooled", lambda store, rows: np.zeros((len(rows), 3), np.float32)
    )
    figures = probe(data, 5)
    assert figures["picture"]["value"] == figures["both"]["value"] == figures["majority"] == 0.4
    assert figures["gain"] == {"value": 0, "interval": [0, 0]}


def test_only_frequent_answers_are_asked_for(data):
    # Green is the third.
    assert probe(data, 2)["pairs"] == {"train": 6, "valid": 2, "test": 4}


def test_words_are_told_apart_and_unknown_ones_are_none():
    found = one_hot(["how many", "what is", "why"], ["how many", "what is"])
    np.testing.assert_array_equal(found > 0, [[True, False], [False, True], [False, False]])


def test_table_and_file_have_the_figures(data, tmp_path, capsys):
    main([str(data), "--output", str(tmp_path / "b.json")])
    row = capsys.readouterr().out.splitlines()[2]
    assert (
        "shufflenet_v2_x0_5 at 64" in row and "| 40.0         | 100.0 [56.6, 100.0] | 40.0 [" in row
    )
    (figures,) = json.loads((tmp_path / "b.json").read_text())["probes"]
    assert figures["features"]["image_size"] == 64


def test_cost_is_regions_by_channels_in_half_precision():
    assert cost("timm:test_vit@64x32") == ("timm:test_vit", "64x32", "4 x 2", "8", "64", "0.00")
    assert cost("shufflenet_v2_x0_5@512")[2:] == ("16 x 16", "256", "1,024", "0.50")
