"""Objects with boxes, of different number: imported, trained on, generated from, judged, shown."""

import base64
import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.support.fairseq_commands import fairseq
from tests.support.world import CONSISTENCY, GENERATION, IMAGES, OPTIMIZER, vqapg, write_source
from tests.support.xdist import made_once
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_store import FeatureStore
from vqapg.errors import RunError
from vqapg.sampling.stored_features import StoredSampler

EPOCHS = 6


def regions_of(image):
    """2 to 5 regions of the picture, with boxes in pixels: mean colours, and where they are."""
    picture = np.asarray(Image.open(image).convert("RGB"), np.float32) / 255
    height, width, _ = picture.shape
    number = int(re.search(r"\d+", image.name)[0])
    boxes = np.array([[8 * k, 4 * k, 8 * k + 8, 40] for k in range(2 + number % 4)], np.float32)
    colours = [
        picture[int(y1) : int(y2), int(x1) : int(x2)].mean(axis=(0, 1)) for x1, y1, x2, y2 in boxes
    ]
    features = np.concatenate([colours, boxes / 40], axis=1).astype(np.float32)
    return {"features": features, "boxes": boxes, "image_size": np.array([width, height])}


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """A folder with source/, data/ with imported features, generation/ and consistency/."""
    return made_once(tmp_path_factory, "objects", _make_objects)


def _make_objects(folder):
    source, data = write_source(folder / "source"), folder / "data"
    vqapg("prepare", "--dataset", "jsonl", "--source", source, "--dest", data)
    for image in (folder / "source/images").glob("*.png"):
        (folder / "own/images").mkdir(parents=True, exist_ok=True)
        np.savez(folder / f"own/images/{image.stem}.npz", **regions_of(image))
    vqapg("import-features", data, folder / "own", "--name", "squares")
    for name, model in (("generation", GENERATION), ("consistency", CONSISTENCY)):
        end = ["--max-epoch", EPOCHS, "--no-epoch-checkpoints", "--save-dir", folder / name]
        fairseq("train", data, *model, *OPTIMIZER, *end)


@pytest.mark.usefixtures("without_java")
def test_objects_are_generated_from_and_judged(objects, tmp_path):
    checkpoint = objects / "generation/checkpoint_last.pt"
    flags = ["--task", "vqapg", "--path", checkpoint, "--gen-subset", "test", "--beam", 2, "--cpu"]
    texts = {}
    for size in (1, 15):
        results = tmp_path / f"of-{size}"
        fairseq(
            "generate", objects / "data", *flags, "--batch-size", size, "--results-path", results
        )
        lines = (results / "generate-test.txt").read_text().splitlines()
        texts[size] = sorted(line.split("\t")[2] for line in lines if line.startswith("H-"))
    # Alone, and padded in one batch
    assert len(texts[1]) == 3 * IMAGES["test"] and texts[1] == texts[15]
    vqapg(
        "evaluate",
        objects / "data",
        "--pairs",
        tmp_path / "of-15/generate-test.txt",
        "--evaluator",
        objects / "consistency/checkpoint_last.pt",
        "--output",
        tmp_path / "metrics.json",
    )
    stored = json.loads((tmp_path / "metrics.json").read_text())
    assert stored["images"] == IMAGES["test"] and 0 <= stored["mean_score"]["value"] <= 1


def test_the_gallery_has_the_boxes_of_each_image(objects, tmp_path):
    vqapg(
        "sample",
        "--features",
        objects / "data",
        "--checkpoint",
        objects / "generation/checkpoint_last.pt",
        "--evaluator",
        objects / "consistency/checkpoint_last.pt",
        "--num-samples",
        3,
        "--beam",
        2,
        "--num-workers",
        0,
        "--output",
        tmp_path / "pairs.jsonl",
        "--html",
        tmp_path / "gallery.html",
    )
    page = (tmp_path / "gallery.html").read_text()
    shown = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert shown["grid"] is None and len(shown["images"]) == IMAGES["test"]
    data = DataDirectory(objects / "data")
    store = FeatureStore(data.features_path)
    for image, name in zip(shown["images"], data.image_ids("test"), strict=True):
        np.testing.assert_allclose(image["boxes"], store.boxes(name), atol=1e-4)
        assert image["picture"].startswith("data:image/jpeg")
        for pair in image["pairs"]:
            weights = len(base64.b64decode(pair["weights"]["pair"]))
            assert weights == len(image["boxes"])


