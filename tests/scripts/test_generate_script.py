"""What scripts/generate.sh shows, with a stand-in for fairseq-generate."""

import subprocess
import sys

import pytest

from tests.support.fairseq_commands import REPOSITORY
from tests.support.train_script import environment_of, put_programs

BATCHES = """\
import os, sys
head = "2026-11-27 06:00:00 | INFO | "
print("DEBUG:h5py._conv:Creating converter from 7 to 5")
for done in (1, 2, 3):
    print(f"{head}fairseq.logging.progress_bar | :      {done} / 3 wps=3558", flush=True)
split = sys.argv[sys.argv.index("--gen-subset") + 1] if "--gen-subset" in sys.argv else "test"
os.makedirs(sys.argv[-1])
with open(f"{sys.argv[-1]}/generate-{split}.txt", "w") as pairs:
    pairs.write("new")
"""
FAILS = "import sys; print('noise'); sys.exit('fairseq-generate: error: a.pt: is cut short')"


@pytest.fixture
def generate(tmp_path):
    """generate(CODE, [words]) -> the finished script; CODE is that of fairseq-generate."""

    (tmp_path / "my data").mkdir()
    (tmp_path / "my data/manifest.json").write_text("{}")
    (tmp_path / "m.pt").write_text("")

    def run(code, *words, places=("m.pt", "my data", "out")):
        program = f"#!{sys.executable}\n{code}"
        put_programs(tmp_path, {"fairseq-generate": program, "vqapg": "#!/bin/sh\necho 5\n"})
        return subprocess.run(
            ["bash", REPOSITORY / "scripts/generate.sh", *places, *words],
            cwd=tmp_path,
            env=environment_of(tmp_path),
            capture_output=True,
            text=True,
        )

    return run


def test_pairs_and_the_next_command_are_named(generate, tmp_path):
    done = generate(BATCHES)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "The pairs are out/generate-test.txt. Next:",
        "    vqapg evaluate 'my data' --pairs out/generate-test.txt --evaluator CKPT "
        "--output metrics.json",
    ]
    assert done.stderr.startswith("Getting ready to generate pairs of my data with m.pt\n")
    assert "3/3" in done.stderr and "DEBUG" not in done.stderr and "INFO" not in done.stderr
    log = (tmp_path / "out/generate-test.log").read_text()
    assert "DEBUG:h5py" in log and "fairseq-generate 'my data' " in log


def test_another_split_has_its_own_file_and_command(generate, tmp_path):
    done = generate(BATCHES, "--gen-subset", "valid")
    assert "out/generate-valid.txt. Next:" in done.stdout
    assert "evaluate 'my data' --split valid --pairs out/generate-valid.txt" in done.stdout
    assert (tmp_path / "out/generate-valid.log").exists()


@pytest.mark.parametrize("code", [FAILS, "import os, signal; os.kill(os.getpid(), 9)"])
def test_pairs_that_are_there_stay_until_new_ones_are_whole(generate, tmp_path, code):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/generate-test.txt").write_text("mine")
    refused = generate(BATCHES)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1] == (
        "error: out/generate-test.txt: is there already; give another OUT, or --overwrite to "
        "replace it"
    )
    assert generate(code, "--overwrite").returncode != 0
    assert (tmp_path / "out/generate-test.txt").read_text() == "mine"
    assert generate(BATCHES, "--overwrite").returncode == 0
    assert (tmp_path / "out/generate-test.txt").read_text() == "new"
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"generate-test.txt", "generate-test.log"}


def test_a_run_that_failed_leaves_no_pairs(generate, tmp_path):
    assert generate(FAILS).returncode == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"generate-test.log"}


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ((), "which CKPT, a checkpoint?"),
        (("m.pt",), "which DATA, a data directory?"),
        (("m.pt", "my data"), "which OUT, a folder to write to?"),
        (("m.pt", "my data", "--beam"), "which OUT, a folder to write to?"),
        (("none.pt", "my data", "out"), "none.pt: there is no such checkpoint"),
        (("m.pt:none.pt", "my data", "out"), "none.pt: there is no such checkpoint"),
        (("m.pt", "out", "out"), "out: not a finished data directory"),
    ],
)
def test_what_is_missing_is_one_line(generate, tmp_path, places, told):
    done = generate(BATCHES, places=places)
    assert done.returncode == 2 and done.stderr.startswith(f"error: {told}")
    assert done.stderr.count("\n") == 1 and not (tmp_path / "out").exists()


def test_a_failure_shows_its_error_and_keeps_the_status(generate):
    done = generate(FAILS.replace("sys.exit(", "print(") + "; sys.exit(2)")
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.splitlines()[-3:] == [
        "The generation failed (exit status 2):",
        "    fairseq-generate: error: a.pt: is cut short",
        "The whole log is out/generate-test.log",
    ]


def test_an_output_that_is_a_file_is_one_line(generate, tmp_path):
    (tmp_path / "out").write_text("mine")
    done = generate(BATCHES)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: out")
    assert "give another OUT" in done.stderr and (tmp_path / "out").read_text() == "mine"
