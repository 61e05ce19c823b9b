"""What ``vqapg export`` knows of its files: their splits, and how their pairs were made."""

import json
import os

import pytest

from tests.support.handwritten_data import write_data
from tests.support.tiny_checkpoints import draw_pictures
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.errors import InputError
from vqapg.evaluation.generated import read_records
from vqapg.export.data_set_card import NAME
from vqapg.export.generated_pairs import files_of_splits
from vqapg.export.made_of_file import made_of_file
from vqapg.files import sha256

SETTINGS = (
    "{'common': {'seed': 3, 'cpu': True}, 'common_eval': {'path': 'PATH', 'quiet': False}, "
    "'generation': {'beam': 10, 'nbest': 1, 'sampling': False, 'temperature': 0.5}}"
)


@pytest.fixture
def data(tmp_path):
    draw_pictures(tmp_path / "images", 3)
    pairs = [(f"{number}.png", "what is it ?", "a dot") for number in range(3)]
    return DataDirectory(write_data(tmp_path / "DATA", pairs))


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"weights")
    os.utime(path, (0, 0))
    return path


def generated(folder, log=""):
    path = folder / "generate-test.txt"
    path.write_text(log + "H-1\t-0.5\twhy ? <sep> yes\nH-2\t-0.5\tno pair\n")
    return path


def made_of(path, data, checkpoint=None):
    return made_of_file(path, list(read_records(path, data)), checkpoint)


@pytest.mark.parametrize(
    ("files", "split", "found"),
    [
        (["out/generate-valid.txt"], None, {"valid": "out/generate-valid.txt"}),
        (["out/generate-valid.txt"], "test", {"test": "out/generate-valid.txt"}),
        (["pairs.jsonl"], None, {"test": "pairs.jsonl"}),
        (["latest.jsonl"], None, {"test": "latest.jsonl"}),
        (["a_train.jsonl", "test.jsonl"], None, {"train": "a_train.jsonl", "test": "test.jsonl"}),
    ],
)
def test_name_of_a_file_tells_its_split(files, split, found):
    assert files_of_splits(files, split) == found


def test_one_of_several_files_without_a_split_is_refused():
    with pytest.raises(InputError, match=r"pairs\.jsonl: its name does not tell the split"):
        files_of_splits(["generate-train.txt", "pairs.jsonl"])


@pytest.mark.parametrize(
    "before", ["2026 | INFO | fairseq_cli.generate | ", "INFO:fairseq_cli.generate:"]
)
def test_settings_that_fairseq_logged_are_known(tmp_path, data, model, before):
    path = generated(tmp_path, before + SETTINGS.replace("PATH", str(model)) + "\n")
    assert made_of(path, data) == {
        "file of the pairs": f"generate-test.txt, SHA-256 {sha256(path)[:12]}",
        "model": f"model.pt, SHA-256 {sha256(model)[:12]}",
        "seed": "3",
        "beam": "10",
        "nbest": "1",
        "sampling": "False",
        "temperature": "0.5",
    }
    os.utime(model)  # trained on since
    os.utime(path, (0, 0))
    assert made_of(path, data)["model"] == str(model)


def test_model_that_nothing_recorded_is_said_to_be_so(tmp_path, data, model):
    path = generated(tmp_path)
    assert made_of(path, data)["model"].startswith("not recorded in the file; ")
    assert made_of(path, data, model)["model"] == f"model.pt, SHA-256 {sha256(model)[:12]}"


def test_lines_of_sample_tell_model_and_seed(tmp_path, data):
    path = tmp_path / "pairs.jsonl"
    line = {"image": "0.png", "question": "why?", "answer": "yes", "seed": 4, "model": "joint:ab"}
    path.write_text(json.dumps(line) + "\n" + json.dumps(line | {"image": "1.png", "seed": 5}))
    made = made_of(path, data)
    assert (made["model"], made["seed"]) == ("joint:ab", "4, 5")


def test_exported_folder_has_the_split_and_names_the_judge(tmp_path, data, model):
    words = ["export", generated(tmp_path), "--data", data.path, "--output", tmp_path / "out"]
    words += ["--format", "imagefolder", "--checkpoint", model, "--license", "cc0-1.0"]
    words += ["--judge", "tests.support.judges:YesMan:yes"]
    assert main([str(word) for word in words]) == 0
    (row,) = (tmp_path / "out/test/metadata.jsonl").read_text().splitlines()
    row = json.loads(row)
    assert row["source"] == "1.png" and "consistency" in row and "split" not in row
    text = (tmp_path / "out" / NAME).read_text()
    assert "\nlicense: cc0-1.0\n" in text and f"{sha256(model)[:12]}" in text
    assert "| judge of consistency |" in text and "prepare --dataset jsonl" in text
