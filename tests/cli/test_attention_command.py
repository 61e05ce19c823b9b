"""vqapg attention on an untrained model: what is stored, and how it is spelled.

The numbers have tests of their own.
"""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.judges import fake_evaluator
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.models.joint import VariationalJointConfig, VariationalJointModel
from vqapg.reports import attention_record


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attention")
    lines = []
    for number, split in enumerate(("train", "valid", "test", "test")):
        name = f"{split}{number}.png"
        Image.new("RGB", (48, 32), (60 * number, 100, 30)).save(folder / name)
        lines.append(
            json.dumps(
                {"image": name, "question": "What is this?", "answer": "a dog", "split": split}
            )
        )
    (folder / "qa.jsonl").write_text("\n".join(lines))
    data = folder / "data"
    assert (
        main(
            [
                "prepare",
                "--dataset",
                "jsonl",
                "--source",
                str(folder / "qa.jsonl"),
                "--dest",
                str(data),
            ]
        )
        == 0
    )
    arguments = [
        "--backbone",
        "resnet18",
        "--weights",
        "none",
        "--image-size",
        "64",
        "--num-workers",
        "0",
    ]
    assert main(["extract-features", str(data), *arguments]) == 0
    return data


@pytest.fixture
def model(data, monkeypatch, tmp_path):
    """Stands in for a checkpoint's; returns the checkpoint's path."""
    checkpoint = tmp_path / "final.pt"
    checkpoint.write_bytes(b"weights")

    def load(path, task):
        assert path == str(checkpoint)
        torch.manual_seed(0)
        cfg = VariationalJointConfig(
            _name="vqapg_joint_variational", hidden_size=8, embed_dim=6, latent_dim=4
        )
        return VariationalJointModel.build_model(cfg, task).eval()

    monkeypatch.setattr(attention_record, "load_model", load)
    return checkpoint


@pytest.fixture
def attention(data, model, tmp_path):
    def attention(*arguments):
        output = tmp_path / "attention.json"
        status = main(
            [
                "attention",
                str(data),
                "--checkpoint",
                str(model),
                "--output",
                str(output),
                *map(str, arguments),
            ]
        )
        return status, json.loads(output.read_text()) if output.exists() else None

    return attention


def test_each_image_has_its_pairs_with_weights_and_attentions_over_the_grid(attention, data):
    status, stored = attention("test2.png", "train0.png", "--num-samples", 3, "--beam", 2)
    assert (
        status == 0
        and stored["grid"] == [2, 2]
        and stored["architecture"] == "vqapg_joint_variational"
    )
    assert [image["image"] for image in stored["images"]] == ["test2.png", "train0.png"]
    for image in stored["images"]:
        assert image["path"] == str(DataDirectory(data).image_path(image["image"]))
        assert len(image["pairs"]) + image["malformed"] == 3
        for pair in image["pairs"]:
            assert pair["question"] and pair["answer"] and "consistency" not in pair
            for text in ("question", "answer"):
                assert sum(pair["attention"][text]) == pytest.approx(1, abs=1e-4)
                assert len(pair["weights"][text]) == 4 and all(
                    0 <= weight <= 1 for weight in pair["weights"][text]
                )
    assert sum(len(image["pairs"]) for image in stored["images"]) > 0
    assert stored["judge"] is None


def test_an_image_may_be_named_by_its_path_and_is_there_once(attention, data):
    path = DataDirectory(data).image_path("test3.png")
    status, stored = attention(path, "test3.png", "--num-samples", 1)
    assert status == 0 and [image["image"] for image in stored["images"]] == ["test3.png"]


def test_another_file_gets_the_very_features_that_extraction_gives(attention, data, tmp_path):
    copy = tmp_path / "photo.png"
    copy.write_bytes(DataDirectory(data).image_path("test3.png").read_bytes())
    status, stored = attention("test3.png", copy, "--num-samples", 2)
    known, other = stored["images"]
    assert status == 0 and (other["image"], other["in_data"]) == (str(copy), False)
    for first, second in zip(known["pairs"], other["pairs"], strict=True):
        assert (first["question"], first["answer"]) == (second["question"], second["answer"])
        for text in ("question", "answer"):
            np.testing.assert_allclose(first["weights"][text], second["weights"][text], atol=0.01)
    assert known["pairs"]


def test_the_evaluators_score_stands_with_pairs_of_the_datas_images(
    attention, monkeypatch, tmp_path
):
    evaluator = tmp_path / "evaluator.pt"
    evaluator.write_bytes(b"weights")
    copy = tmp_path / "photo.png"
    Image.new("RGB", (9, 9)).save(copy)
    asked = []

    def score(triples):
        asked.extend(triples)
        return np.arange(len(triples)) / 10

    fake_evaluator(monkeypatch, score)
    _, stored = attention("test2.png", copy, "--evaluator", evaluator)
    pairs, others = (image["pairs"] for image in stored["images"])
    assert asked == [("test2.png", pair["question"], pair["answer"]) for pair in pairs]
    assert [pair["consistency"] for pair in pairs] == [number / 10 for number in range(len(pairs))]
    assert not any("consistency" in pair for pair in others)
    assert stored["judge"]["judge"] == "evaluator"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["nowhere.png"], "nowhere.png: is no image of"),
        (["test2.png", "--num-samples", "0"], "--num-samples 0: must be at least 1"),
        (["test2.png", "--evaluator", "none.pt"], "--evaluator none.pt: there is no such file"),
    ],
)
def test_bad_input_is_one_line(attention, capsys, arguments, message):
    status, stored = attention(*arguments)
    error = capsys.readouterr().err
    assert status == 2 and stored is None and message in error and len(error.splitlines()) == 1


def test_what_is_no_checkpoint_of_such_a_model_is_named(data, tmp_path, capsys):
    (tmp_path / "broken.pt").write_bytes(b"nothing")
    arguments = [
        "attention",
        str(data),
        "test2.png",
        "--output",
        str(tmp_path / "out.json"),
        "--checkpoint",
    ]
    assert main([*arguments, str(tmp_path / "broken.pt")]) == 2
    assert "broken.pt: not a whole checkpoint of a vqapg model" in capsys.readouterr().err
