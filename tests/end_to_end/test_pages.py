"""The first block of each data set's page runs from its first command to its last, on tiny data."""

import json

import pytest
from PIL import Image

from tests.datasets.test_every_source import TEST, TRAIN, VALID, write
from tests.datasets.test_official_sources import write_vqa2
from tests.support.documented_commands import blocks_of_commands
from tests.support.fairseq_commands import REPOSITORY
from tests.support.train_script import generate, train
from tests.support.world import vqapg, write_source

ASKED = [("What is the blue shape?", "circle"), ("Is there a circle?", "yes")]
PAIRS = dict.fromkeys((TRAIN, VALID, TEST), ASKED)
# What makes a page's command quick: a flag that is given twice counts the second time.
QUICK = {
    "extract-features": ["--weights", "none", "--num-workers", "0"],
    "sample": ["--weights", "none", "--num-workers", "0", "--num-samples", "2", "--beam", "2"],
    "scripts/train.sh": ["--num-workers", "0", "--max-update", "2"],
    "scripts/generate.sh": ["--num-workers", "0", "--beam", "2"],
}
SCENES = ["--max-images", "4", "--max-valid-images", "2", "--max-test-images", "3"]
OF_DATA_SET = {
    "easy-vqa": ["--source", "easy"],
    "scenes": SCENES,
    "vqa2": ["--valid-pairs", "1"],
}


def write_drawings(folder):
    write("easy-vqa", folder / "easy", PAIRS)
    (folder / "easy/test/images/13.png").touch()


def write_photographs(folder):
    write("visual7w", folder / "visual7w", PAIRS)
    (folder / "visual7w/images/v7w_10.jpg").touch()


SOURCES = {
    "easy-vqa": write_drawings,
    "own-data": lambda folder: write_source(folder / "my").rename(folder / "my/pairs.jsonl"),
    "scenes": lambda folder: None,
    "visual7w": write_photographs,
    "vqa2": lambda folder: write_vqa2(folder / "vqa2"),
}


def draw_empty_pictures(folder):
    """Gives the files that stand for pictures one each, no two alike."""
    for number, path in enumerate(sorted(folder.rglob("*.[jp][pn]g"))):
        if not path.stat().st_size:
            Image.new("RGB", (40, 40), (number, 90, 200)).save(path)


def run_command(words, programs):
    """Runs a command of a page, made quick, in this process."""
    command, *arguments = words[1:]
    if command == "prepare":
        name = arguments[arguments.index("--dataset") + 1]
        vqapg(command, *arguments, *OF_DATA_SET.get(name, []))
    elif words[0] == "vqapg":
        vqapg(command, *arguments, *QUICK.get(command, []))
    else:
        script = {"scripts/train.sh": train, "scripts/generate.sh": generate}[command]
        script(programs, *arguments, *QUICK[command])


@pytest.mark.parametrize("page", SOURCES)
def test_block_of_a_data_set_runs_to_its_end(page, tmp_path, monkeypatch, without_java):
    monkeypatch.chdir(tmp_path)
    SOURCES[page](tmp_path)
    draw_empty_pictures(tmp_path)
    programs = tmp_path / "programs"
    programs.mkdir()
    text = (REPOSITORY / f"docs/{page}.md").read_text(encoding="utf-8")
    block = next(block for block in blocks_of_commands(text) if block)
    # The variable of easy-VQA's page.
    block = [[word.replace("$photos", "easy/test/images") for word in words] for words in block]
    assert [words[1] for words in block] == [
        *("prepare", "extract-features", "scripts/train.sh", "check-evaluator"),
        *("scripts/train.sh", "scripts/generate.sh", "evaluate", "sample"),
    ]
    for words in block:
        run_command(words, programs)
    [metrics] = tmp_path.glob("runs/*/metrics.json")
    assert json.loads(metrics.read_text())["consistent"]["n"] > 0
    assert len(list(metrics.parent.glob("pairs.jsonl"))) == 1
    assert "<html" in (metrics.parent / "gallery.html").read_text(encoding="utf-8")
