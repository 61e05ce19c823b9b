"""The pixels of a scene: whole numbers throughout, so that every machine draws the same ones."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from vqapg.datasets.scene_layout import COLORS, SIDE, Ground, Scene, Thing

Pixels = NDArray[np.uint8]
Whole = NDArray[np.int32]
# A pixel of an edge is mixed by how many of its 4 x 4 points are in the shape.
POINTS = 4
GRAIN = 2  # pixels of one noise value
CLOUD = 16  # pixels between two noise values of the texture "clouds"


def picture_of(scene: Scene) -> Pixels:
    """The picture of *scene*.

    Shape:
        - returns ``[SIDE, SIDE, 3]``, red, green and blue from 0 to 255
    """
    pixels = _ground(scene.ground)
    for thing in scene.things:
        _paint(pixels, thing)
    return pixels.astype(np.uint8)


def _paint(pixels: Whole, thing: Thing) -> None:
    """Put *thing* over *pixels*."""
    reach = thing.radius + 1
    rows, columns = (slice(at - reach, at + reach + 1) for at in (thing.y, thing.x))
    covered = covered_points(thing.shape, thing.radius)[..., None]
    color = np.array(COLORS[thing.color], dtype=np.int32)
    mixed = covered * color + (POINTS**2 - covered) * pixels[rows, columns]
    pixels[rows, columns] = mixed // POINTS**2


def covered_points(shape: str, radius: int) -> Whole:
    """How many of the points of each pixel lie in *shape*, whose centre is the middle pixel's.

    Shape:
        - returns ``[2 * radius + 3, 2 * radius + 3]``, from 0 to 16
    """
    # In eighths of a pixel: the points of a pixel lie at -3, -1, 1 and 3.
    size, reach = 8 * radius, radius + 1
    points = np.arange(-reach * 8 - 3, reach * 8 + 4, 2, dtype=np.int32)
    x, y = points[None, :], points[:, None]
    match shape:
        case "circle":
            inside = x**2 + y**2 <= size**2
        case "square":
            inside = np.maximum(abs(x), abs(y)) <= 7 * radius
        case "triangle":
            # Equilateral, nearly: a half side is 7 / 8 of the radius.
            inside = (2 * y <= size) & (12 * abs(x) <= 7 * (y + size))
        case "cross":
            inside = (np.minimum(abs(x), abs(y)) <= size // 3) & (
                np.maximum(abs(x), abs(y)) <= size
            )
        case _:
            raise ValueError(f"unknown shape: {shape}")
    pixels = len(points) // POINTS
    counts: Whole = inside.reshape(pixels, POINTS, pixels, POINTS).sum(axis=(1, 3), dtype=np.int32)
    return counts


def _ground(ground: Ground) -> Whole:
    """``[SIDE, SIDE, 3]``"""
    y, x = np.indices((SIDE, SIDE), dtype=np.int32)
    match ground.texture:
        case "speckle":
            light = _noise(ground, SIDE // 4).repeat(4, axis=0).repeat(4, axis=1)
        case "stripes":
            slope = ground.grain % 3 - 1
            light = (x + slope * y) // ground.period % 2 * 255
        case "checks":
            light = (x // ground.period + y // ground.period) % 2 * 255
        case "clouds":
            light = _smooth(_noise(ground, SIDE // CLOUD + 1))
        case _:
            raise ValueError(f"unknown texture: {ground.texture}")
    low, high = (np.array(grey, dtype=np.int32) for grey in (ground.dark, ground.light))
    grain = _noise(ground, SIDE // GRAIN).repeat(GRAIN, axis=0).repeat(GRAIN, axis=1) % 9 - 4
    mixed = (low * (255 - light[..., None]) + high * light[..., None]) // 255
    return mixed + grain[..., None]


def _noise(ground: Ground, side: int) -> Whole:
    """Numbers from 0 to 255, ``[side, side]``, of the ground's seed."""
    # NumPy's generators may change with its version; this cannot.
    name = f"{ground.grain}/{side}".encode()
    drawn = hashlib.shake_256(name).digest(side * side)
    return np.frombuffer(drawn, np.uint8).astype(np.int32).reshape(side, side)


def _smooth(corners: Whole) -> Whole:
    """Between *corners*, CLOUD pixels apart, in proportion to the distance."""
    at, rest = np.divmod(np.arange(SIDE), CLOUD)
    rows = corners[at] * (CLOUD - rest[:, None]) + corners[at + 1] * rest[:, None]
    mixed: Whole = rows[:, at] * (CLOUD - rest) + rows[:, at + 1] * rest
    return mixed // CLOUD**2
