import pytest
from PIL import Image

from vqapg.data.picture_folder import PictureFolder
from vqapg.errors import InputError


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """The folder photos/ of the current one: a.png, and b.png in a folder of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos/of me").mkdir(parents=True)
    Image.new("RGB", (4, 3), "red").save(tmp_path / "photos/a.png")
    Image.new("L", (4, 3), 255).save(tmp_path / "photos/of me/b.png")
    Image.new("RGB", (4, 3)).save(tmp_path / "secret.png")
    return tmp_path / "photos"


@pytest.mark.parametrize("given", ["photos", "./photos/", "photos/../photos", None])
def test_pictures_are_named_by_their_path_in_the_folder(photos, given):
    folder = PictureFolder(given or photos)
    for image in ("a.png", "./a.png", "of me/../a.png", "photos/a.png", str(photos / "a.png")):
        assert folder.name_of(image) == "a.png"
    assert folder.name_of("of me/b.png") == folder.name_of("photos/of me/b.png") == "of me/b.png"


def test_the_path_in_the_folder_goes_before_the_other(photos):
    (photos / "photos").mkdir()
    Image.new("RGB", (1, 1)).save(photos / "photos/a.png")
    assert PictureFolder("photos").name_of("photos/a.png") == "photos/a.png"


@pytest.mark.parametrize(
    "image", ["", ".", "of me", "c.png", "../secret.png", "of me/../../secret.png", "/dev/zero"]
)
def test_no_name_leads_to_a_folder_or_out_of_it(photos, image):
    assert PictureFolder("photos").name_of(image) is None


@pytest.mark.parametrize("image", ["a\0.png", "\ud800.png", "x" * 5000])
def test_a_name_that_no_file_can_have_names_nothing(photos, image):
    assert PictureFolder("photos").name_of(image) is None


def test_a_folder_beside_with_a_longer_name_is_another(photos, tmp_path):
    (tmp_path / "photos2").mkdir()
    Image.new("RGB", (1, 1)).save(tmp_path / "photos2/a.png")
    assert PictureFolder("photos").name_of("photos2/a.png") is None
    assert PictureFolder("photos").name_of("../photos2/a.png") is None


def test_pictures_are_opened_in_rgb(photos):
    picture = PictureFolder("photos").open("of me/b.png")
    assert (picture.mode, picture.getpixel((0, 0))) == ("RGB", (255, 255, 255))


def test_what_is_no_picture_is_one_line_that_names_it(photos):
    (photos / "note.txt").write_text("no picture")
    folder = PictureFolder("photos")
    assert folder.name_of("note.txt") == "note.txt"
    with pytest.raises(InputError, match=r"^photos/note.txt: cannot be read as an image \(of no"):
        folder.open("note.txt")


def test_a_missing_folder_is_one_line(photos):
    with pytest.raises(InputError, match="^--images photos/a.png: there is no such folder; give"):
        PictureFolder("photos/a.png")
