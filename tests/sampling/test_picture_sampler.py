"""What Python calls of the model that ``load`` gives, beside ``sample``: see test_sampler.py."""

import json
import warnings

import numpy as np
import pandas
import pytest
from PIL import Image

from vqapg.cli.main import main
from vqapg.data.given_image import open_given
from vqapg.errors import InputError, LeftOut
from vqapg.sampling.picture_sampler import PictureSampler, load

# Words are drawn too, so that untrained models say different things.
DRAWN = {"sampling": True, "temperature": 1.5}
WORDS = ["--num-samples", 4, "--sampling", "--temperature", 1.5, "--seed", 3, "--weights", "none"]


@pytest.fixture
def model(sampler):
    return sampler("vqapg_joint_variational")


@pytest.fixture
def bad(photos):
    """A folder whose second image cannot be read."""
    (photos / "1.png").write_bytes(b"no image")
    return photos


def test_folder_gives_the_pairs_of_the_command(checkpoint, photos, tmp_path):
    paths = checkpoint("vqapg_joint_variational"), checkpoint("vqapg_consistency", "evaluator.pt")
    images, output = [photos / "3.png", photos, str(photos / "*.png")], tmp_path / "pairs.jsonl"
    checkpoints = ["--checkpoint", paths[0], "--evaluator", paths[1], "--num-workers", 0]
    words = ["sample", *images, *checkpoints, "--output", output, *WORDS]
    assert main([str(word) for word in words]) == 0
    model = load(*paths, weights="none")
    with warnings.catch_warnings(action="ignore"):
        # The command names each image once, and says so.
        sampled = list(model.sample_folder(images, n=4, seed=3, batch_size=8, **DRAWN))
    assert [path for path, _ in sampled] == [str(photos / f"{n}.png") for n in (3, 0, 1, 2, 4)]
    found = [{"image": path, **pair.to_dict()} for path, pairs in sampled for pair in pairs]
    written = [json.loads(line) for line in output.read_text().splitlines()]
    assert found == [{key: line[key] for key in found[0]} for line in written]
    path, pairs = sampled[1]
    alone = model.sample(path, n=4, seed=3, **DRAWN)
    assert {(pair.question, pair.answer) for pair in alone} == {
        (pair.question, pair.answer) for pair in pairs
    }


def test_bad_image_is_skipped_with_a_warning_at_the_loop(model, bad):
    with pytest.warns(LeftOut, match="left out: .*1.png: cannot be read as an image") as told:
        found = [path for path, _ in model.sample_folder(bad, n=2, **DRAWN)]
    assert found == [str(bad / f"{number}.png") for number in (0, 2, 3, 4)]
    assert [warning.filename for warning in told] == [__file__]


def test_bad_image_is_raised_where_asked_after_those_before(model, bad):
    sampled = model.sample_folder(str(bad), n=2, skip_bad_images=False, **DRAWN)
    assert next(sampled)[0] == str(bad / "0.png")
    with pytest.raises(InputError, match=r"1.png: cannot be .*: skip_bad_images=True$") as error:
        next(sampled)
    assert "--" not in str(error.value)


def test_files_that_are_passed_over_are_warned_of(model, photos):
    (photos / ".hidden.png").write_bytes(b"")
    with pytest.warns(LeftOut, match="^passed over: 1 hidden file") as told:
        model.sample_folder(photos)
    assert told[0].filename == __file__


def test_folder_is_read_as_pairs_are_asked_for(model, photos, monkeypatch):
    read, features = [], model.features
    monkeypatch.setattr(model, "features", lambda pixels: read.append(1) or features(pixels))
    sampled = model.sample_folder(photos, n=2, batch_size=2, **DRAWN)
    assert read == []
    # Other calls between two images change nothing.
    first, alone = next(sampled), model.sample(photos / "4.png", n=2, **DRAWN)
    assert len(read) == 2 and len(first[1]) > 0
    assert list(sampled)[-1] == (str(photos / "4.png"), alone)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        ("none/", {}, "none/: no such file or folder"),
        ([], {}, "images: there is none; give at least one path"),
        (3, {}, "images: int is no path; give paths, folders or patterns"),
        ([Image.new("RGB", (2, 2))], {}, "images: Image is no path"),
        ("http://example.org/a", {}, "http://example.org/a: vqapg reads nothing from the web"),
        (".", {"batch_size": 0}, "batch_size 0: must be at least 1"),
        (".", {"num_workers": -1}, "num_workers -1: must be at least 0"),
        (".", {"batch_size": "4"}, "batch_size must be a whole number, not '4'"),
        (".", {"num_workers": 1.5}, "num_workers must be a whole number, not 1.5"),
        (".", {"n": 5, "num_samples": 7}, "n and num_samples are one option; give one"),
        (".", {"n": 0}, "n must be at least 1"),
        (".", {"kept": 3}, "kept: no such option; give one of num_samples, seed, "),
        (".", {"n": 2.5}, "n must be a whole number, not 2.5"),
        (".", {"seed": None}, "seed must be a whole number, not None"),
        (".", {"min_consistency": "0.5"}, "min_consistency must be a number, not '0.5'"),
        (".", {"question": 3}, "question must be text, not 3"),
        (".", {"question": "why ?"}, "question: this model makes question and answer together"),
    ],
)
def test_folder_call_that_is_wrong_is_told_at_once(model, images, options, message):
    with pytest.raises(InputError) as error:
        model.sample_folder(images, **options)
    assert str(error.value).startswith(message) and "--" not in str(error.value)


