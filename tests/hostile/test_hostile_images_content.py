"""Pictures of unusual content have the pixels that a person sees, or are refused by name."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, PngImagePlugin

from vqapg.data import picture_formats, pictures
from vqapg.data.picture_formats import MOST_PIXELS, identify
from vqapg.data.pictures import decode_rgb, open_rgb
from vqapg.errors import InputError

RED, WHITE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 0)
EPS = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n"
    b"(%pipe%touch run) (w) file\n%%EOF\n"
)


def saved(picture, format, **options):
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def pixel(content, at=(0, 0)):
    picture = decode_rgb(io.BytesIO(content))
    assert picture.mode == "RGB"
    return picture.getpixel(at)


def png_header(width, height):
    """A PNG of that size, with no pixels in it."""
    chunks = b"\x89PNG\r\n\x1a\n"
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
    ):
        chunks += (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )
    return chunks


# --- What must not be opened --------------------------------------------------------------------


def test_postscript_named_jpg_starts_no_program(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(EPS)
    with Image.open(path) as picture:
        assert picture.format == "EPS"  # Pillow by itself goes by the content
    monkeypatch.setattr(
        EpsImagePlugin, "Ghostscript", lambda *inputs: pytest.fail("Ghostscript was started")
    )
    with pytest.raises(
        InputError, match=r"a\.jpg: cannot be read as an image \(of no known format\); replace it"
    ):
        open_rgb(path)


def test_a_picture_of_too_many_pixels_is_refused_by_name(tmp_path):
    (tmp_path / "bomb.png").write_bytes(png_header(20_000, 12_501))
    with pytest.raises(InputError, match=r"bomb\.png: .*\(it has more than 250,000,000 pixels\)"):
        open_rgb(tmp_path / "bomb.png")
    (tmp_path / "bomb.png").write_bytes(png_header(2_000_000_000, 2_000_000_000))
    with pytest.raises(InputError, match=r"bomb\.png: .*\(it has more than 250,000,000 pixels\)"):
        open_rgb(tmp_path / "bomb.png")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "size", [(16_320, 12_240), (11_648, 8_736), (63_000, 3_900), (20_000, 12_500)]
)
def test_large_cameras_and_panoramas_are_within_the_bound(size):
    with identify(io.BytesIO(png_header(*size))) as picture:
        assert picture.width * picture.height <= MOST_PIXELS


def test_a_file_of_too_many_bytes_is_refused_by_name(tmp_path):
    with open(tmp_path / "a.tif", "wb") as file:
        file.truncate((1 << 30) + 1)  # takes no room on the disk
    with pytest.raises(
        InputError, match=r"a\.tif: .*\(1,073,741,825 bytes are more than 1,073,741,824\)"
    ):
        open_rgb(tmp_path / "a.tif")


def test_a_picture_without_memory_for_it_is_named(tmp_path, monkeypatch):
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")

    def full(picture):
        raise MemoryError

    monkeypatch.setattr(pictures, "to_rgb", full)
    with pytest.raises(InputError, match=r"a\.png: cannot be read as an image \(MemoryError\)"):
        open_rgb(tmp_path / "a.png")


# --- What is a good picture ---------------------------------------------------------------------


def test_a_png_with_megabytes_of_text_reads():
    text = PngImagePlugin.PngInfo()
    text.add_text("workflow", "x" * 3_000_000, zip=True)
    text.add_itxt("prompt", "y" * 2_000_000)
    for number in range(70):  # beyond the 64 MB that Pillow allows in all
        text.add_text(f"step {number}", "z" * 1_000_000, zip=True)
    assert pixel(saved(Image.new("RGB", (2, 2), RED), "PNG", pnginfo=text)) == RED


@pytest.mark.parametrize(
    ("values", "grey"),
    [
        ([0.0, 0.2, 1.0], [0, 51, 255]),  # 0..1
        ([0.0, 0.0, 0.0], [0, 0, 0]),
        ([0.0, 51.4, 200.0], [0, 51, 200]),  # 0..255
        ([-1.0, 0.0, 1.0], [0, 128, 255]),  # a range of its own: (0 - -1) * 255 / 2 is 127.5
        ([1000.0, 1200.0, 2000.0], [0, 51, 255]),
        ([float("nan"), 0.2, float("inf")], [0, 51, 255]),
        ([float("-inf"), 0.2, 1.0], [0, 51, 255]),
        ([300.0, 300.0, 300.0], [0, 0, 0]),
    ],
)
def test_a_picture_of_floats_is_scaled_by_its_range(values, grey):
    content = saved(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert [pixel(content, (place, 0)) for place in range(3)] == [(value,) * 3 for value in grey]


@pytest.mark.parametrize("kind", ["<u2", "<i4"])
def test_grey_of_16_bits_is_scaled(kind):
    pixels = np.array([[0, 100 * 257, 65535]], kind)
    content = saved(Image.fromarray(pixels), "TIFF")
    assert [pixel(content, (place, 0))[0] for place in range(3)] == [0, 100, 255]


def test_a_cmyk_jpeg_of_photoshop_has_its_colours():
    # Adobe's marker means that the inks are stored inverted. Pillow writes them so.
    content = saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100)
    assert b"Adobe" in content and np.abs(np.subtract(pixel(content), RED)).max() < 4


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_is_seen(format):
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, WHITE, BLACK)]
    options = {"lossless": True} if format == "WEBP" else {}
    assert (
        pixel(saved(frames[0], format, save_all=True, append_images=frames[1:], **options)) == RED
    )


def test_of_a_phones_double_jpeg_the_first_is_seen():
    content = saved(
        Image.new("RGB", (8, 8), WHITE),
        "MPO",
        save_all=True,
        append_images=[Image.new("RGB", (8, 8))],
    )
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == "MPO"
    assert pixel(content) == WHITE


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0no TIFF at all", b"Exif\0\0"]
)
def test_broken_exif_data_leave_the_picture_as_it_is(format, exif):
    options = (
        {"lossless": True} if format == "WEBP" else {"quality": 100} if format == "JPEG" else {}
    )
    content = saved(Image.new("RGB", (8, 4), WHITE), format, exif=exif, **options)
    assert decode_rgb(io.BytesIO(content)).size == (8, 4) and pixel(content) == WHITE


def test_a_picture_is_turned_though_the_rest_of_its_exif_is_broken():
    # Orientation 6 (SHORT), and a rational whose bytes lie far outside.
    entries = struct.pack("<HHHIHH", 2, 0x0112, 3, 1, 6, 0) + struct.pack(
        "<HHII", 0x011A, 5, 1, 1 << 30
    )
    exif = b"Exif\0\0II*\0\x08\0\0\0" + entries + b"\0\0\0\0"
    assert decode_rgb(io.BytesIO(saved(Image.new("RGB", (8, 4)), "JPEG", exif=exif))).size == (4, 8)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert decode_rgb(io.BytesIO(saved(Image.new("RGB", (8, 4)), "JPEG", exif=exif))).size == (8, 4)


@pytest.mark.filterwarnings("error")
def test_blemishes_are_not_told_in_several_lines(capfd):
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHIHH", 9, 0x0112, 3, 1, 1, 0)
    pixel(saved(Image.new("RGB", (8, 4)), "JPEG", exif=exif))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "format", ["AVIF", "BMP", "DIB", "ICO", "JPEG2000", "PCX", "PPM", "QOI", "SGI", "TGA", "TIFF"]
)
def test_rarer_formats_are_read_whatever_the_file_is_called(tmp_path, format):
    (tmp_path / "photo.jpg").write_bytes(saved(Image.new("RGB", (32, 32), RED), format))
    colour = open_rgb(tmp_path / "photo.jpg").getpixel((5, 5))
    assert np.abs(np.subtract(colour, RED)).max() < 4


# --- HEIC ---------------------------------------------------------------------------------------


@pytest.fixture
def heic():
    """A true HEIC picture of a phone that was held upright."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    picture = Image.new("RGB", (64, 32), WHITE)
    picture.paste(RED, (0, 0, 32, 32))
    exif = Image.Exif()
    exif[0x0112] = 6  # what is at the left belongs on top
    content = saved(picture, "HEIF", quality=100, exif=exif.tobytes())
    Image.OPEN.pop("HEIF")
    Image.ID.remove("HEIF")
    return content


