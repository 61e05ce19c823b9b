"""Two runs never write to one place, on this machine or on another with its file system."""

import json
import os
import signal
import socket
import time

import pytest

from tests.support.handwritten_data import write_features
from vqapg.data.directory import DataDirectory
from vqapg.errors import InputError, RunError
from vqapg.locks import SILENCE, Lock, check_free


@pytest.fixture
def path(tmp_path):
    return tmp_path / "features.h5"


def lock_file(path):
    return path.with_name(f".{path.name}.lock")


def left_by(path, machine, boot, seconds_ago):
    """The lock of a run on *machine* that last showed life so many seconds ago."""
    holder = {
        "machine": machine,
        "boot": boot,
        "process": 77,
        "begun": "2026-01-01T00:00:00+00:00",
        "number": 1,
    }
    lock_file(path).write_text(json.dumps({"vqapg_lock": holder}))
    then = time.time() - seconds_ago
    os.utime(lock_file(path), (then, then))


def test_the_second_is_told_who_holds_it(path):
    with Lock(path):
        for attempt in (Lock, check_free):
            with pytest.raises(
                InputError,
                match=rf"features.h5: process {os.getpid()} on {socket.gethostname()}, begun ",
            ):
                attempt(path)
    assert not lock_file(path).exists()
    check_free(path)
    Lock(path).release()


def test_a_killed_run_blocks_nobody_on_its_machine(path):
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        Lock(path)
        os.write(writer, b"held")
        time.sleep(60)
        os._exit(1)
    assert os.read(reader, 4) == b"held"
    with pytest.raises(InputError, match=f"process {process} on "):
        Lock(path)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    assert lock_file(path).exists()
    Lock(path).release()


def test_a_run_on_another_machine_holds_it_while_it_shows_life(path):
    left_by(path, "elsewhere", "another boot", SILENCE / 2)
    with pytest.raises(
        InputError,
        match="process 77 on elsewhere, begun 2026-01-01.* is at work on it; .*after 60 seconds",
    ):
        Lock(path)
    assert lock_file(path).exists()
    left_by(path, "elsewhere", "another boot", SILENCE + 5)
    with Lock(path) as lock:
        lock.check()
        assert [found.name for found in path.parent.iterdir()] == [".features.h5.lock"]


def test_a_holder_that_stood_still_finds_out(path):
    lock = Lock(path)
    left_by(path, "elsewhere", "another boot", 0)
    with pytest.raises(RunError, match="another run has taken over meanwhile"):
        lock.check()
    lock_file(path).unlink()
    with pytest.raises(RunError):
        lock.check()
    lock.release()


def test_signs_of_life_are_shown(path, monkeypatch):
    monkeypatch.setattr("vqapg.locks.SIGN_OF_LIFE", 0.01)
    with Lock(path):
        os.utime(lock_file(path), (0, 0))
        deadline = time.monotonic() + 10
        while lock_file(path).stat().st_mtime < 1000 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert lock_file(path).stat().st_mtime > 1000


def test_without_flock_the_sign_of_life_alone_tells(path, monkeypatch):
    def no_flock(*arguments):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", no_flock)
    lock = Lock(path)
    with pytest.raises(InputError, match=f"process {os.getpid()}"):
        Lock(path)
    lock.release()
    Lock(path).release()


@pytest.mark.parametrize("content", ["mine", "{}", "[1]", "[" * 4096])
def test_a_users_file_of_that_name_is_kept(path, content):
    lock_file(path).write_text(content)
    with pytest.raises(InputError, match=".features.h5.lock: is not a lock of vqapg; move it away"):
        Lock(path)
    assert lock_file(path).read_text() == content
    lock_file(path).unlink()
    lock_file(path).symlink_to(path.parent / "elsewhere")
    with pytest.raises(InputError, match="cannot be written"):
        Lock(path)
    assert not (path.parent / "elsewhere").exists()


# --- Commands
# --------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path, monkeypatch):
    from types import SimpleNamespace

    import vqapg.backbones
    from vqapg.cli.main import main

    line = '{{"image": "{0}.png", "question": "what?", "answer": "it", "split": "{1}"}}\n'
    for name in "abc":
        (tmp_path / f"{name}.png").touch()
    rows = zip("abc", ("train", "valid", "test"), strict=True)
    (tmp_path / "qa.jsonl").write_text("".join(line.format(name, split) for name, split in rows))
    source = {"backbone": "tiny", "weights": "none", "weights_sha256": "ab" * 32, "image_size": 8}
    backbone = SimpleNamespace(source=source, grid=(2, 3), channels=5, name="tiny")
    monkeypatch.setattr(vqapg.backbones, "build_backbone", lambda *inputs: backbone)
    prepare = [
        "prepare",
        "--dataset",
        "jsonl",
        "--source",
        str(tmp_path / "qa.jsonl"),
        "--dest",
        str(tmp_path / "data"),
    ]
    assert main(prepare) == 0

    def extract(*more):
        return main(["extract-features", str(tmp_path / "data"), "--device", "cpu", *more])

    return SimpleNamespace(
        path=tmp_path / "data", extract=extract, prepare=lambda *more: main([*prepare, *more])
    )


def test_features_are_extracted_by_one_run_at_a_time(data, capsys):
    capsys.readouterr()
    for target, more in (("features.h5", []), ("features.1-of-2.h5", ["--shard", "1/2"])):
        with Lock(data.path / target):
            assert data.extract(*more) == 2
            (line,) = capsys.readouterr().err.splitlines()
            assert (
                f"{target}: process {os.getpid()} on " in line
                and "is at work on it; wait for it to end" in line
            )
            assert data.prepare("--overwrite") == 2
            assert "is at work on it" in capsys.readouterr().err
    assert data.prepare("--overwrite") == 0
    with Lock(data.path):
        assert data.prepare("--overwrite") == 2
        assert "data: process " in capsys.readouterr().err


@pytest.mark.parametrize("name", [".features.h5.partial", ".features.h5.journal", "features.h5"])
def test_a_users_file_under_a_working_name_is_kept(data, capsys, name):
    (data.path / name).write_text("my notes")
    if name.endswith("journal"):
        write_features(data.path, ".features.h5.partial")
    capsys.readouterr()
    assert data.extract("--overwrite") == 2
    assert f"{name}: was not written by vqapg" in capsys.readouterr().err
    assert (data.path / name).read_text() == "my notes"


def test_a_link_to_features_is_not_replaced(data, tmp_path, capsys):
    (tmp_path / "gold").mkdir()
    gold = write_features(tmp_path / "gold")
    (data.path / "features.h5").symlink_to(gold)
    before = gold.read_bytes()
    capsys.readouterr()
    assert data.extract("--overwrite") == 2
    assert "features.h5: is a link to" in capsys.readouterr().err and gold.read_bytes() == before


def test_shards_are_joined_by_one_run(data, capsys):
    directory = DataDirectory(data.path)
    digest, ids = directory.images_digest(), directory.image_ids()
    for number in (1, 2):
        start, end = len(ids) * (number - 1) // 2, len(ids) * number // 2
        write_features(data.path, f"features.{number}-of-2.h5", ids[start:end], digest)
    with Lock(directory.features_path):
        assert data.extract("--shard", "1/2") == 0 and not directory.features_path.exists()
    assert data.extract("--shard", "1/2") == 0 and directory.features_path.exists()
