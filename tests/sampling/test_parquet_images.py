"""Images in Parquet files, and files that lie at an address."""

import io
import tarfile

import pyarrow
import pyarrow.parquet
import pytest
from pyarrow import fs

from tests.support.tiny_checkpoints import draw_pictures
from vqapg.data import remote_files
from vqapg.data.input_image import InputImage
from vqapg.errors import InputError
from vqapg.sampling.images import find_images
from vqapg.sampling.parts_folder import PartsFolder
from vqapg.sampling.passed_over import Reason


@pytest.fixture
def photos(tmp_path):
    draw_pictures(tmp_path / "photos", 5)
    return [(tmp_path / f"photos/{number}.png").read_bytes() for number in range(5)]


def write(path, **columns):
    pyarrow.parquet.write_table(pyarrow.table(columns), path, row_group_size=2)
    return str(path)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_rows_are_images_with_the_bytes_and_names_of_the_table(tmp_path, photos, scheme):
    path = scheme + write(tmp_path / "t.parquet", key=[7, 8, 9, 1, 2], picture=photos)
    images = find_images([path])
    assert [image.name for image in images] == [f"{path}/{name}" for name in (7, 8, 9, 1, 2)]
    # In any order, over the ends of row groups
    for number in (4, 0, 3, 1, 2, 2):
        assert images[number].read() == photos[number]
        alone = InputImage("x", str(tmp_path / f"photos/{number}.png"))
        assert images[number].number() == alone.number()


def test_column_that_datasets_writes_is_read(tmp_path, photos):
    pictures = [{"bytes": content, "path": "x.png"} for content in photos]
    path = write(tmp_path / "t.parquet", image=pictures, other=[b"x"] * 5)
    images = find_images([path])
    assert [image.name for image in images] == [f"{path}/{row}" for row in range(5)]
    assert [image.read() for image in images] == photos


def test_null_and_damaged_rows_are_told_by_name(tmp_path, photos):
    path = write(tmp_path / "t.parquet", image=[photos[0], None, b"no image"])
    good, *bad = find_images([path])
    assert good.open()[0].size == (90, 60)
    for row, image in enumerate(bad, start=1):
        with pytest.raises(InputError, match=f"t.parquet/{row}: cannot be read as an image"):
            image.open()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": ["a.png"]}, "has no column that holds the bytes of pictures (it has image)"),
        ({"a": [b"x"], "b": [b"x"]}, "has several columns of bytes (a, b); call the column of"),
        ({"image": [b"x", b"y"], "id": ["k", "k"]}, "rows 0 and 1 have one id, k; give every"),
    ],
)
def test_table_without_one_picture_a_row_is_refused(tmp_path, columns, message):
    path = write(tmp_path / "t.parquet", **columns)
    with pytest.raises(InputError) as error:
        find_images([path])
    assert str(error.value).startswith(f"{path}: {message}")


def test_file_that_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"x")
    with pytest.raises(InputError, match=r"t\.parquet: cannot be read as Parquet"):
        find_images([tmp_path / "t.parquet"])


def test_address_gives_what_the_path_gives(tmp_path, photos):
    (tmp_path / "photos/deep").mkdir()
    (tmp_path / "photos/deep/no ending").write_bytes(photos[0])
    (tmp_path / "photos/text.txt").write_text("text")
    (tmp_path / "photos/.hidden.png").write_bytes(photos[0])
    write(tmp_path / "photos/t.parquet", image=photos)
    with tarfile.open(tmp_path / "s.tar", "w") as shard:
        member = tarfile.TarInfo("a.png")
        member.size = len(photos[1])
        shard.addfile(member, io.BytesIO(photos[1]))
    near = find_images([tmp_path / "photos", tmp_path / "s.tar"])
    far = find_images([f"file://{tmp_path}/photos/", f"file://{tmp_path}/s.tar"])
    assert [image.name for image in far] == [f"file://{image.name}" for image in near]
    assert [image.read() for image in far] == [image.read() for image in near]
    assert far.passed_over == near.passed_over and far.passed_over[Reason.TABLE] == 1


def test_pattern_of_an_address_names_files(tmp_path, photos):
    found = find_images([f"file://{tmp_path}/ph*/[13].png"])
    assert [image.name for image in found] == [
        f"file://{tmp_path}/photos/{number}.png" for number in (1, 3)
    ]
    write(tmp_path / "a.parquet", image=photos[:1])
    write(tmp_path / "b.parquet", image=photos[1:2])
    found = find_images([f"file://{tmp_path}/*.parquet"])
    assert [image.read() for image in found] == photos[:2]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("file:///none/photos", "file:///none/photos: no such file or folder; give one"),
        ("file:///none/*.png", "no file matches this pattern"),
        ("gopher://host/photos", "gopher://host: cannot be reached"),
    ],
)
def test_address_that_leads_nowhere_is_refused(address, message):
    with pytest.raises(InputError) as error:
        find_images([address])
    assert message in str(error.value) and "\n" not in str(error.value)


def test_file_that_is_gone_is_told_by_name(tmp_path, photos):
    (image, *_) = find_images([f"file://{tmp_path}/photos"])
    (tmp_path / "photos/0.png").unlink()
    with pytest.raises(InputError, match=r"photos/0\.png: cannot be read \("):
        image.read()


def test_object_store_is_read_and_written_as_pyarrow_does(tmp_path, photos, monkeypatch):
    # Stands in for a bucket, which is the folder photos.
    store = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    asked = []

    def connect(scheme, bucket, options, process):
        asked.append((scheme, bucket, options))
        return store

    monkeypatch.setattr(remote_files, "_connect", connect)
    found = find_images(["s3://photos?region=eu"])
    assert [image.name for image in found] == [
        f"s3://photos/{number}.png?region=eu" for number in range(5)
    ]
    assert [image.read() for image in found] == photos
    (tmp_path / "photos/p.jsonl/_vqapg").mkdir(parents=True)
    folder = PartsFolder("s3://photos/p.jsonl?region=eu", 1)
    folder.begin({"journal": "vqapg sample 3"}, overwrite=False)
    folder.write_part(0, [{"image": "a"}], {"pairs": 1}, ("image",))
    assert folder.finished() == {0: {"pairs": 1}}
    assert (tmp_path / "photos/p.jsonl/part-00000-of-00001.jsonl").read_text() == (
        '{"image": "a"}\n'
    )
    assert set(asked) == {("s3", "photos", "region=eu")}
