import itertools
from collections import Counter, defaultdict

import pytest

from vqapg.datasets import scenes
from vqapg.datasets.scene_grammar import ASKED_FOR, answer_to, parse
from vqapg.datasets.scene_layout import Draws, Scene, draw_scene
from vqapg.errors import InputError

SIZES = {"max_images": 300, "max_valid_images": 20, "max_test_images": 80}


@pytest.fixture(scope="module")
def made():
    """The scenes by image, and the data of seed 5."""
    drawn: dict[str, Scene] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenes, "write_scenes", lambda folder, found, seed: drawn.update(found) or [])
        data = scenes.read(seed=5, **SIZES)
        data.write(None)
    return drawn, data


def test_counts_are_those_asked_for(made):
    drawn, data = made
    images = Counter(image.split("/")[1] for image in drawn)
    assert images == {"train": 300, "valid": 20, "test": 80}
    assert Counter(record.image for record in data.records) == dict.fromkeys(drawn, 10)


def test_every_gold_pair_is_right_and_asks_another_thing(made):
    drawn, data = made
    asked = defaultdict(list)
    for record in data.records:
        question = parse(record.question)
        assert answer_to(question, drawn[record.image].things) == record.answer
        asked[record.image].append(question)
    assert all(len(set(questions)) == 10 for questions in asked.values())


def test_no_two_images_show_the_same_things(made):
    drawn, _ = made
    assert len({frozenset(scene.things) for scene in drawn.values()}) == len(drawn)


def test_a_scene_that_is_known_is_drawn_again(monkeypatch):
    first, second = (draw_scene(Draws("again", number)) for number in (1, 2))
    drawn = iter([first, first, second, first, second, draw_scene(Draws("again", 3))])
    monkeypatch.setattr(scenes, "draw_scene", lambda draws: next(drawn))
    known: set = set()
    found = [scenes._new_scene(image, known) for image in "abc"]
    assert found[:2] == [first, second] and found[2] not in (first, second)


def test_positions_have_a_margin(made):
    drawn, _ = made
    for scene in drawn.values():
        assert 2 <= len(scene.things) <= 5
        for axis in ("x", "y"):
            at = sorted(getattr(thing, axis) for thing in scene.things)
            assert all(abs(one - 63.5) >= 8 for one in at)
            assert all(after - before >= 12 for before, after in itertools.pairwise(at))


def test_no_answer_is_far_too_frequent_for_its_kind(made):
    _, data = made
    answers = defaultdict(Counter)
    for record in data.records:
        answers[parse(record.question).asks][record.answer] += 1
    assert set(answers) == set(ASKED_FOR)
    for kind, counts in answers.items():
        assert max(counts.values()) / counts.total() < 0.6, (kind, counts)
        assert counts.total() > 0.02 * len(data.records), (kind, counts)
    assert set(answers["count"]) == set("012345")


def test_same_seed_gives_the_same_and_another_does_not(made):
    _, data = made
    assert scenes.read(seed=5, **SIZES).records == data.records
    fewer = scenes.read(seed=5, max_images=3, max_valid_images=1, max_test_images=2).records
    assert set(fewer) < set(data.records) and len(fewer) == 60
    # The names of images have the seed in them.
    other = [r.question for r in scenes.read(seed=6, **SIZES).records]
    assert other != [record.question for record in data.records]


def test_pairs_are_the_same_on_every_machine():
    records = scenes.read(seed=1, max_images=1, max_valid_images=1, max_test_images=1).records
    assert [(r.question, r.answer) for r in records[:3]] == GOLDEN


def test_a_source_is_refused():
    with pytest.raises(InputError, match="scenes are drawn, not read; leave --source out"):
        scenes.read("folder", seed=1, **SIZES)


GOLDEN = [
    ("does the image contain fewer black objects than yellow objects ?", "no"),
    ("is the black object in the left or the right half ?", "right"),
    ("what color is the square ?", "black"),
]
