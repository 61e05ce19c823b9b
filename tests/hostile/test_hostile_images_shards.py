"""Tar archives that are joined, repeated, damaged, or made to be read for ever."""

import io
import os
import signal
import tarfile

import pytest
from PIL import Image

from vqapg.errors import InputError
from vqapg.sampling import shards
from vqapg.sampling.images import find_images


@pytest.fixture(autouse=True)
def no_hang(tmp_path, monkeypatch):
    """In a folder of its own; what would wait for ever fails instead."""
    monkeypatch.chdir(tmp_path)
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("waits for ever"))
    signal.alarm(20)
    yield
    signal.alarm(0)


def picture(number):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (number, 0, 0)).save(file, "PNG")
    return file.getvalue()


def archive(*members, format=tarfile.PAX_FORMAT):
    """The bytes of an archive of *members*: (name, content), or a TarInfo."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format) as shard:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                shard.addfile(member)
                continue
            name, content = member
            info = tarfile.TarInfo(name)
            info.size = len(content)
            shard.addfile(info, io.BytesIO(content))
    return file.getvalue()


def found(content):
    with open("s.tar", "wb") as file:
        file.write(content)
    images = find_images(["s.tar"])
    colours = {
        image.name.removeprefix("s.tar/"): image.open()[0].getpixel((0, 0))[0] for image in images
    }
    return colours, {reason.name: count for reason, count in images.passed_over.items() if count}


FOUR = [(f"{number}.jpg", picture(number)) for number in range(4)]


def test_joined_archives_are_read_to_the_end():
    first, second = archive(*FOUR), archive(("sub/x.png", picture(9)))
    assert found(first + second) == (
        {"0.jpg": 0, "1.jpg": 1, "2.jpg": 2, "3.jpg": 3, "sub/x.png": 9},
        {},
    )
    colours, passed_over = found(first + bytes(1 << 20) + second + second)
    assert len(colours) == 5 and passed_over == {"REPLACED": 1}


def test_joined_archives_without_padding_are_read_to_the_end():
    parts = []
    for members in (FOUR, [("x.png", picture(9))]):
        size = sum(
            tarfile.BLOCKSIZE * (1 + -(-len(content) // tarfile.BLOCKSIZE))
            for _, content in members
        )
        parts.append(archive(*members, format=tarfile.USTAR_FORMAT)[: size + 2 * tarfile.BLOCKSIZE])
    assert len(found(b"".join(parts))[0]) == 5


def test_something_else_behind_the_end_is_counted():
    assert found(archive(*FOUR) + b"signature" * 100) == (
        {f"{n}.jpg": n for n in range(4)},
        {"BEHIND": 1},
    )


def test_the_second_archive_is_told_when_it_is_cut():
    with pytest.raises(InputError, match=r"s\.tar: not a whole tar file .*its end is missing"):
        found(archive(*FOUR) + archive(*FOUR)[:1200])


def test_of_members_of_one_name_the_last_counts():
    members = [
        ("a.jpg", picture(1)),
        ("b.jpg", picture(2)),
        ("./a.jpg", picture(3)),
        ("a.jpg", picture(4)),
    ]
    assert found(archive(*members)) == ({"b.jpg": 2, "a.jpg": 4}, {"REPLACED": 2})
    assert found(archive(*members[:2]) + archive(members[3])) == (
        {"b.jpg": 2, "a.jpg": 4},
        {"REPLACED": 1},
    )


def test_members_are_told_by_their_content_too():
    link, pipe = tarfile.TarInfo("link.jpg"), tarfile.TarInfo("pipe.jpg")
    link.type, link.linkname, pipe.type = tarfile.SYMTYPE, "a", tarfile.FIFOTYPE
    members = [
        ("a", picture(1)),
        ("a.json", b"{}"),
        ("._a.jpg", b"x"),
        ("c.TIFF", picture(2)),
        link,
        pipe,
    ]
    assert found(archive(*members)) == (
        {"a": 1, "c.TIFF": 2},
        {"NO_PICTURE": 1, "HIDDEN": 1, "NO_FILE": 2},
    )


def test_a_member_of_negative_size_is_refused():
    content = bytearray(archive(*FOUR, format=tarfile.GNU_FORMAT))
    header = tarfile.TarInfo("evil.jpg")
    header.size = -512  # the next header is this one again
    block = header.tobuf(tarfile.GNU_FORMAT)
    place = content.index(b"2.jpg")
    content[place : place + tarfile.BLOCKSIZE] = block
    with pytest.raises(InputError, match=r"s\.tar: not a whole tar file"):
        found(bytes(content))


def test_too_many_members_are_refused(monkeypatch):
    monkeypatch.setattr(shards, "MOST_MEMBERS", 3)
    with pytest.raises(InputError, match=r"s\.tar: has more than 3 members; split it into shards"):
        found(archive(*FOUR))
    assert len(found(archive(*FOUR[:3]))[0]) == 3


def test_a_member_of_too_many_bytes_is_refused_by_name():
    header = tarfile.TarInfo("large.jpg")
    header.size = (1 << 30) + 512
    with open("s.tar", "wb") as file:
        file.write(header.tobuf())
        file.truncate(
            file.tell() + header.size + 2 * tarfile.BLOCKSIZE
        )  # takes no room on the disk
    (image,) = find_images(["s.tar"])
    with pytest.raises(
        InputError,
        match=r"s\.tar/large\.jpg: .*\(1,073,742,336 bytes are more than 1,073,741,824\)",
    ):
        image.read()


def test_zeros_without_end_are_not_read():
    with open("s.tar", "wb") as file:
        file.write(archive(*FOUR))
        file.truncate(1 << 40)  # takes no room on the disk
    assert len(find_images(["s.tar"])) == 4


def test_a_fifo_named_as_an_archive_is_one_line():
    os.mkfifo("s.tar")
    with pytest.raises(InputError, match=r"s\.tar: is a FIFO, a socket or a device"):
        find_images(["s.tar"])


def test_every_flipped_byte_of_a_header_is_one_line_or_read():
    content = archive(*FOUR[:2], format=tarfile.GNU_FORMAT)
    for place in [*range(0, 512, 17), *range(1024, 1536, 29)]:
        for value in (0, 0x80, 0xFF):
            broken = bytearray(content)
            broken[place] = value
            with open("s.tar", "wb") as file:
                file.write(broken)
            try:
                find_images(["s.tar"])
            except InputError as error:
                assert "\n" not in str(error)
