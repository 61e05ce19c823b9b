"""Scenes: drawings of 2 to 5 coloured shapes, with ten kinds of questions (docs/scenes.md).

It is made here by a seed, images too: nothing is downloaded. What each image shows is known, so
that whether a pair is right can be decided exactly: ``--judge truth:scenes``.
"""

from pathlib import Path

from vqapg.datasets.official import seed_option
from vqapg.datasets.reader import Option, Reader, Record, SourceData
from vqapg.datasets.scene_file import GENERATOR, write_scenes
from vqapg.datasets.scene_layout import Draws, Scene, Thing, draw_scene
from vqapg.datasets.scene_questions import draw_pairs
from vqapg.errors import InputError


def read(
    source: str | Path | None = None,
    *,
    seed: int,
    max_images: int,
    max_valid_images: int,
    max_test_images: int,
) -> SourceData:
    """Draw the scenes and their pairs.

    Args:
        source: there is none
        seed: of everything that is drawn; an image of a seed does not depend on how many there are
        max_images, max_valid_images, max_test_images: how many images each split has

    Raises:
        InputError: if a source is given
    """
    if source is not None:
        raise InputError(f"--source {source}: scenes are drawn, not read; leave --source out")
    counts = {"train": max_images, "valid": max_valid_images, "test": max_test_images}
    scenes: dict[str, Scene] = {}
    records: list[Record] = []
    known: set[frozenset[Thing]] = set()
    for split, count in counts.items():
        for number in range(1, count + 1):
            image = f"seed-{seed}/{split}/{number:04}.png"
            scene = _new_scene(image, known)
            scenes[image] = scene
            pairs = draw_pairs(Draws(GENERATOR, "pairs", image), scene.things)
            records += [Record(image, question, answer, split) for question, answer in pairs]
    return SourceData(
        Path(GENERATOR),
        Path(GENERATOR),
        records,
        [],
        lambda folder: write_scenes(folder, scenes, seed),
    )


def _new_scene(image: str, known: set[frozenset[Thing]]) -> Scene:
    """The scene of *image*; none whose things are *known*, so that no two splits share one."""
    draws = Draws(GENERATOR, "scene", image)
    while True:
        scene = draw_scene(draws)
        things = frozenset(scene.things)
        if things not in known:
            known.add(things)
            return scene


def _empty_split_cure(split: str) -> str:
    return f"draw at least one image for {split}"


READER = Reader(
    read,
    source="none: they are drawn",
    options=(
        seed_option("the scenes and their pairs"),
        Option("max_images", int, 4_000, "draw N images for training", minimum=1),
        Option("max_valid_images", int, 500, "draw N images for validation", minimum=1),
        Option("max_test_images", int, 1_000, "draw N images for the test split", minimum=1),
    ),
    empty_split_cure=_empty_split_cure,
    truth="scenes",
    images="vqapg drew them.",
)
