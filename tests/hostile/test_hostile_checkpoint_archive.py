"""A checkpoint file that is cut short, damaged, of another format or a bomb: one line."""

import os
import random
import zipfile

import pytest
import torch

from tests.support.tiny_checkpoints import refused, save_checkpoint
from vqapg.errors import InputError
from vqapg.tasks import checkpoint_file
from vqapg.tasks.checkpoint_file import check_archive, read_checkpoint
from vqapg.tasks.checkpoints import load_generation_model


@pytest.fixture
def whole(tmp_path, dictionary):
    path = tmp_path / "model.pt"
    save_checkpoint(path, "vqapg_joint_variational", dictionary)
    return path


def test_file_cut_short_anywhere_is_one_line(whole):
    content = whole.read_bytes()
    for length in (0, 1, 30, len(content) // 2, len(content) - 1):
        whole.write_bytes(content[:length])
        assert "cut short" in refused(whole)


def test_block_of_zeros_as_after_a_power_cut_is_seen(whole):
    weights = torch.load(whole)["model"]["image_encoder.embed.weight"].numpy().tobytes()
    content = whole.read_bytes()
    whole.write_bytes(content.replace(weights, bytes(len(weights))))
    assert "is damaged" in refused(whole)


def test_pickle_without_archive_is_refused(whole):
    torch.save(torch.load(whole), whole, _use_new_zipfile_serialization=False)
    assert "of another format" in refused(whole)


def test_compressed_archive_is_refused_before_it_is_unpacked(whole):
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(50 * 2**20))
    assert whole.stat().st_size < 2**17
    assert "its parts are compressed" in refused(whole)


def test_parts_that_lie_over_one_another_are_refused(tmp_path):
    """A stored part of 1000 bytes, named a hundred times in the directory: 100 kB out of 6 kB."""
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data/0", bytes(1000))
        archive.filelist *= 100
    with (
        open(path, "rb") as file,
        pytest.raises(InputError, match="claims to unpack to more than its own size"),
    ):
        check_archive(file)


def test_large_pickle_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("vqapg.tasks.checkpoint_file.PICKLED", 2**20)
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", bytes(2**20 + 1))
    with open(path, "rb") as file, pytest.raises(InputError, match="its data.pkl is above 1 MiB"):
        check_archive(file)


def test_whatever_is_not_a_file_is_one_line(tmp_path):
    os.mkfifo(tmp_path / "pipe.pt")
    (tmp_path / "zero.pt").symlink_to("/dev/zero")
    (tmp_path / "loop.pt").symlink_to("loop.pt")
    (tmp_path / "folder.pt").mkdir()
    for name in ("pipe.pt", "zero.pt", "loop.pt", "folder.pt", "none.pt"):
        with pytest.raises(InputError, match=f"{name}: (no such checkpoint|is a folder)"):
            read_checkpoint(tmp_path / name)


def test_changed_bytes_never_end_in_a_traceback(whole):
    content = whole.read_bytes()
    chosen = random.Random(0)
    for _ in range(60):
        changed = bytearray(content)
        for place in chosen.sample(range(len(content)), 3):
            changed[place] ^= 1 << chosen.randrange(8)
        whole.write_bytes(changed)
        try:
            read_checkpoint(whole)
        except InputError as error:
            assert "\n" not in str(error)


def test_file_that_gets_the_name_meanwhile_is_not_loaded(whole, tmp_path, monkeypatch):
    """As when training saves a better model: what was checked is loaded, and named."""
    expected = load_generation_model(whole).name
    (tmp_path / "other.pt").write_bytes(b"code")
    check = checkpoint_file.check_archive

    def check_and_replace(file):
        check(file)
        os.replace(tmp_path / "other.pt", whole)

    monkeypatch.setattr(checkpoint_file, "check_archive", check_and_replace)
    assert load_generation_model(whole).name == expected
    assert whole.read_bytes() == b"code"
