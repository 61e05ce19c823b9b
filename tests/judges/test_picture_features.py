"""The trained evaluator over pictures: features by the backbone that its checkpoint names."""

from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.tiny_checkpoints import IMAGE_SIZE, backbone, draw_pictures
from vqapg.data.feature_encoding import encode_images
from vqapg.data.picture_folder import PictureFolder
from vqapg.errors import InputError
from vqapg.judges import picture_features
from vqapg.judges.context import JudgeContext
from vqapg.judges.evaluator import EvaluatorJudge
from vqapg.judges.judge import make_judge, score_triples
from vqapg.judges.picture_features import PictureFeatures
from vqapg.sampling.images_in_hand import ImagesInHand
from vqapg.tasks.checkpoints import load_generation_model

COUNT = 5
TRIPLES = [
    ("3.png", "what color is the shape ?", "red"),
    ("0.png", "is there a circle ?", "yes"),
    ("3.png", "is there a circle ?", "yes"),
    ("1.png", "is there a circle ?", "no"),
]


@pytest.fixture
def photos(tmp_path):
    return draw_pictures(tmp_path / "photos", COUNT)


@pytest.fixture
def opened(photos):
    """open_picture, and how often each picture was opened."""
    counts, folder = Counter(), PictureFolder(photos)

    def open_picture(name):
        counts[name] += 1
        return folder.open(name)

    return open_picture, counts


def features_of(photos, name):
    """The features of one picture, the slow way."""
    pixels = backbone().preprocessing.resize(Image.open(photos / name).convert("RGB"))
    with torch.inference_mode():
        return encode_images(backbone(), pixels[None])[0]


def test_features_are_those_of_each_picture_in_any_order(photos, opened, monkeypatch):
    monkeypatch.setattr(picture_features, "AT_ONCE", 2)
    features = PictureFeatures(opened[0], backbone(), "cpu")
    names = [f"{number}.png" for number in (4, 0, 2, 1, 0)]
    features.require(names)
    features.require(["0.png"])
    rows = [features.rows[name] for name in names]
    expected = [features_of(photos, name) for name in names]
    # A batch adds up in another order than a single picture.
    np.testing.assert_allclose(features.read(rows), expected, rtol=0.02, atol=0.02)
    np.testing.assert_array_equal(features.read(rows[::-1]), features.read(rows)[::-1])
    assert opened[1] == dict.fromkeys(names, 1)


def test_only_so_many_features_are_kept(opened):
    size = features_bytes = 2 * backbone().grid[0] * backbone().grid[1] * backbone().channels
    features = PictureFeatures(opened[0], backbone(), "cpu", largest=2 * size)
    features.require(["0.png", "1.png", "2.png"])
    features.read([0, 1])
    features.read([0])  # was read last
    features.read([2])
    features.read([0])
    assert opened[1] == {"0.png": 1, "1.png": 1, "2.png": 1}
    features.read([1])
    assert opened[1]["1.png"] == 2
    assert sum(kept.nbytes for kept in features._kept.values()) <= 2 * features_bytes


def test_evaluator_judges_pictures_as_it_judges_their_features(checkpoint, photos):
    evaluator = checkpoint("vqapg_consistency", "evaluator.pt")
    folder = PictureFolder(photos)
    judge = make_judge(
        f"evaluator:{evaluator}", JudgeContext(open_picture=folder.open, weights="none")
    )
    assert judge.identity["judge"] == "evaluator" and judge.name.startswith("evaluator:")
    # What `vqapg sample` does, with features that were made before.
    generator = load_generation_model(checkpoint("vqapg_joint_variational"))
    in_hand = ImagesInHand(generator, "cpu")
    names = [f"{number}.png" for number in range(COUNT)]
    in_hand.hold(np.stack([features_of(photos, name) for name in names]), dict.fromkeys(names))
    expected = EvaluatorJudge(str(evaluator), JudgeContext(features=in_hand))
    scores = score_triples(judge, TRIPLES)
    assert len(set(scores.round(5))) > 2
    np.testing.assert_allclose(scores, score_triples(expected, TRIPLES), atol=2e-3)


@pytest.mark.parametrize(
    "name, weights, message",
    [
        ("vqapg_joint", "none", "is no consistency evaluator; give a checkpoint of --task"),
        ("vqapg_consistency", "{tmp}/other.pt", "other.pt: are not the weights of resnet18"),
    ],
)
def test_what_cannot_judge_pictures_is_one_line(checkpoint, tmp_path, name, weights, message):
    from torchvision.models import resnet18

    torch.manual_seed(5)
    torch.save(resnet18().state_dict(), tmp_path / "other.pt")
    path = checkpoint(name)
    context = JudgeContext(open_picture=lambda name: None, weights=weights.format(tmp=tmp_path))
    with pytest.raises(InputError) as error:
        make_judge(f"evaluator:{path}", context)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert IMAGE_SIZE == 64
