"""``vqapg sample`` on folders as phones and downloads leave them: it says what it did not use."""

import io
import json
import os
import tarfile

import pytest
from PIL import Image

from tests.support.tiny_checkpoints import draw_picture, save_checkpoint
from vqapg.cli.main import main
from vqapg.data import picture_formats
from vqapg.sampling import recognise

HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08meta"


@pytest.fixture
def folder(tmp_path, monkeypatch, dictionary):
    monkeypatch.chdir(tmp_path)
    save_checkpoint("model.pt", "vqapg_joint_variational", dictionary)
    (tmp_path / "photos").mkdir()
    return tmp_path


def sample(*images, output="pairs.jsonl", flags=()):
    words = [
        "sample",
        "--checkpoint",
        "model.pt",
        *images,
        "--output",
        output,
        "--weights",
        "none",
        "--num-samples",
        2,
        "--num-workers",
        0,
        "--beam",
        1,
        *flags,
    ]
    return main([str(word) for word in words])


def sampled():
    with open("pairs.jsonl", encoding="utf-8") as file:
        return list(dict.fromkeys(json.loads(line)["image"] for line in file))


def test_the_closing_line_counts_what_was_passed_over_by_reason(folder, monkeypatch, capsys):
    for module in (picture_formats, recognise):
        monkeypatch.setattr(module, "heic_is_read", lambda: False)
    for number, name in enumerate(["IMG_3.JPG", "d.jfif", "f"]):
        draw_picture("a.png", number).save(f"photos/{name}", "JPEG")
    os.rename("a.png", "photos/h.jpg_large")
    for name in ("IMG_1.HEIC", "IMG_2.heic"):
        (folder / "photos" / name).write_bytes(HEIC_HEAD)
    for name in ("notes.txt", "b.eps", "c"):
        (folder / "photos" / name).write_text("%!PS-Adobe-3.0 EPSF-3.0")
    os.mkfifo("photos/pipe.jpg")
    os.symlink(".", "photos/self")
    assert sample("photos", "photos/f") == 0
    assert sampled() == ["photos/IMG_3.JPG", "photos/d.jfif", "photos/f", "photos/h.jpg_large"]
    out = capsys.readouterr().out
    assert (
        out.count("\n") == 1
        and "pairs of 4 images; " in out
        and out.endswith(
            "; passed over: 2 HEIC pictures (pip install 'vqapg[heif]' reads them), "
            "3 files of no format that vqapg reads, 1 FIFO, socket or device, "
            "1 link that leads back to where it came from, 1 image that was found already\n"
        )
    )


def test_joined_shards_give_all_their_pictures(folder):
    contents = []
    for members in (range(4), range(4, 5)):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as shard:
            for number in members:
                draw_picture("a.png", number)
                shard.add("a.png", f"{number}.png")
        contents.append(file.getvalue())
    (folder / "cat.tar").write_bytes(b"".join(contents))
    assert sample("cat.tar") == 0
    assert sampled() == [f"cat.tar/{number}.png" for number in range(5)]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/dev/zero", path)])
def test_a_device_is_one_line_and_exit_status_2(folder, capsys, make):
    make("photos/a.jpg")
    assert sample("photos/a.jpg") == 2
    err = capsys.readouterr().err
    assert err == (
        "vqapg sample: error: photos/a.jpg: is a FIFO, a socket or a device; "
        "name a picture, a folder or a shard\n"
    )


def test_a_heic_picture_gives_pairs_and_a_data_set(folder):
    import pillow_heif

    pillow_heif.from_pillow(Image.new("RGB", (64, 48), "red")).save("photos/IMG_1.HEIC")
    assert sample("photos", flags=["--html", "gallery.html"]) == 0 and sampled() == [
        "photos/IMG_1.HEIC"
    ]
    assert "data:image/jpeg;base64,/9j/" in (folder / "gallery.html").read_text()
    assert sample("photos", output="folder") == 0
    assert (folder / "folder/train/0000001.png").is_file()


def test_postscript_named_jpg_is_refused_by_name(folder, capsys):
    (folder / "photos/a.jpg").write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n"
    )
    assert sample("photos") == 2
    assert (
        "photos/a.jpg: cannot be read as an image (of no known format); replace or remove it"
        in capsys.readouterr().err
    )
