import io
import tarfile
from itertools import chain

import pytest
from PIL import Image

from tests.support.tiny_checkpoints import draw_picture, draw_pictures
from vqapg.data.given_image import open_given
from vqapg.data.input_image import InputImage, image_number
from vqapg.errors import InputError
from vqapg.sampling.images import find_images, part_of


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return draw_pictures(tmp_path / "photos", 3)


def names(*arguments):
    return [image.name for image in find_images(arguments)]


def write_shard(path, mode="w"):
    """A shard as WebDataset makes them: members of an example share a key."""
    contents = {}
    with tarfile.open(path, mode) as shard:
        for number, name in enumerate(["b.jpg", "b.json", "a.input.PNG", "._b.jpg"]):
            file = io.BytesIO()
            Image.new("RGB", (8, 8), (number, 0, 0)).save(file, "PNG")
            contents[name] = b"{}" if name.endswith(".json") else file.getvalue()
            member = tarfile.TarInfo(name)
            member.size = len(contents[name])
            shard.addfile(member, io.BytesIO(contents[name]))
    return contents


def test_a_folder_gives_its_images_by_name_and_nothing_hidden(photos):
    (photos / "more").mkdir()
    (photos / ".cache").mkdir()
    for name in ("more/z.JPG", ".cache/a.png", ".b.png", "notes.txt", "labels.json"):
        (photos / name).write_bytes(b"x")
    assert names("photos") == ["photos/0.png", "photos/1.png", "photos/2.png", "photos/more/z.JPG"]


def test_files_patterns_and_folders_each_image_once_in_the_order_given(photos):
    (photos / "0.bin").write_bytes(b"x")
    assert names("photos/2.png", "photos/0.bin") == ["photos/2.png", "photos/0.bin"]
    assert names("photos/[12].png", "photos") == ["photos/1.png", "photos/2.png", "photos/0.png"]
    (photos / "a").mkdir()
    draw_picture(photos / "a/3.png", 3)
    assert names("**/a") == ["photos/a/3.png"]


def test_a_file_whose_name_is_a_pattern_is_that_file(photos):
    draw_picture(photos / "[1].png", 7)
    assert names("photos/[1].png") == ["photos/[1].png"]


def test_the_members_of_a_shard_as_they_lie_in_it(photos):
    contents = write_shard("s.tar")
    images = find_images(["s.tar"])
    assert [image.name for image in images] == ["s.tar/b.jpg", "s.tar/a.input.PNG"]
    assert [image.read() for image in images] == [contents["b.jpg"], contents["a.input.PNG"]]
    picture, number = images[1].open()
    assert picture.getpixel((0, 0)) == (2, 0, 0) and number == image_number(contents["a.input.PNG"])


def test_the_number_is_of_the_content_whatever_the_name(photos):
    (photos / "copy.png").write_bytes((photos / "1.png").read_bytes())
    numbers = {image.name: image.open()[1] for image in find_images(["photos"])}
    assert numbers["photos/copy.png"] == numbers["photos/1.png"]
    assert len(set(numbers.values())) == 3 and all(
        0 <= number < 2**63 for number in numbers.values()
    )


def test_a_pil_image_has_a_number_of_its_pixels():
    picture, other = Image.new("RGB", (4, 2)), Image.new("RGB", (2, 4))
    assert open_given(picture)[1] == open_given(picture.copy())[1] != open_given(other)[1]
    clear = Image.new("RGBA", (4, 2), (0, 0, 0, 0))
    assert open_given(clear)[0].getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.png"], "none.png: no such file or folder"),
        (["photos", "none/*.png"], "none/*.png: no file matches"),
        (
            ["https://a.org/1.png"],
            "https://a.org/1.png: vqapg reads nothing from the web; download",
        ),
        (["empty"], "empty: no image in it"),
        (["packed.tar"], "packed.tar: not a whole tar file without compression"),
        (["text.tar"], "text.tar: not a whole tar file"),
        (["cut.tar"], "cut.tar: not a whole tar file"),
    ],
)
def test_what_names_no_image_is_an_error(photos, tmp_path, arguments, message):
    (tmp_path / "empty").mkdir()
    write_shard("packed.tar", "w:gz")
    (tmp_path / "text.tar").write_text("text")
    write_shard("s.tar")
    (tmp_path / "cut.tar").write_bytes((tmp_path / "s.tar").read_bytes()[:1500])
    with pytest.raises(InputError, match=message.replace("*", r"\*")) as error:
        find_images(arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"text", "cut"])
def test_a_damaged_image_is_named_in_one_line(photos, content):
    path = photos / "0.png"
    path.write_bytes(path.read_bytes()[:100] if content == "cut" else content)
    with pytest.raises(InputError) as error:
        InputImage("photos/0.png", str(path)).open()
    assert str(error.value).startswith("photos/0.png: cannot be read as an image (")
    assert "\n" not in str(error.value) and "BytesIO" not in str(error.value)


def test_parts_make_up_the_whole():
    images = list(range(7))
    assert list(chain.from_iterable(part_of(images, number, 3) for number in (1, 2, 3))) == images
    with pytest.raises(InputError, match="--shard 1/8: there are only 7 images"):
        part_of(images, 1, 8)