@pytest.mark.parametrize("split", ["valid", "test"])
def test_folder_of_a_data_directory_bears_its_split(objects, tmp_path, split):
    vqapg(
        "sample",
        "--features",
        objects / "data",
        "--split",
        split,
        "--checkpoint",
        objects / "generation/checkpoint_last.pt",
        "--num-samples",
        1,
        "--num-workers",
        0,
        "--output",
        tmp_path / "pairs",
    )
    assert [path.name for path in (tmp_path / "pairs").iterdir() if path.is_dir()] == [split]
    text = (tmp_path / "pairs/README.md").read_text()
    assert f"- split: {split}\n" in text and "made by `vqapg prepare --dataset jsonl`" in text


def test_gone_picture_stops_a_folder_before_the_work(objects, tmp_path, capsys):
    data = DataDirectory(objects / "data")
    picture = data.image_path(data.image_ids("test")[1])
    picture.rename(picture.with_suffix(".away"))
    try:
        words = ["sample", "--features", data.path, "--output", tmp_path / "pairs"]
        words += ["--checkpoint", objects / "generation/checkpoint_last.pt"]
        assert main([str(word) for word in words]) == 2
    finally:
        picture.with_suffix(".away").rename(picture)
    assert f"{picture}: there is no such picture" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("split", ["valid", "test"])
def test_pairs_by_stored_features_are_measured(objects, tmp_path, split):
    data = objects / "data"
    pairs = tmp_path / "pairs.jsonl"
    model = ["--checkpoint", objects / "generation/checkpoint_last.pt"]
    drawn = ["--num-samples", 2, "--beam", 2, "--num-workers", 0, "--output", pairs]
    vqapg("sample", "--features", data, "--split", split, *model, *drawn)
    records = [json.loads(line) for line in pairs.read_text().splitlines()]
    images = DataDirectory(data).image_ids(split)
    assert list(dict.fromkeys(record["image"] for record in records)) == list(images)
    given = [data, "--pairs", pairs, "--split", split]
    vqapg("evaluate", *given, "--output", tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text())["pairs"] == len(records)
    judge = ["--evaluator", objects / "consistency/checkpoint_last.pt"]
    vqapg("score", *given, *judge, "--output", tmp_path / "scores.jsonl")
    scored = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert [line["image"] for line in scored] == [record["image"] for record in records]


def test_stopped_run_by_stored_features_samples_nothing_twice(objects, tmp_path, monkeypatch):
    words = ["sample", "--features", objects / "data", "--num-samples", 1, "--num-workers", 0]
    words += ["--checkpoint", objects / "generation/checkpoint_last.pt"]
    words = [str(word) for word in (*words, "--output", tmp_path / "pairs.jsonl")]
    sampled = []
    sample_batch = StoredSampler.sample_batch

    def counted(self, features, numbers, *args, **kwargs):
        sampled.extend(numbers)
        return sample_batch(self, features, numbers, *args, **kwargs)

    def full_disk(*args, **kwargs):
        raise RunError("no space left")

    monkeypatch.setattr(StoredSampler, "sample_batch", counted)
    with monkeypatch.context() as patched:
        patched.setattr("vqapg.sampling.run.write_records", full_disk)
        assert main(words) == 1
    assert main(words) == 0
    assert (
        len(sampled) == len(set(sampled)) == len(DataDirectory(objects / "data").image_ids("test"))
    )


def test_attention_is_stored_with_boxes(objects, tmp_path):
    data = DataDirectory(objects / "data")
    name = data.image_ids("test")[1]
    vqapg(
        "attention",
        data.path,
        name,
        "--checkpoint",
        objects / "generation/checkpoint_last.pt",
        "--output",
        tmp_path / "attention.json",
    )
    stored = json.loads((tmp_path / "attention.json").read_text())
    (image,) = stored["images"]
    assert stored["grid"] is None and len(image["boxes"]) == 3
    for pair in image["pairs"]:
        assert len(pair["attention"]["question"]) == 3


def test_photographs_are_refused_in_one_line(objects, tmp_path, capsys):
    status = main(
        [
            "sample",
            str(objects / "source/images/test0.png"),
            "--checkpoint",
            str(objects / "generation/checkpoint_last.pt"),
            "--output",
            str(tmp_path / "pairs.jsonl"),
        ]
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert status == 2
    assert "imported:squares features, and has no backbone to look at new photographs" in line
    assert "vqapg sample --features DATA" in line


def test_features_on_device_change_no_validation_figure(objects, tmp_path):
    logs = []
    for flags in ([], ["--features-on-device"]):
        finished = fairseq(
            "validate",
            objects / "data",
            "--task",
            "vqapg",
            "--path",
            objects / "generation/checkpoint_last.pt",
            "--valid-subset",
            "valid",
            "--batch-size",
            9,
            "--cpu",
            *flags,
        )
        logs.append(re.findall(r"\| (?:loss|elbo) [-\d.]+", finished.stdout + finished.stderr))
    assert logs[0] and logs[0] == logs[1]
