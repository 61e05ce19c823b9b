"""``vqapg import-features`` and ``vqapg sample --features`` from the command line."""

import numpy as np
import pytest

from tests.support.handwritten_data import write_data
from vqapg.cli.main import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """DATA with three images, and own.npz with their features and those of a fourth image."""
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path / "DATA", [("a.png", "is there a circle ?", "yes")])
    np.savez(
        "own.npz",
        features=np.ones((4, 6, 5), np.float16),
        ids=np.array(["train", "valid", "a", "other"]),
        num_boxes=np.array([6, 2, 3, 1]),
    )
    return tmp_path


def test_what_was_taken_is_told(folder, capsys):
    assert main(["import-features", "DATA", "own.npz"]) == 0
    assert capsys.readouterr().out == (
        "DATA/features.h5: 3 images of 2 to 6 regions with 5 channels; 1 more in own.npz, which"
        " DATA does not have\n"
    )


@pytest.mark.parametrize(
    "words, line",
    [
        (["DATA", "none"], "none: is no folder and no .npy, .npz, .h5, .hdf5 file; give one"),
        (["DATA", "own.npz", "--grid", "2"], "--grid 2: give rows and columns, such as 7x7"),
        (["DATA", "own.npz", "--grid", "2x3"], "valid: 2 regions are no grid of 2x3; correct"),
        (["DATA", "own.npz", "--name", "a b"], "--name a b: give letters, digits and"),
        (["own.npz", "own.npz"], "own.npz: not a finished data directory"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(folder, capsys, words, line):
    assert main(["import-features", *words]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("vqapg import-features: error: ") and line in said


@pytest.mark.parametrize("words", [[], ["photo.jpg", "--features", "DATA"]])
def test_photographs_or_features_are_sampled_from(folder, capsys, words):
    (folder / "model.pt").write_bytes(b"")
    assert main(["sample", *words, "--checkpoint", "model.pt", "--output", "pairs.jsonl"]) == 2
    assert "IMAGES or --features DATA: give one of the two" in capsys.readouterr().err
