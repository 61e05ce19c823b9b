import numpy as np
import pytest
from PIL import Image

from vqapg.data.pictures import open_rgb
from vqapg.errors import InputError

RED, WHITE = (255, 0, 0), (255, 255, 255)


def _colours(path):
    """The colours at the corners: top left, top right, bottom left, bottom right."""
    picture = open_rgb(path)
    assert picture.mode == "RGB"
    right, bottom = picture.width - 1, picture.height - 1
    return [picture.getpixel(at) for at in ((0, 0), (right, 0), (0, bottom), (right, bottom))]


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
        (4, Image.Transpose.FLIP_TOP_BOTTOM),
        (3, Image.Transpose.ROTATE_180),
        (5, Image.Transpose.TRANSPOSE),
        (7, Image.Transpose.TRANSVERSE),
        (6, Image.Transpose.ROTATE_270),
        (8, Image.Transpose.ROTATE_90),
    ],
)
def test_each_pixel_where_a_person_sees_it(tmp_path, orientation, turned):
    pixels = Image.fromarray(np.random.default_rng(0).integers(0, 255, (5, 7, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(open_rgb(tmp_path / "a.png"), pixels.transpose(turned))


def _half_red(mode="RGB"):
    """Left half red, right half white, 16x8."""
    picture = Image.new("RGB", (16, 8), WHITE)
    picture.paste(RED, (0, 0, 8, 8))
    return picture.convert(mode)


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, WHITE, RED, WHITE]),
        (2, [WHITE, RED, WHITE, RED]),
        (3, [WHITE, RED, WHITE, RED]),
        (4, [RED, WHITE, RED, WHITE]),
        (5, [RED, RED, WHITE, WHITE]),
        (6, [RED, RED, WHITE, WHITE]),
        (7, [WHITE, WHITE, RED, RED]),
        (8, [WHITE, WHITE, RED, RED]),
    ],
)
def test_upright_as_the_camera_was_held(tmp_path, orientation, expected):
    exif = Image.Exif()
    exif[0x0112] = orientation
    _half_red().save(tmp_path / "a.png", exif=exif)
    assert _colours(tmp_path / "a.png") == expected


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_opaque_modes(tmp_path, mode):
    _half_red(mode).save(tmp_path / "a.png")
    assert _colours(tmp_path / "a.png") == [RED, WHITE, RED, WHITE]


def test_cmyk_jpeg(tmp_path):
    _half_red("CMYK").save(tmp_path / "a.jpg", quality=95)
    colours = np.array(_colours(tmp_path / "a.jpg"), dtype=int)
    assert np.abs(colours - np.array([RED, WHITE, RED, WHITE])).max() <= 6


def test_grey(tmp_path):
    Image.new("L", (4, 4), 100).save(tmp_path / "a.png")
    assert _colours(tmp_path / "a.png") == [(100, 100, 100)] * 4
    Image.fromarray(np.full((4, 4), 100 * 257, np.uint16)).save(tmp_path / "b.png")
    assert _colours(tmp_path / "b.png") == [(100, 100, 100)] * 4
    Image.new("1", (4, 4), 1).save(tmp_path / "c.png")
    assert _colours(tmp_path / "c.png") == [WHITE] * 4


def test_transparent_is_white(tmp_path):
    picture = Image.new("RGBA", (4, 4), (0, 0, 255, 0))
    picture.putpixel((0, 0), (0, 0, 0, 255))
    picture.putpixel((3, 0), (0, 0, 0, 127))
    picture.save(tmp_path / "a.png")
    assert _colours(tmp_path / "a.png") == [(0, 0, 0), (128, 128, 128), WHITE, WHITE]
    Image.new("LA", (4, 4), (0, 0)).save(tmp_path / "b.png")
    assert _colours(tmp_path / "b.png") == [WHITE] * 4


def test_transparent_palette_colour_is_white(tmp_path):
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([0, 0, 255, 255, 0, 0])
    picture.putpixel((0, 0), 1)
    picture.save(tmp_path / "a.png", transparency=0)
    assert _colours(tmp_path / "a.png") == [RED, WHITE, WHITE, WHITE]


def test_unreadable_files_are_named(tmp_path):
    path = tmp_path / "a.jpg"
    with pytest.raises(InputError, match=r"a\.jpg: no such image file; .*delete its pairs"):
        open_rgb(path)
    path.write_text("no image")
    with pytest.raises(InputError, match=r"a\.jpg: cannot be read as an image"):
        open_rgb(path)
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    for extension in ("jpg", "png"):
        path = tmp_path / f"cut.{extension}"
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(InputError, match=rf"cut\.{extension}: cannot be read as an image"):
            open_rgb(path)
