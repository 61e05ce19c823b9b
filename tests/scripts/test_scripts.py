"""The shell scripts are well formed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).resolve().parents[2] / "scripts").glob("*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_is_well_formed(script):
    subprocess.run(["bash", "-n", script], check=True)


# environment.sh is sourced, and reproduce.sh hands --help to `vqapg reproduce`.
@pytest.mark.parametrize(
    "name", [path.name for path in SCRIPTS if path.stem not in ("environment", "reproduce")]
)
def test_help_of_a_script_tells_its_use_and_touches_nothing(name, tmp_path):
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS[0].parent, scripts)
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        ["bash", scripts / name, "--help"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"bash scripts/{name}" in done.stdout
    assert sorted(tmp_path.rglob("*")) == before


def preprocess(folder, *words):
    """scripts/preprocess.sh with a stand-in for what makes data; the commands that it ran."""
    stand_in = folder / "vqapg"
    stand_in.write_text(
        "#!/bin/sh\ncase $1 in settings | configs-dir)"
        f' exec {sys.executable} -m vqapg.cli.main "$@" ;; esac\necho "$@"\n'
    )
    stand_in.chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return subprocess.run(
        ["bash", SCRIPTS[0].with_name("preprocess.sh"), *words],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": path},
    )


def test_preprocess_takes_the_images_of_the_data_set(tmp_path):
    done = preprocess(tmp_path, "vqa2", "DATA", "--source", "vqa2", "--glove", "glove.6B.zip")
    assert done.stdout.splitlines() == [
        "prepare --dataset vqa2 --source vqa2 --max-images 10000 --max-test-images 4800 "
        "--min-pairs-per-image 5 --dest DATA",
        "extract-features DATA --backbone resnet50 --image-size 299",
        "glove DATA --vectors glove.6B.zip",
    ]


def test_preprocess_of_ones_own_data_at_a_preset(tmp_path):
    done = preprocess(tmp_path, "jsonl", "DATA", "--source", "a.jsonl", "--preset", "small")
    assert done.stdout.splitlines() == [
        "prepare --dataset jsonl --source a.jsonl --dest DATA",
        "extract-features DATA --backbone efficientnet_lite0 --image-size 96",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "which data set?"),
        (["easy-vqa"], "which data directory is to be made of easy-vqa?"),
        (["easy-vqa", "DATA", "--oops", "1"], "--oops: there is no such option"),
        (["easy-vqa", "DATA", "--preset"], "--preset: without a value"),
    ],
)
def test_preprocess_names_the_word_that_is_wrong(tmp_path, words, told):
    done = preprocess(tmp_path, *words)
    assert done.returncode == 2 and not done.stdout and done.stderr.startswith(f"error: {told}")
    assert done.stderr.count("\n") == 1


def test_preprocess_with_an_unknown_preset_writes_nothing(tmp_path):
    done = preprocess(tmp_path, "easy-vqa", "DATA", "--preset", "smal")
    assert done.returncode == 2 and not done.stdout and "did you mean small?" in done.stderr
