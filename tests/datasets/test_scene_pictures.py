import hashlib
from fractions import Fraction

import numpy as np
import pytest

from vqapg.datasets.scene_layout import COLORS, SHAPES, SIDE, TEXTURES, Draws, Thing, draw_scene
from vqapg.datasets.scene_pictures import covered_points, picture_of


def scenes(count):
    return [draw_scene(Draws("pictures", number)) for number in range(count)]


def test_pixels_show_what_the_description_says():
    for scene in scenes(200):
        picture = picture_of(scene).astype(int)
        for thing in scene.things:
            assert tuple(picture[thing.y, thing.x]) == COLORS[thing.color]
            assert shape_seen(picture, thing) == thing.shape, thing


def shape_seen(picture, thing):
    """The shape, by a few points: which of them have the colour of the thing."""

    def colored(x, y):
        at = round(thing.y + y * thing.radius), round(thing.x + x * thing.radius)
        return tuple(picture[at]) == COLORS[thing.color]

    if colored(0.75, -0.75) and colored(-0.75, 0.75):
        return "square"
    if not colored(0.45, -0.45):
        return "cross" if colored(0, 0.85) and colored(0.85, 0) else "triangle"
    return "circle" if colored(0, 0.85) and not colored(0.85, 0.85) else None


def test_size_is_that_of_the_coloured_area():
    for scene in scenes(50):
        picture = picture_of(scene)
        for thing in scene.things:
            reach = thing.radius + 1
            box = picture[
                thing.y - reach : thing.y + reach + 1, thing.x - reach : thing.x + reach + 1
            ]
            painted = (box == COLORS[thing.color]).all(axis=2)
            width = np.flatnonzero(painted.any(axis=0))
            assert (np.ptp(width) + 1 > 22) == (thing.size == "large"), thing


def test_ground_is_grey_and_has_none_of_the_colours():
    for scene in scenes(60):
        ground = picture_of(scene._replace(things=())).astype(int)
        # Far from each colour, and from being one: all three channels are nearly equal.
        assert np.ptp(ground, axis=2).max() <= 16
        distance = min(
            np.abs(ground - np.array(color)).max(axis=2).min() for color in COLORS.values()
        )
        assert distance > 50


@pytest.mark.parametrize("shape", SHAPES)
def test_covered_points_are_those_of_a_slow_count(shape):
    radius = 8
    for row, line in enumerate(covered_points(shape, radius)):
        for column, count in enumerate(line):
            points = [
                (column - radius - 1 + Fraction(i, 8), row - radius - 1 + Fraction(j, 8))
                for i in (-3, -1, 1, 3)
                for j in (-3, -1, 1, 3)
            ]
            assert count == sum(is_inside(shape, x, y, radius) for x, y in points)


def is_inside(shape, x, y, radius):
    """Whether the point is in the shape around (0, 0); y grows downwards."""
    if shape == "circle":
        return x * x + y * y <= radius**2
    if shape == "square":
        half = Fraction(7, 8) * radius
        return -half <= x <= half and -half <= y <= half
    if shape == "triangle":
        # From its tip down to half a radius below the centre, getting wider.
        width = Fraction(7, 12) * (y + radius)
        return y <= Fraction(radius, 2) and -width <= x <= width
    bar = Fraction(8 * radius // 3, 8)
    upright = -bar <= x <= bar and -radius <= y <= radius
    return upright or (-bar <= y <= bar and -radius <= x <= radius)


def test_all_textures_are_drawn():
    assert {scene.ground.texture for scene in scenes(60)} == set(TEXTURES)


def test_pixels_are_the_same_on_every_machine():
    # By the code of version "scenes-1"; another sum needs another GENERATOR.
    pixels = hashlib.sha256()
    for scene in scenes(20):
        picture = picture_of(scene)
        assert picture.shape == (SIDE, SIDE, 3) and picture.dtype == np.uint8
        pixels.update(picture.tobytes())
    assert pixels.hexdigest() == GOLDEN


def test_things_do_not_touch():
    thing = Thing("red", "circle", 40, 40, 17)
    for scene in scenes(200):
        assert all(t.x - t.radius >= 2 and t.x + t.radius <= SIDE - 3 for t in scene.things)
        assert all(t.y - t.radius >= 2 and t.y + t.radius <= SIDE - 3 for t in scene.things)
        covered = np.zeros((SIDE, SIDE), dtype=int)
        for thing in scene.things:
            reach = thing.radius + 1
            rows, columns = (slice(at - reach, at + reach + 1) for at in (thing.y, thing.x))
            covered[rows, columns] += covered_points(thing.shape, thing.radius) > 0
        assert covered.max() == 1


GOLDEN = "5c6b66007bba236f1382351632bae2ee126c332e188a71d6849697b7ad03b223"
