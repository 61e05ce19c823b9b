"""The folder in VQA v2.0's layout is read back by ``vqapg prepare --dataset vqa2``."""

import json

import pytest
from PIL import Image

from tests.support.handwritten_data import write_data
from tests.support.tiny_checkpoints import draw_pictures
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.data.pictures import open_rgb
from vqapg.errors import InputError
from vqapg.export.outputs import write_records
from vqapg.sampling.images import find_images

TEXTS = [("what 's this ?", "a cat"), ("how many ?", "two"), ("why ?", "?"), ("où ?", "là")]


def prepare(source, dest, *more):
    words = ["prepare", "--dataset", "vqa2", "--source", source, "--dest", dest, *more]
    assert main([str(word) for word in words]) == 0
    return DataDirectory(dest)


def content_of(data, *splits):
    """Each pair with the pixels of its picture."""
    return sorted(
        (open_rgb(data.image_path(pair.image)).tobytes(), pair.question, pair.answer)
        for split in splits
        for pair in data.pairs(split)
    )


def export(tmp_path, data, names, *more):
    """Exports as generated pairs, for each split of *names*, the pairs that it has itself."""
    files = []
    for split in names:
        files.append(tmp_path / f"generate-{split}.txt")
        files[-1].write_text(
            "".join(
                f"H-{number}\t-0.5\t{pair.question} <sep> {pair.answer}\n"
                for number, pair in enumerate(data.pairs(split))
            )
        )
    words = ["export", *files, "--data", data.path, "--output", tmp_path / "vqa", *more]
    if "--format" not in more:
        words += ["--format", "vqa2-folder"]
    return main([str(word) for word in words])


@pytest.fixture(params=["{}.png", "val2014/COCO_val2014_{:012}.jpg", "żółw {}.png"])
def data(request, tmp_path):
    """Four images of four pairs each in test, and one of one in train and in valid."""
    names = [request.param.format(number) for number in (7, 3, 20, 11)]
    for number, name in enumerate([*names, "train.png", "valid.png"]):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 40 * number, 200)).save(path, "PNG")
    pairs = [(name, *text) for name in names for text in TEXTS]
    return DataDirectory(write_data(tmp_path / "DATA", pairs))


def test_exported_splits_come_back_equal(tmp_path, data):
    assert export(tmp_path, data, ("test", "train", "valid")) == 0
    back = prepare(tmp_path / "vqa", tmp_path / "back", "--valid-pairs", 1)
    assert content_of(back, "test") == content_of(data, "test")
    assert content_of(back, "train", "valid") == content_of(data, "train", "valid")
    assert main(["extract-features", str(back.path), *"--backbone resnet18".split(), "--weights",
                 "none", "--image-size", "32", "--num-workers", "0"]) == 0  # fmt: skip


def test_one_split_beside_official_files_is_read(tmp_path, data):
    assert export(tmp_path, data, ("test",)) == 0
    folder = tmp_path / "vqa"
    assert {path.name for path in folder.iterdir()} == {
        "v2_OpenEnded_mscoco_val2014_questions.json",
        "v2_mscoco_val2014_annotations.json",
        "val2014",
        ".vqapg.json",
    }
    with pytest.raises(InputError, match=r"train2014_questions\.json: missing; get it at https"):
        from vqapg.datasets import vqa2

        options = {"min_pairs_per_image": 0, "max_images": 0, "max_test_images": 0}
        vqa2.read(folder, seed=1, valid_pairs=1, **options)


def test_photographs_come_back_equal_in_two_parts(tmp_path):
    photos = find_images([draw_pictures(tmp_path / "photos", 12)])
    records = [
        {"image": image.name, "question": f"what is {place}?", "answer": "a dot."}
        for place, image in enumerate(photos)
        for _ in range(2)
    ]
    assert write_records(tmp_path / "vqa", "vqa2-folder", records, photos) == 24
    back = prepare(tmp_path / "vqa", tmp_path / "back", "--valid-pairs", 4)
    assert [len(back.pairs(split)) for split in ("train", "valid", "test")] == [16, 4, 4]
    expected = [
        (open_rgb(image.path).tobytes(), f"what is {place} ?", "a dot .")
        for place, image in enumerate(photos)
        for _ in range(2)
    ]
    assert content_of(back, "train", "valid", "test") == sorted(expected)
    assert {pair.question for pair in back.pairs("test")} == {"what is 1 ?", "what is 11 ?"}


def test_licence_and_making_are_in_every_file(tmp_path, data):
    assert export(tmp_path, data, ("test",), "--license", "cc-by-4.0") == 0
    for path in (tmp_path / "vqa").glob("v2_*.json"):
        content = json.loads(path.read_text())
        assert content["license"]["name"] == "cc-by-4.0"
        assert "generate-test.txt" in content["info"]["made"]["file of the pairs"]


def test_existing_folder_is_kept_until_overwrite(tmp_path, data, capsys):
    assert export(tmp_path, data, ("test",)) == 0
    assert export(tmp_path, data, ("test",)) == 2
    assert "is there already" in capsys.readouterr().err
    (tmp_path / "vqa/mine.txt").write_text("mine")
    assert export(tmp_path, data, ("test",), "--overwrite") == 2
    assert "holds mine.txt, which vqapg did not write" in capsys.readouterr().err
    (tmp_path / "vqa/mine.txt").unlink()
    assert export(tmp_path, data, ("test", "train"), "--overwrite") == 0
    assert (tmp_path / "vqa/train2014").is_dir()


@pytest.mark.parametrize("format", ["imagefolder", "vqa2-folder"])
def test_picture_that_is_gone_is_told_before_the_judge(tmp_path, data, capsys, format):
    data.image_path(data.image_ids("test")[2]).unlink()
    judge = ("--judge", "tests.support.judges:NoSuchJudge")
    assert export(tmp_path, data, ("test",), "--format", format, *judge) == 2
    error = capsys.readouterr().err
    assert f"there is no such picture, and the format {format} copies the pictures" in error
    assert not (tmp_path / "vqa").exists()


@pytest.mark.parametrize(
    ("names", "more", "message"),
    [
        (("test", "train"), ("--format", "jsonl"), "--format jsonl: has no splits; give one file"),
        (("test", "train"), ("--split", "test"), "--split test: goes with one file; of several"),
        (("test", "test"), (), "generate-test.txt: is of the split test, and so is"),
        (("test",), ("--license", "cc-by-4.1"), "did you mean cc-by-4.0?"),
        (
            ("test",),
            ("--license", "mit", "--format", "csv"),
            "the format csv has no place for it; leave it out, or give --format vqa2-folder or "
            "imagefolder",
        ),
    ],
)
def test_what_does_not_go_together_is_one_line(tmp_path, data, capsys, names, more, message):
    assert export(tmp_path, data, names, *more) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (tmp_path / "vqa").exists()
