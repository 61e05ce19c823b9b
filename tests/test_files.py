import os
import socket
import subprocess

from vqapg.files import atomic_write


def test_what_a_killed_run_began_is_cleared_away_but_nothing_of_others(tmp_path):
    finished = subprocess.Popen(["true"])
    finished.wait()
    here = f".a.json.partial-{socket.gethostname()}-"
    names = {
        f"{here}{finished.pid}": False,  # left by a killed run
        f"{here}{os.getppid()}": True,  # of a process at work
        f".a.json.partial-elsewhere-{finished.pid}": True,  # of another machine
        f".b.json.partial-{socket.gethostname()}-{finished.pid}": True,  # of another file
    }
    for name in names:
        (tmp_path / name).write_text("half")
    with atomic_write(tmp_path / "a.json") as file:
        file.write("whole")
        assert not (tmp_path / "a.json").exists()
    assert (tmp_path / "a.json").read_text() == "whole"
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", *(name for name, stays in names.items() if stays)}