def test_options_may_be_numbers_of_numpy(model, photos):
    how = {"seed": np.int64(2), "temperature": np.float32(1.5), "keep": None}
    pair = model.sample(photos / "0.png", n=np.int64(2), sampling=True, **how)[0]
    assert json.loads(json.dumps(pair.to_dict()))["seed"] == 2


def test_pairs_make_a_table(model, photos):
    pairs = model.sample(photos / "0.png", n=4, **DRAWN)
    table = pandas.DataFrame([pair.to_dict() for pair in pairs])
    columns = ["question", "answer", "score", "consistency", "seed", "draw"]
    assert list(table) == columns and len(table) == len(pairs) > 1
    for name in columns:
        assert list(table[name]) == [getattr(pair, name) for pair in pairs]


def test_array_gives_the_pairs_of_its_picture(model, photos):
    with Image.open(photos / "0.png") as picture:
        pairs = model.sample(np.asarray(picture), n=3, **DRAWN)
        assert pairs == model.sample(picture, n=3, **DRAWN) != []
    with pytest.raises(InputError, match="^image: list is no picture; give one path"):
        model.sample([photos / "0.png"])


def test_score_is_the_consistency_of_the_pair(model, photos):
    pairs = model.sample(photos / "2.png", n=4, **DRAWN)
    assert len(pairs) > 1
    for pair in pairs:
        score = model.score(photos / "2.png", pair.question.upper(), pair.answer)
        assert score == pytest.approx(pair.consistency, abs=2e-4)
    other = model.score(photos / "3.png", pairs[0].question, pairs[0].answer)
    assert other != pairs[0].consistency


def test_score_is_none_where_the_judge_cannot_tell(checkpoint, photos):
    class Silent:
        name, identity = "silent", {}

        def score(self, triples):
            assert triples == [(str(photos / "0.png"), "why ?", "so")]
            return [np.nan]

    model = load(checkpoint("vqapg_joint_variational"), judge=Silent(), weights="none")
    assert model.score(photos / "0.png", "Why?", "so") is None


def test_score_shows_the_judge_the_picture(checkpoint):
    judge = "tests.support.judges:Brightness"
    model = load(checkpoint("vqapg_joint_variational"), judge=judge, weights="none")
    dark = np.full((40, 40, 3), 51, np.uint8)
    dark[..., 1:] = 0
    assert model.score(dark, "why?", "so") == 0.2


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("", "red"), "question has no word in it; give one"),
        (("why?", " "), "answer has no word in it; give one"),
        (("why?", 3), "answer: int is no text; give a string"),
    ],
)
def test_score_of_what_is_no_pair_is_refused(model, photos, texts, message):
    with pytest.raises(InputError, match=message):
        model.score(photos / "0.png", *texts)


def test_score_without_a_judge_is_refused(sampler, photos):
    model = sampler("vqapg_joint_variational", evaluator=False)
    with pytest.raises(InputError, match="^score: nobody judges; give load an evaluator, or a ju"):
        model.score(photos / "0.png", "why?", "so")


def test_region_weights_darken_the_picture_of_the_pair(model, photos):
    (pair, *_) = model.sample(photos / "0.png", n=1, **DRAWN)
    weights = pair.region_weights["pair"]
    assert weights.array.shape == (2, 2) and 0 <= weights.array.min() < weights.array.max() <= 1
    picture = np.asarray(open_given(photos / "0.png")[0]).astype(float)
    shown = np.asarray(weights.overlay(photos / "0.png"))
    # 60 rows and 90 columns of pixels in a grid of 2 by 2
    for row, column in np.ndindex(2, 2):
        part = slice(30 * row, 30 * (row + 1)), slice(45 * column, 45 * (column + 1))
        expected = picture[part] * (1 - 0.85 * (1 - weights.array[row, column]))
        np.testing.assert_allclose(shown[part], expected, atol=2)


def test_regions_without_a_grid_have_weights_side_by_side(model, photos, monkeypatch):
    (pair, *_) = model.sample(photos / "0.png", n=1, **DRAWN)
    monkeypatch.setattr(PictureSampler, "grid", None)
    (same, *_) = model.sample(photos / "0.png", n=1, **DRAWN)
    weights = same.region_weights["pair"]
    np.testing.assert_array_equal(weights.array, pair.region_weights["pair"].array.ravel())
    with pytest.raises(InputError, match="^overlay: the regions of imported features are no grid"):
        weights.overlay(photos / "0.png")
