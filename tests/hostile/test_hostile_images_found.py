"""Folders, patterns and names that hide photographs, or that would be read for ever."""

import os
import signal
import socket

import pytest
from PIL import Image, ImageDraw

from vqapg.data import picture_formats
from vqapg.errors import InputError
from vqapg.folders import MARK, new_folder
from vqapg.sampling import recognise
from vqapg.sampling.images import find_images
from vqapg.sampling.passed_over import Reason, describe


@pytest.fixture(autouse=True)
def no_hang():
    """What would wait for ever fails instead."""
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("waits for ever"))
    signal.alarm(20)
    yield
    signal.alarm(0)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """An empty folder photos/ in the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


def draw(path, number=0, format="JPEG"):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (16, 12), (number, 90, 200))
    ImageDraw.Draw(picture).line((0, 0, 15, 11))
    picture.save(path, format)


def found(*arguments):
    """The names, and how many were passed over for each reason."""
    images = find_images(arguments)
    return [image.name for image in images], {
        reason.name: count for reason, count in images.passed_over.items() if count
    }


HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08meta"


def fill_as_a_phone(photos):
    for number, name in enumerate(["IMG_3.JPG", "d.jfif", "e.jpe", "f", "h.jpg_large"]):
        draw(photos / name, number)
    draw(photos / "g.tga", 7, "TGA")
    (photos / "IMG_1.HEIC").write_bytes(HEIC_HEAD)
    (photos / "IMG_2.heic").write_bytes(HEIC_HEAD)


PHONE = [f"photos/{name}" for name in ("IMG_3.JPG", "d.jfif", "e.jpe", "f", "g.tga", "h.jpg_large")]


def test_a_phones_folder_gives_every_photograph(photos, monkeypatch):
    fill_as_a_phone(photos)
    for module in (picture_formats, recognise):
        monkeypatch.setattr(module, "heic_is_read", lambda: False)
    images = find_images(["photos"])
    assert [image.name for image in images] == PHONE
    assert (
        describe(images.passed_over)
        == "passed over: 2 HEIC pictures (pip install 'vqapg[heif]' reads them)"
    )
    assert {image.open()[0].size for image in images} == {(16, 12)}


def test_a_phones_folder_with_the_package_that_reads_heic(photos):
    fill_as_a_phone(photos)
    (photos / "IMG_2.heic").write_bytes(HEIC_HEAD[:-8] + bytes(500))  # never filled
    names, passed_over = found("photos")
    assert names == ["photos/IMG_1.HEIC", *PHONE] and passed_over == {"DAMAGED_HEIC": 1}


def test_a_true_heic_is_an_image(photos):
    import pillow_heif

    pillow_heif.from_pillow(Image.new("RGB", (64, 48), "red")).save(photos / "IMG.heic")
    draw(photos / "renamed.heic")
    images = find_images(["photos"])
    assert [image.open()[0].size for image in images] == [
        (64, 48),
        (16, 12),
    ] and not images.passed_over


def test_the_header_tells_where_the_ending_does_not(photos):
    for number, name in enumerate(["IMG_1.jpg?width=9", "photo.2019", "B.PNG~", "noending"]):
        draw(photos / name, number, "PNG")
    for name, content in {
        "notes.txt": b"P4 is what BMW makes",
        "a.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
        "index.bin": bytes(64),
        "empty": b"",
        "font.ttf": b"\0\1\0\0\0\x11\1\0\0\4\0\x10" + bytes(40),
    }.items():
        (photos / name).write_bytes(content)
    names, passed_over = found("photos")
    assert names == [
        f"photos/{name}" for name in ("B.PNG~", "IMG_1.jpg?width=9", "noending", "photo.2019")
    ]
    assert passed_over == {"NO_PICTURE": 5}


def test_a_targa_is_known_by_its_ending_or_its_signature(photos):
    draw(photos / "a.TGA", 1, "TGA")
    draw(photos / "b", 2, "TGA")
    content = (photos / "b").read_bytes()
    (photos / "c").write_bytes(content[: -len(picture_formats.TGA_SIGNATURE)])
    assert content.endswith(picture_formats.TGA_SIGNATURE)
    assert found("photos") == (["photos/a.TGA", "photos/b"], {"NO_PICTURE": 1})


def test_folders_behind_links_are_followed_once(photos, tmp_path):
    draw(tmp_path / "elsewhere/x.jpg", 1)
    draw(photos / "true/y.jpg", 2)
    os.symlink(tmp_path / "elsewhere", photos / "a")
    os.symlink(tmp_path / "elsewhere", photos / "b")
    os.symlink("true", photos / "c")  # named before what it leads to, read after it
    assert found("photos") == (["photos/a/x.jpg", "photos/true/y.jpg"], {"FOLDER_AGAIN": 2})


def test_links_back_end_and_are_counted(photos):
    draw(photos / "sub/x.jpg")
    os.symlink(".", photos / "self")
    os.symlink("..", photos / "sub/up")
    os.symlink("/", photos / "sub/root")
    os.symlink("loop.jpg", photos / "loop.jpg")
    assert found("photos") == (["photos/sub/x.jpg"], {"LOOP": 4})


@pytest.mark.parametrize(
    "pattern", ["photos/**", "photos/**/*.jpg", "**/*.jpg", "**/sub", "ph*/**/sub/**/x.*"]
)
def test_patterns_over_links_that_lead_back_end(photos, pattern):
    draw(photos / "sub/x.jpg")
    for name in ("one", "two", "three"):
        os.symlink(".", photos / name)
    assert found(pattern) == (["photos/sub/x.jpg"], {"LOOP": 3})


def test_a_pattern_of_two_stars_names_what_glob_would(photos):
    for name in ("a.jpg", "s/b.jpg", "s/t/c.jpg", "s/t/d.png", ".h/e.jpg"):
        draw(photos / name, len(name))
    assert found("photos/**/*.jpg")[0] == ["photos/a.jpg", "photos/s/b.jpg", "photos/s/t/c.jpg"]
    assert found("photos/s/**")[0] == ["photos/s/b.jpg", "photos/s/t/c.jpg", "photos/s/t/d.png"]
    assert found("photos/**/t/*.png") == (["photos/s/t/d.png"], {})
    with pytest.raises(InputError, match=r"\*\*/\*\.gif: no file matches this pattern"):
        find_images(["photos/**/*.gif"])


@pytest.fixture
def special(photos):
    """What is no ordinary file, under the names of pictures."""
    os.mkfifo(photos / "fifo.jpg")
    os.symlink("/dev/zero", photos / "zero.png")
    os.symlink("fifo.jpg", photos / "link")
    server = socket.socket(socket.AF_UNIX)
    server.bind("photos/socket.jpg")
    yield ["fifo.jpg", "zero.png", "link", "socket.jpg"]
    server.close()


@pytest.mark.parametrize("argument", ["photos", "photos/*", "photos/**"])
def test_what_is_no_file_is_passed_over(photos, special, argument):
    draw(photos / "x.jpg")
    assert found(argument) == (["photos/x.jpg"], {"SPECIAL": 4})


def test_what_is_no_file_but_named_is_one_line(photos, special):
    for name in special:
        with pytest.raises(
            InputError, match=f"photos/{name}: is a FIFO, a socket or a device; name a picture"
        ):
            find_images([f"photos/{name}"])
    os.symlink("loop", photos / "loop")
    with pytest.raises(
        InputError, match=r"photos/loop: cannot be read \(Too many levels of symbolic links\)"
    ):
        find_images(["photos/loop"])


def test_a_file_that_vanishes_or_becomes_a_fifo_is_one_line(photos):
    draw(photos / "x.jpg")
    draw(photos / "y.jpg", 1)
    first, second = find_images(["photos"])
    (photos / "x.jpg").unlink()
    (photos / "y.jpg").unlink()
    os.mkfifo(photos / "y.jpg")
    with pytest.raises(
        InputError,
        match=r"photos/x\.jpg: cannot be read \(No such file or directory\); put it back",
    ):
        first.open()
    with pytest.raises(InputError, match=r"photos/y\.jpg: cannot be read \(no ordinary file\)"):
        second.open()


def test_folders_and_files_without_permission_are_counted(photos, monkeypatch):
    draw(photos / "x.jpg")
    draw(photos / "locked/y.jpg")
    (photos / "secret").write_bytes(b"x")
    scandir = os.scandir

    def refuse(path):  # as for anybody but root
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr("vqapg.sampling.images.open_ordinary", lambda path: refuse("locked"))
    assert found("photos") == (["photos/x.jpg"], {"UNREADABLE_FOLDER": 1, "UNREADABLE_FILE": 1})
    with pytest.raises(InputError, match=r"photos/locked: cannot be read \(Permission denied\)"):
        find_images(["photos/locked"])


def test_hidden_files_and_archives_in_folders_are_counted(photos):
    draw(photos / "x.jpg")
    draw(photos / ".y.jpg")
    draw(photos / ".cache/z.jpg")
    (photos / "s.tar").write_bytes(bytes(1024))
    assert found("photos") == (["photos/x.jpg"], {"HIDDEN": 2, "ARCHIVE": 1})


def test_an_image_under_two_names_is_taken_once(photos):
    draw(photos / "x.jpg")
    os.symlink("x.jpg", photos / "again.jpg")
    (photos / "copy.jpg").write_bytes((photos / "x.jpg").read_bytes())
    names, passed_over = found("photos/x.jpg", "photos", str(photos / "x.jpg"))
    # A copy is an image of its own. x.jpg came four times: named, in the folder, through the link,
    # and by its whole path.
    assert names == ["photos/x.jpg", "photos/copy.jpg"] and passed_over == {"IMAGE_AGAIN": 3}


def test_no_image_at_all_says_what_was_passed_over(photos):
    (photos / "a.txt").write_text("x")
    os.mkfifo(photos / "b.jpg")
    with pytest.raises(InputError) as error:
        find_images(["photos"])
    assert str(error.value) == (
        "photos: no image in it (passed over: 1 file of no format that vqapg reads, "
        "1 FIFO, socket or device); name files, folders or .tar shards with images"
    )


def test_one_and_many_are_told_apart():
    assert describe(dict.fromkeys(Reason, 0)) == ""
    for reason in Reason:
        counts = dict.fromkeys(Reason, 0)
        assert describe(counts | {reason: 1}) == f"passed over: 1 {reason.value[0]}"
        assert describe(counts | {reason: 2000}) == f"passed over: 2,000 {reason.value[1]}"


def test_export_among_the_photographs_is_not_read_again(photos):
    """Ours is one, with its train/ below; a stranger's file under the mark's name is no mark."""
    draw(photos / "a.jpg", 1)
    with new_folder(photos / "export") as partial:
        draw(partial / "train/0000001.jpg", 1)
    draw(photos / "foreign/b.jpg", 2)
    (photos / "foreign" / MARK).write_text("{}")
    (photos / "link").symlink_to("export")
    expected = ["photos/a.jpg", "photos/foreign/b.jpg"]
    assert found("photos") == (expected, {"HIDDEN": 1, "OUR_FOLDER": 1, "FOLDER_AGAIN": 1})
    assert found("photos/[aef]*") == (expected, {"HIDDEN": 1, "OUR_FOLDER": 1})
    assert found("photos/**/*.jpg")[0] == expected
    assert found("photos/export")[0] == ["photos/export/train/0000001.jpg"]
