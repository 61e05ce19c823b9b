import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from tests.support.annotated_pairs import IMAGES, MODELS, PAIRS, generated
from vqapg.annotation.drawing import draw_groups
from vqapg.annotation.object_words import suggested_objects
from vqapg.annotation.session import read_session, write_session
from vqapg.data.question_type import question_type
from vqapg.errors import InputError
from vqapg.evaluation.generated import GeneratedPair


def many(images, counts):
    """Pairs of one model: counts[image] different ones for each image."""
    return [
        GeneratedPair(0, image, f"q{number} ?", "yes", -1.0)
        for image, count in zip(images, counts, strict=True)
        for number in range(count)
    ]


def test_every_image_has_a_group_of_every_model_without_repeats():
    drawn, groups = draw_groups(generated(), IMAGES, 3, seed=1)
    assert drawn == IMAGES
    assert sorted((group.image, group.model) for group in groups) == [
        (i, m) for i in range(3) for m in MODELS
    ]
    for group in groups:
        shown = [(pair.question, pair.answer) for pair in group.pairs]
        assert len(set(shown)) == len(shown) == (3 if group.model == "model-one" else 2)
        assert {pair.id for pair in group.pairs} == {
            f"{group.id}p{number + 1}" for number in range(len(shown))
        }
        readable = {
            (question.replace(" ?", "?"), answer) for question, answer in PAIRS[group.model]
        }
        assert set(shown) == readable


def test_as_many_pairs_are_drawn_from_every_model_and_ten_at_most():
    images = ["a", "b", "c"]
    of_models = {"few": many(images, [2, 4, 30]), "many": many(images, [9, 9, 40])}
    drawn, groups = draw_groups(of_models, images, 2, seed=1)
    # The first has fewer than three pairs of one model.
    assert drawn == ["b", "c"]
    assert {(group.model, group.image): len(group.pairs) for group in groups} == {
        ("few", 0): 4,
        ("many", 0): 4,
        ("few", 1): 10,
        ("many", 1): 10,
    }


def test_malformed_pairs_are_not_drawn():
    broken = [GeneratedPair(0, "a", None, None, -1.0)] * 9
    with pytest.raises(InputError, match="only 0 images have 3 or more"):
        draw_groups({"model": broken + many(["a"], [2])}, ["a"], 1, seed=1)
    _, (group,) = draw_groups({"model": broken + many(["a"], [3])}, ["a"], 1, seed=1)
    assert len(group.pairs) == 3


def test_the_draw_is_the_seeds():
    images = [f"{number}" for number in range(40)]
    of_models = {"one": many(images, [12] * 40), "two": many(images, [12] * 40)}
    once, again, other = (draw_groups(of_models, images, 5, seed) for seed in (1, 1, 2))
    assert once == again != other
    # Every image comes as often as any other.
    counts = np.zeros(40)
    for seed in range(100):
        for image in draw_groups({"one": many(images, [3] * 40)}, images, 10, seed)[0]:
            counts[int(image)] += 1
    assert counts.min() > 8 and counts.max() < 45


def test_too_few_images_is_bad_input():
    with pytest.raises(InputError, match="only 3 images have 3 or more .* give -n 3 or fewer"):
        draw_groups(generated(), IMAGES, 4, seed=1)


def test_a_session_is_read_as_it_was_written(session, tmp_path):
    assert read_session(session.path) == session
    assert session.images == IMAGES and set(session.models) == set(MODELS)
    for number, image in enumerate(IMAGES):
        shown, source = (
            Image.open(session.image_path(number)),
            Image.open(tmp_path / "pictures" / image),
        )
        assert shown.format == "JPEG" and shown.size == source.size
        assert np.abs(np.asarray(shown, dtype=int) - np.asarray(source, dtype=int)).max() <= 3


def test_large_images_are_made_smaller(tmp_path, data):
    Image.new("RGB", (3000, 1500)).save(data.image_path("a.png"))
    drawn, groups = draw_groups(generated(["a.png"]), ["a.png"], 1, seed=1)
    session = write_session(
        tmp_path / "large", data, drawn, groups, seed=1, models=dict.fromkeys(MODELS, {})
    )
    assert Image.open(session.image_path(0)).size == (1024, 512)


def test_every_annotator_has_an_order_of_their_own_by_the_seed(session):
    of_anna, of_ben = ([group.id for group in session.order(name)] for name in ("anna", "ben"))
    assert of_anna == [group.id for group in session.order("anna")]
    assert sorted(of_anna) == sorted(of_ben) == sorted(group.id for group in session.groups)
    assert of_anna != of_ben
    assert of_anna != [group.id for group in session._replace(seed=2).order("anna")]


def test_numbers_do_not_tell_the_model():
    images = [f"{number}" for number in range(30)]
    _, groups = draw_groups(
        {"one": many(images, [3] * 30), "two": many(images, [3] * 30)}, images, 30, seed=1
    )
    assert [group.id for group in groups] == [f"g{number}" for number in range(1, 61)]
    models = [group.model for group in groups]
    switches = sum(first != second for first, second in pairwise(models))
    assert 18 < switches < 42


def test_a_folder_that_holds_something_is_left_alone(session, tmp_path, data):
    drawn, groups = session.images, session.groups
    with pytest.raises(InputError, match="holds a session already"):
        write_session(session.path, data, drawn, groups, seed=1, models=dict.fromkeys(MODELS, {}))
    with pytest.raises(InputError, match="holds something else"):
        write_session(
            tmp_path / "pictures", data, drawn, groups, seed=1, models=dict.fromkeys(MODELS, {})
        )


def test_a_start_that_failed_leaves_no_session_and_can_be_done_again(tmp_path, data):
    drawn, groups = draw_groups(generated(), IMAGES, 3, seed=1)
    content = data.image_path("c.png").read_bytes()
    data.image_path("c.png").write_bytes(content[:50])
    with pytest.raises(InputError, match="c.png: cannot be read as an image"):
        write_session(
            tmp_path / "new", data, drawn, groups, seed=1, models=dict.fromkeys(MODELS, {})
        )
    with pytest.raises(InputError, match="no annotation session"):
        read_session(tmp_path / "new")
    data.image_path("c.png").write_bytes(content)
    assert (
        write_session(
            tmp_path / "new", data, drawn, groups, seed=1, models=dict.fromkeys(MODELS, {})
        ).groups
        == groups
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content | {"format": 9}, "of format 9"),
        (lambda content: {}, "broken"),
        (lambda content: content | {"groups": [{"id": "g1"}]}, "broken"),
        (lambda content: [], "broken"),
    ],
)
def test_a_broken_session_is_bad_input(session, change, message):
    file = session.path / "session.json"
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    with pytest.raises(InputError, match=f"session.json: .*{message}|session.json: {message}"):
        read_session(session.path)


def test_suggestions():
    assert question_type("What kind of computer is this?") == "what kind"
    assert question_type("Is there?") == "is there"
    assert question_type("what's?") == "what's"
    assert suggested_objects("What color is the man's shirt?", "Blue") == ["man", "shirt", "blue"]
    assert suggested_objects("Is there a cat on the cat tree?", "no") == ["cat", "tree"]
