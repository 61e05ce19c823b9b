"""The block that says where a result comes from."""

import hashlib
import json
import subprocess
import sys

import pytest

import vqapg.provenance
from vqapg.provenance import PACKAGES, commit, provenance
from vqapg.targets import our_json, write_json


@pytest.fixture(autouse=True)
def no_cache():
    commit.cache_clear()
    yield
    commit.cache_clear()


def test_block_has_every_key_and_checksums(tmp_path, monkeypatch):
    (tmp_path / "pairs.txt").write_bytes(b"abc")
    data = tmp_path / "DATA"
    data.mkdir()
    (data / "manifest.json").write_bytes(b"{}")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/vqapg", "evaluate", "my data"])
    block = provenance(
        seed=3, preset="small", inputs={"pairs": tmp_path / "pairs.txt", "data": data}
    )
    assert list(block) == [
        "vqapg",
        "commit",
        "command",
        "seed",
        "preset",
        "python",
        "packages",
        "inputs",
    ]
    assert (block["vqapg"], block["seed"], block["preset"]) == (vqapg.__version__, 3, "small")
    assert block["command"] == "vqapg evaluate 'my data'"
    assert block["packages"].keys() == set(PACKAGES) and block["packages"]["torch"]
    assert block["inputs"] == {
        "pairs": {
            "path": str(tmp_path / "pairs.txt"),
            # The first example of FIPS 180-2.
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        },
        "data": {"path": str(data), "sha256": hashlib.sha256(b"{}").hexdigest()},
    }


def test_names_that_are_no_utf8_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["vqapg", "evaluate", "caf\udce9"])
    write_json(tmp_path / "out.json", {})
    assert r"caf\xe9" in json.loads((tmp_path / "out.json").read_text())["provenance"]["command"]


def make_repository(folder, monkeypatch):
    """A repository that vqapg seems to run from; a function that runs git in it."""
    package = folder / "vqapg"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(vqapg.provenance, "__file__", str(package / "provenance.py"))

    def git(*words):
        command = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.c", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return package, git


def test_commit_is_that_of_the_repository_with_dirty(tmp_path, monkeypatch):
    package, git = make_repository(tmp_path, monkeypatch)
    git("init")
    git("add", ".")
    git("commit", "-m", "First")
    git("tag", "-a", "v1", "-m", "a tag is no commit")
    head = git("rev-parse", "HEAD")
    assert commit() == head
    commit.cache_clear()
    (package / "__init__.py").write_text("changed = True")
    assert commit() == f"{head}-dirty"


def test_installed_copy_in_anothers_repository_has_no_commit(tmp_path, monkeypatch):
    _, git = make_repository(tmp_path / "repository/site-packages", monkeypatch)
    subprocess.run(["git", "init", tmp_path / "repository"], check=True, capture_output=True)
    git("add", ".")
    git("commit", "-m", "Somebody else's")
    assert commit() is None


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commit() is None


@pytest.mark.parametrize(
    "content, ours",
    [
        ({"provenance": {"vqapg": "0.2"}}, True),
        ({"vqapg_version": "0.1.0"}, True),
        ({"versions": {"vqapg": "0.1.0"}}, True),
        ({"provenance": {"vqapg": 2}}, False),
        ({"provenance": "vqapg"}, False),
        ({"provenance": {"other": "0.2"}}, False),
    ],
)
def test_json_is_known_by_its_block_or_the_older_keys(tmp_path, content, ours):
    path = tmp_path / "some.json"
    path.write_text(json.dumps(content))
    assert (our_json(path) is None) == ours


def test_a_written_file_keeps_the_block_it_was_given(tmp_path):
    path = tmp_path / "out.json"
    write_json(path, {"a": 1, "provenance": provenance(seed=7)})
    assert json.loads(path.read_text())["provenance"]["seed"] == 7 and our_json(path) is None
