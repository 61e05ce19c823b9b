import errno
import os
import socket
import subprocess

import pytest

from vqapg.errors import InputError, RunError
from vqapg.files import atomic_write, writing


def test_what_a_killed_run_began_is_cleared_away_but_nothing_of_others(tmp_path):
    finished = subprocess.Popen(["true"])
    finished.wait()
    here = f".a.json.vqapg-{socket.gethostname()}-"
    names = {
        f"{here}{finished.pid}": False,  # left by a killed run
        f"{here}{os.getppid()}": True,  # of a process at work
        f".a.json.vqapg-elsewhere-{finished.pid}": True,  # of another machine
        f".b.json.vqapg-{socket.gethostname()}-{finished.pid}": True,  # of another file
    }
    names[f".a.json.partial-{socket.gethostname()}-{finished.pid}"] = True  # so named by the user
    for name in names:
        (tmp_path / name).write_text("half")
    with atomic_write(tmp_path / "a.json") as file:
        file.write("whole")
        assert not (tmp_path / "a.json").exists()
    assert (tmp_path / "a.json").read_text() == "whole"
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.json",
        *(name for name, stays in names.items() if stays),
    }


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_a_failed_run_that_names_the_file_and_leaves_nothing(
    tmp_path, monkeypatch, number
):
    def full(*inputs, **options):
        raise OSError(number, os.strerror(number))

    path = tmp_path / "a.json"
    for function in ("os.fsync", "builtins.open"):
        with monkeypatch.context() as patched:
            patched.setattr(function, full)
            with pytest.raises(
                RunError, match=rf"a\.json: cannot be written \({os.strerror(number)}\); make room"
            ):
                with atomic_write(path) as file:
                    file.write("half")
        assert list(tmp_path.iterdir()) == []


def test_other_errors_are_told_apart_from_a_full_disk(tmp_path):
    with (
        pytest.raises(InputError, match="No such file or directory"),
        atomic_write(tmp_path / "none" / "a.json"),
    ):
        pass
    with pytest.raises(FileNotFoundError), writing(tmp_path):
        open(tmp_path / "none")
    with pytest.raises(RunError, match="b.json: cannot be written"), writing():
        raise OSError(errno.ENOSPC, "", "b.json")
