"""``vqapg sample`` into the folders of data sets."""

import json
import os

import pytest

from tests.support.tiny_checkpoints import draw_pictures, save_checkpoint
from vqapg.cli.main import main
from vqapg.files import sha256

DRAWN = ("--num-samples", 3, "--sampling", "--temperature", 1.5, "--num-workers", 0)


@pytest.fixture
def folder(tmp_path, monkeypatch, dictionary):
    """Where the command runs: photos/, model.pt, evaluator.pt."""
    monkeypatch.chdir(tmp_path)
    draw_pictures(tmp_path / "photos", 3)
    save_checkpoint("model.pt", "vqapg_joint_variational", dictionary)
    save_checkpoint("evaluator.pt", "vqapg_consistency", dictionary)
    return tmp_path


def sample(*arguments):
    words = ["sample", "--checkpoint", "model.pt", *DRAWN, "--weights", "none", *arguments]
    return main([str(word) for word in words])


def test_card_names_model_judge_flags_and_command(folder, monkeypatch):
    monkeypatch.setattr("sys.argv", ["vqapg", "sample", "photos", "--output", "pairs"])
    chosen = ("--min-consistency", 0.001, "--evaluator", "evaluator.pt", "--license", "cc0-1.0")
    assert sample("photos", "--output", "pairs", "--seed", 5, *chosen) == 0
    text = (folder / "pairs/README.md").read_text()
    for line in (
        "license: cc0-1.0",
        f"| model | vqapg\\_joint\\_variational:{sha256('model.pt')[:12]} |",
        f"| judge | evaluator:{sha256('evaluator.pt')[:12]} |",
        "| --seed | 5 |",
        "| --num-samples | 3 |",
        "| --temperature | 1.5 |",
        "| --min-consistency | 0.001 |",
        "    vqapg sample photos --output pairs",
    ):
        assert f"\n{line}\n" in text, line
    assert "| --keep |" not in text and "| --diversity |" not in text
    assert "files that somebody gave to `vqapg sample`" in text
    assert (folder / "pairs/train/metadata.jsonl").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--output", "p", "--license", "mti"), "did you mean mit?"),
        (("--output", "p.jsonl", "--license", "mit"), "the format jsonl has no place for it"),
        (("--output", "p.parquet", "--license", "mit", "--ray"), "--license: does not go with"),
    ],
)
def test_wrong_licence_is_told_before_the_work(folder, capsys, words, message):
    assert sample("photos", *words) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not [name for name in os.listdir(folder) if name.startswith("p.") or name == "p"]


def test_photographs_become_a_folder_that_prepare_reads(folder):
    assert sample("photos", "--output", "vqa", "--format", "vqa2-folder") == 0
    words = "prepare --dataset vqa2 --source vqa --dest data --valid-pairs 1"
    assert main(words.split()) == 0
    questions = json.loads((folder / "vqa/v2_OpenEnded_mscoco_val2014_questions.json").read_text())
    assert questions["images"] == [{"id": 2, "file_name": "photos/1.png"}]


def test_killed_run_goes_on_into_a_whole_folder(folder, monkeypatch, capsys):
    os.rename("photos/2.png", "photos/away")
    (folder / "photos/2.png").write_bytes(b"no picture")
    assert sample("photos", "--output", "pairs") == 2
    assert not (folder / "pairs").exists() and (folder / "pairs.partial").exists()
    os.replace("photos/away", "photos/2.png")
    assert sample("photos", "--output", "pairs") == 0
    assert (folder / "pairs/README.md").exists() and not (folder / "pairs.partial").exists()
