"""What a drawing of the data set ``scenes`` shows, and how one is drawn at random.

Every question about where a thing is has one answer: no centre lies near a middle line, and no two
centres have nearly the same column or the same row. No thing covers another.

Only ``random.Random.random`` is used, whose numbers are the same on every machine and Python.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")

SIDE = 128  # pixels
# Names and pixels. Grounds are grey, so that none of them hides a thing.
COLORS = {
    "red": (215, 35, 35),
    "green": (35, 150, 60),
    "blue": (40, 75, 215),
    "yellow": (245, 215, 35),
    "purple": (150, 50, 185),
    "black": (15, 15, 15),
}
SHAPES = ("circle", "square", "triangle", "cross")
SIZES = {"small": (8, 9, 10), "large": (15, 16, 17)}  # radii in pixels
TEXTURES = ("speckle", "stripes", "checks", "clouds")
MOST_THINGS, FEWEST_THINGS = 5, 2

LOWEST, HIGHEST = 19, 108  # of a centre: the largest thing stays 2 pixels within the picture
GAP = 12  # between the columns of two centres, and between their rows
FROM_MIDDLE = 8  # of a centre, to either middle line
ROOM = 3  # pixels between two things


class Thing(NamedTuple):
    """A coloured shape; x grows to the right and y downwards, as in picture files."""

    color: str
    shape: str
    x: int
    y: int
    radius: int

    @property
    def size(self) -> str:
        return "small" if self.radius <= SIZES["small"][-1] else "large"

    @property
    def is_left(self) -> bool:
        return self.x < SIDE // 2

    @property
    def is_at_top(self) -> bool:
        return self.y < SIDE // 2


class Ground(NamedTuple):
    """What is behind the things.

    Attributes:
        texture: one of ``TEXTURES``
        dark, light: its two greys, as red, green and blue
        period: of stripes and checks, in pixels
        grain: of its noise, the seed
    """

    texture: str
    dark: tuple[int, int, int]
    light: tuple[int, int, int]
    period: int
    grain: int


class Scene(NamedTuple):
    """A drawing."""

    ground: Ground
    things: tuple[Thing, ...]


class Draws:
    """Random draws that depend on *key* alone."""

    def __init__(self, *key: object) -> None:
        self._random = random.Random("/".join(map(str, key)))

    def below(self, count: int) -> int:
        """A whole number from 0 to *count* - 1."""
        return int(self._random.random() * count)

    def choice(self, items: Sequence[T]) -> T:
        """One of *items*."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All of *items* in another order."""
        keys = [self._random.random() for _ in items]
        return [items[place] for place in sorted(range(len(items)), key=keys.__getitem__)]


def draw_scene(draws: Draws) -> Scene:
    """A scene at random.

    Colours and shapes come from small palettes of the scene's own, so that things often share
    them: else two things would seldom have the same colour.
    """
    count = FEWEST_THINGS + draws.below(MOST_THINGS - FEWEST_THINGS + 1)
    colors = draws.shuffled(list(COLORS))[: 2 + draws.below(3)]
    shapes = draws.shuffled(SHAPES)[: 2 + draws.below(3)]
    while True:
        places = zip(_spread(draws, count), draws.shuffled(_spread(draws, count)))
        things = tuple(
            Thing(
                draws.choice(colors),
                draws.choice(shapes),
                x,
                y,
                draws.choice(SIZES[draws.choice(list(SIZES))]),
            )
            for x, y in places
        )
        if _are_apart(things):
            return Scene(_ground(draws), things)


def _spread(draws: Draws, count: int) -> list[int]:
    """Rising coordinates of *count* centres, at least GAP apart and off the middle."""
    slack = HIGHEST - LOWEST - GAP * (count - 1)
    while True:
        shifts = sorted(draws.below(slack + 1) for _ in range(count))
        found = [LOWEST + GAP * place + shift for place, shift in enumerate(shifts)]
        # The middle line runs between two pixels.
        if all(abs(2 * one - (SIDE - 1)) >= 2 * FROM_MIDDLE for one in found):
            return found


def _are_apart(things: Sequence[Thing]) -> bool:
    return all(
        max(abs(one.x - other.x), abs(one.y - other.y)) >= one.radius + other.radius + ROOM
        for place, one in enumerate(things)
        for other in things[:place]
    )


def _ground(draws: Draws) -> Ground:
    level = 110 + draws.below(60)
    dark, light = (
        tuple(grey + draws.below(13) - 6 for _ in range(3))
        for grey in (level, level + 20 + draws.below(25))
    )
    return Ground(
        draws.choice(TEXTURES),
        dark,  # type: ignore[arg-type]  # three of them
        light,  # type: ignore[arg-type]
        4 + draws.below(9),
        draws.below(1 << 31),
    )
