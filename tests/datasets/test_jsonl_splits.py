"""``--split`` and ``--image-root`` of the JSONL reader: lines that say no split."""

import json
import shutil

import pytest

from tests.support.tiny_checkpoints import draw_pictures
from vqapg.cli.main import main
from vqapg.datasets import reader
from vqapg.datasets.split_fractions import draw_splits, fractions_of
from vqapg.errors import InputError

SAMPLED = {"score": -0.5, "consistency": 0.7, "seed": 1, "draw": 0, "model": "joint:ab"}


def write_sampled(path, images, **more):
    """Two pairs an image, as ``vqapg sample`` writes them."""
    lines = [
        {"image": image, "question": f"is it {word}?", "answer": "yes", **SAMPLED, **more}
        for image in images
        for word in ("red", "blue")
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def photos(tmp_path):
    draw_pictures(tmp_path / "photos", 10)
    return [f"photos/{number}.png" for number in range(10)]


def splits(data):
    """{split: images}, and no image in two."""
    found = {}
    for record in data.records:
        found.setdefault(record.split, set()).add(record.image)
    assert sum(map(len, found.values())) == len({record.image for record in data.records})
    return found


def test_fractions_are_of_images_and_exact(tmp_path, photos):
    source = write_sampled(tmp_path / "pairs.jsonl", photos)
    data = reader("jsonl").read(source, split="0.6,0.2,0.2")
    assert {split: len(images) for split, images in splits(data).items()} == {
        "train": 6,
        "valid": 2,
        "test": 2,
    }
    assert len(data.records) == 20


def test_drawing_depends_on_seed_and_bytes_alone(tmp_path, photos):
    fractions = fractions_of("0.5,0.2,0.3")
    first = draw_splits(photos, tmp_path, fractions, seed=1)
    assert draw_splits(photos[::-1], tmp_path, fractions, seed=1) == first
    assert any(draw_splits(photos, tmp_path, fractions, seed) != first for seed in range(2, 5))
    shutil.copytree(tmp_path / "photos", tmp_path / "again")
    again = draw_splits([f"again/{name[7:]}" for name in photos], tmp_path, fractions, seed=1)
    assert list(again.values()) == list(first.values())


def test_copies_of_one_picture_are_in_one_split(tmp_path, photos):
    for number in range(5):
        shutil.copy(tmp_path / photos[number], tmp_path / f"photos/copy{number}.png")
    images = [*photos, *(f"photos/copy{number}.png" for number in range(5))]
    for seed in range(5):
        drawn = draw_splits(images, tmp_path, fractions_of("0.4,0.3,0.3"), seed)
        assert all(
            drawn[f"photos/copy{number}.png"] == drawn[photos[number]] for number in range(5)
        )
        # The fractions are of the ten distinct pictures.
        assert sum(drawn[image] == "train" for image in photos) == 4


def test_one_split_takes_the_lines_that_say_none(tmp_path, photos):
    source = write_sampled(tmp_path / "pairs.jsonl", photos[:6])
    for split, image in (("valid", photos[6]), ("test", photos[7])):
        with open(source, "a") as file:
            line = {"image": image, "question": "what?", "answer": "a cat", "split": split}
            file.write(json.dumps(line) + "\n")
            # A second line of this image says none: it goes with the first.
            file.write(json.dumps({**line, "question": "who?"} | {"split": split}) + "\n")
    data = reader("jsonl").read(source, split="train")
    assert splits(data) == {"train": set(photos[:6]), "valid": {photos[6]}, "test": {photos[7]}}


def test_a_line_without_split_goes_with_its_image(tmp_path, photos):
    source = tmp_path / "pairs.jsonl"
    lines = [
        {"image": photos[0], "question": "what?", "answer": "a cat"},
        {"image": photos[0], "question": "who?", "answer": "a cat", "split": "test"},
    ]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert splits(reader("jsonl").read(source, split="train")) == {"test": {photos[0]}}


def test_image_root_is_where_relative_paths_begin(tmp_path, photos):
    (tmp_path / "out").mkdir()
    source = write_sampled(tmp_path / "out/pairs.jsonl", photos)
    with pytest.raises(InputError, match="relative to the JSONL file, or to --image-root"):
        reader("jsonl").read(source, split="train")
    data = reader("jsonl").read(source, split="train", image_root=str(tmp_path))
    assert data.image_root == tmp_path and len(data.records) == 20


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("dev", "--split dev: is no split; give one of train, valid, test, or three fractions"),
        ("0.5,0.5", "--split 0.5,0.5: is no split"),
        ("0.5,0.4,0.2", "the fractions sum to 1.1, not to 1"),
        ("1.5,-0.5,0", "is no split"),
        ("nan,0,1", "is no split"),
    ],
)
def test_split_that_is_none_is_refused(tmp_path, photos, split, message):
    source = write_sampled(tmp_path / "pairs.jsonl", photos)
    with pytest.raises(InputError) as error:
        reader("jsonl").read(source, split=split)
    assert message in str(error.value)


def test_lines_without_split_say_what_to_give(tmp_path, photos):
    source = write_sampled(tmp_path / "pairs.jsonl", photos)
    with pytest.raises(
        InputError, match=r"it is missing; write it, or give --split 0\.8,0\.1,0\.1"
    ):
        reader("jsonl").read(source)


def test_prepare_takes_what_sample_wrote(tmp_path, photos, capsys):
    source = write_sampled(tmp_path / "pairs.jsonl", photos)
    words = ["prepare", "--dataset", "jsonl", "--source", str(source), "--dest"]
    words += [str(tmp_path / "data"), "--split", "0.6,0.2,0.2", "--seed", "3"]
    assert main(words) == 0
    manifest = json.loads((tmp_path / "data/manifest.json").read_text())
    assert {split: of["images"] for split, of in manifest["counts"].items()} == {
        "train": 6,
        "valid": 2,
        "test": 2,
    }
    assert manifest["options"] == {"split": "0.6,0.2,0.2", "seed": 3, "image_root": ""}
    assert main(words) == 0
    assert "is already done" in capsys.readouterr().out


def test_directory_of_a_reader_with_fewer_options_is_done(tmp_path, photos, capsys):
    source = write_sampled(tmp_path / "pairs.jsonl", photos[:6], split="train")
    with open(source, "a") as file:
        for split, image in (("valid", photos[6]), ("test", photos[7])):
            line = {"image": image, "question": "what?", "answer": "a cat", "split": split}
            file.write(json.dumps(line) + "\n")
    words = ["prepare", "--dataset", "jsonl", "--source", str(source), "--dest"]
    words.append(str(tmp_path / "data"))
    assert main(words) == 0
    path = tmp_path / "data/manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"options": {}}))
    assert main(words) == 0
    assert "is already done" in capsys.readouterr().out
