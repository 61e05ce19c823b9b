"""The folder for Hugging Face has an image in every row, whatever the photographs are."""

import io
import os

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from vqapg.export.dataset_pictures import SUFFIX_OF_FORMAT, as_dataset_file
from vqapg.export.outputs import write_records
from vqapg.sampling.images import find_images

RED = (255, 0, 0)
FORMATS = (
    "AVIF",
    "BMP",
    "DIB",
    "GIF",
    "HEIF",
    "ICO",
    "JPEG",
    "JPEG2000",
    "PCX",
    "PNG",
    "PPM",
    "QOI",
    "SGI",
    "TGA",
    "TIFF",
    "WEBP",
)


def content(format):
    if format == "HEIF":
        import pillow_heif

        file = io.BytesIO()
        pillow_heif.from_pillow(Image.new("RGB", (32, 16), RED)).save(file, quality=100)
        return file.getvalue()
    file = io.BytesIO()
    options = {"sizes": [(32, 16)]} if format == "ICO" else {}
    Image.new("RGB", (32, 16), RED).save(file, format, **options)
    return file.getvalue()


def long_text():
    text, file = PngImagePlugin.PngInfo(), io.BytesIO()
    text.add_text("workflow", "x" * 3_000_000, zip=True)
    Image.new("RGB", (32, 16), RED).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def test_load_dataset_opens_every_kind_of_picture(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    (tmp_path / "photos").mkdir()
    for format in FORMATS:
        # The ending of a file may say anything.
        (tmp_path / f"photos/{format}.jpg").write_bytes(content(format))
    (tmp_path / "photos/text.png").write_bytes(long_text())
    images = find_images([tmp_path / "photos"])
    records = [{"image": image.name, "question": "what?", "answer": "red"} for image in images]
    assert write_records(tmp_path / "out", "imagefolder", records, images) == len(FORMATS) + 1
    # As others have them: Pillow by itself
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", 1 << 20)
    monkeypatch.setattr(
        Image, "OPEN", {key: value for key, value in Image.OPEN.items() if key != "HEIF"}
    )
    rows = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))["train"]
    assert [os.path.basename(row["source"]) for row in rows] == sorted(
        [*(f"{name}.jpg" for name in FORMATS), "text.png"]
    )
    for row in rows:
        assert row["image"].size == (32, 16), row["source"]
        assert np.abs(np.subtract(row["image"].convert("RGB").getpixel((9, 9)), RED)).max() < 12, (
            row["source"]
        )


def test_the_endings_written_are_known_to_datasets():
    from datasets.packaged_modules.imagefolder.imagefolder import ImageFolder

    assert set(SUFFIX_OF_FORMAT.values()) <= set(ImageFolder.EXTENSIONS)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_converted_picture_keeps_every_pixel_and_stands_upright(mode):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, len(mode)), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "QOI")
    suffix, converted = as_dataset_file(file.getvalue())
    with Image.open(io.BytesIO(converted)) as picture:
        assert suffix == ".png" and picture.format == "PNG"
        np.testing.assert_array_equal(picture, pixels)
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.new(mode, (32, 16)).save(file, "AVIF", exif=exif)
    with Image.open(io.BytesIO(as_dataset_file(file.getvalue())[1])) as picture:
        assert picture.size == (16, 32) and picture.getexif().get(0x0112, 1) == 1


def test_what_datasets_can_open_is_written_as_it_is():
    for format in ("GIF", "JPEG", "PNG", "TIFF", "WEBP"):
        assert as_dataset_file(content(format)) == (SUFFIX_OF_FORMAT[format], content(format))
