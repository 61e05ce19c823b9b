"""Training goes on from the newest checkpoint of its own folder, however that folder is named."""

import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def newest(folder, cwd=None):
    done = subprocess.run(
        [
            "bash",
            "-c",
            f'set -euo pipefail; source "{SCRIPTS}/newest_checkpoint.sh"; newest_checkpoint "$1"',
            "_",
            folder,
        ],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=True,
    )
    assert not done.stderr
    return done.stdout.rstrip("\n")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my runs"
    (folder / "old").mkdir(parents=True)
    for name in ("checkpoint2.pt", "checkpoint10.pt", "checkpoint_best.pt", "old/checkpoint99.pt"):
        (folder / name).write_bytes(b"")
    return folder


def test_newest_is_found_however_the_folder_is_named(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "link to link").symlink_to("link")
    for name in (
        folder,
        f"{folder}/",
        tmp_path / "link",
        f"{tmp_path}/link/",
        tmp_path / "link to link",
    ):
        assert newest(name) == f"{str(name).rstrip('/')}/checkpoint10.pt"
    for name in ("my runs", "./my runs/", "link", "../" + tmp_path.name + "/link"):
        assert newest(name, cwd=tmp_path) == f"{name.rstrip('/')}/checkpoint10.pt"


def test_checkpoint_of_a_folder_below_is_never_taken(folder):
    for name in ("checkpoint2.pt", "checkpoint10.pt"):
        (folder / name).unlink()
    (folder / "checkpoint77.pt").mkdir()
    (folder / "loop").symlink_to("loop")
    assert newest(folder) == ""
    assert newest(folder / "none") == ""


@pytest.mark.parametrize(
    "names, expected",
    [
        (["checkpoint_10_500.pt"], "checkpoint10.pt"),  # saved before the end of epoch 10
        (["checkpoint_11_500.pt"], "checkpoint_11_500.pt"),
        (["checkpoint_11_900.pt", "checkpoint_11_1000.pt"], "checkpoint_11_1000.pt"),
        (
            [
                "checkpoint12.pt.tmp",
                "checkpoint13 copy.pt",
                "checkpoint_last.pt",
                "checkpoint.best_elbo_14.pt",
            ],
            "checkpoint10.pt",
        ),
    ],
)
def test_newest_is_by_epoch_then_updates(folder, names, expected):
    for name in names:
        (folder / name).write_bytes(b"")
    assert Path(newest(folder)).name == expected


def test_linked_checkpoint_counts(folder):
    (folder / "checkpoint11.pt").symlink_to("checkpoint2.pt")
    assert Path(newest(folder)).name == "checkpoint11.pt"