def test_heic_is_read_whatever_the_file_is_called(tmp_path, heic):
    for name in ("IMG_1.HEIC", "IMG_1.jpg"):
        (tmp_path / name).write_bytes(heic)
        picture = open_rgb(tmp_path / name)
        assert picture.size == (32, 64)
        assert np.abs(np.subtract(picture.getpixel((16, 10)), RED)).max() < 12
        assert np.abs(np.subtract(picture.getpixel((16, 54)), WHITE)).max() < 12


def test_heic_without_its_package_names_the_package(tmp_path, heic, monkeypatch):
    for module in (picture_formats, pictures):
        monkeypatch.setattr(module, "heic_is_read", lambda: False)
    (tmp_path / "IMG_1.HEIC").write_bytes(heic)
    with pytest.raises(InputError) as error:
        open_rgb(tmp_path / "IMG_1.HEIC")
    assert (
        "IMG_1.HEIC: cannot be read as an image (it is HEIC, which pip install 'vqapg[heif]' reads)"
        in str(error.value)
    )


def test_a_fifo_in_a_pictures_place_is_named(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    for path in (tmp_path / "a.jpg", "/dev/zero", tmp_path):
        with pytest.raises(InputError, match=r"cannot be read \(no ordinary file\); replace it"):
            open_rgb(path)
