"""Brings features that were made elsewhere into a data directory's features.h5.

The form is checked first, of all images, before anything is written. The file gets its final name
when it is whole; a killed run leaves nothing that a later one would take for features.
"""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vqapg.data.directory import DataDirectory
from vqapg.data.feature_statistics import channel_statistics, training_rows
from vqapg.data.feature_store import FeatureStore
from vqapg.data.feature_writer import FeatureWriter
from vqapg.data.own_features import (
    OwnRegions,
    Reader,
    check_shape,
    names_of_images,
    open_features,
)
from vqapg.errors import InputError
from vqapg.files import whole_file, writing
from vqapg.locks import Lock
from vqapg.provenance import IMPORTED
from vqapg.targets import check_target, our_features

FLOAT16_MAX = float(np.finfo(np.float16).max)
# Boxes are often rounded, so that they end a little outside of the picture.
SLACK = 0.01
NAME = re.compile(r"[\w.+-]{1,100}")


class Imported(NamedTuple):
    """What was imported: the store, and how many of the file's images DATA does not have."""

    store: FeatureStore
    left_over: int


def import_features(
    data: DataDirectory,
    path: Path,
    *,
    ids: Path | None = None,
    name: str = "own",
    grid: tuple[int, int] | None = None,
    overwrite: bool = False,
) -> Imported:
    """Write the features of *path* to the features.h5 of *data*.

    Args:
        data: the data directory, all images of which must have features
        path: see :func:`~vqapg.data.own_features.open_features`
        ids: likewise
        name: what made the features; a model only reads features of that name
        grid: rows and columns of the regions, where they are a grid
        overwrite: replace a features.h5 that vqapg made

    Raises:
        InputError: naming the file and the image whose features cannot be taken
    """
    if not NAME.fullmatch(name):
        raise InputError(f"--name {name}: give letters, digits and . + - _, at most 100")
    target = data.features_path
    if target.is_symlink():
        raise InputError(
            f"{target}: is a link to {os.readlink(target)}; import there, or remove the link"
        )
    check_target(target, our_features, overwrite=overwrite)
    reader = open_features(path, ids)
    image_ids = data.image_ids()
    names = names_of_images(image_ids, reader.names)
    if missing := [image for image in image_ids if image not in names]:
        raise InputError(
            f"{path}: {len(missing):,} of {len(image_ids):,} images are not in it, the first is "
            f"{missing[0]}; add them, or name them as {data.path}/*.image does"
        )
    regions, channels = _check_shapes(reader, list(names.values()), grid)
    with_boxes = reader.read(names[image_ids[0]]).boxes is not None
    source: dict[str, str | int] = {
        "backbone": IMPORTED + name,
        "weights": path.name,
        "weights_sha256": "imported",
        "image_size": 0,
    }
    with Lock(target) as lock, writing(target), whole_file(target) as partial:
        writer = FeatureWriter.create(
            partial,
            image_ids,
            grid,
            channels,
            source,
            data.images_digest(),
            regions=regions,
            with_boxes=with_boxes,
        )
        bar = tqdm(image_ids, desc="importing", unit="image", mininterval=1, delay=2, leave=False)
        for row, image in enumerate(bar):
            own = reader.read(names[image])
            where = reader.where(names[image])
            boxes = _boxes(own, with_boxes, where)
            writer.write_regions(row, _features(own.features, where), boxes)
        writer.flush()
        rows = {image: row for row, image in enumerate(image_ids)}
        statistics = channel_statistics(writer.read_own, training_rows(data, rows))
        lock.check()
        writer.finish(statistics)
        # A run that began meanwhile may have ended.
        check_target(target, our_features, overwrite=overwrite)
    return Imported(FeatureStore(target), len(reader.names) - len(names))


def _check_shapes(
    reader: Reader, names: list[str], grid: tuple[int, int] | None
) -> tuple[int, int]:
    """The most regions of an image, and the channels of all."""
    most, channels, first = 0, 0, names[0]
    bar = tqdm(names, desc="checking", unit="image", mininterval=1, delay=2, leave=False)
    for name in bar:
        regions, width = check_shape(reader, name)
        channels = channels or width
        if width != channels:
            raise InputError(
                f"{reader.where(name)}: {width:,} channels, but {channels:,} in "
                f"{reader.where(first)}; make all by one network"
            )
        if grid is not None and regions != grid[0] * grid[1]:
            raise InputError(
                f"{reader.where(name)}: {regions} regions are no grid of {grid[0]}x{grid[1]}; "
                "correct --grid, or leave it out"
            )
        most = max(most, regions)
    return most, channels


def _features(features: NDArray[Any], where: str) -> NDArray[np.float16]:
    if not np.isfinite(features).all():
        region = int(np.argmin(np.isfinite(features).all(axis=1)))
        raise InputError(f"{where}: region {region} has NaN or infinity in it; make it again")
    return np.clip(features, -FLOAT16_MAX, FLOAT16_MAX).astype(np.float16)


def _boxes(own: OwnRegions, wanted: bool, where: str) -> NDArray[np.float32] | None:
    """Boxes in shares of the picture's width and height."""
    if (own.boxes is not None) != wanted:
        has = (
            "no boxes, but the first image has" if wanted else "boxes, but the first image has none"
        )
        raise InputError(f"{where}: has {has}; give all images boxes, or none")
    if own.boxes is None:
        return None
    if own.boxes.dtype.kind not in "fiu" or own.boxes.shape != (len(own.features), 4):
        raise InputError(
            f"{where}: boxes are {own.boxes.dtype} of the shape {list(own.boxes.shape)}, not "
            f"numbers of [{len(own.features)}, 4]; give each region x1 y1 x2 y2"
        )
    boxes = own.boxes.astype(np.float64)
    if own.image_size is not None:
        size = own.image_size
        if size.shape != (2,) or size.dtype.kind not in "fiu" or not (size > 0).all():
            raise InputError(
                f"{where}: image_size is not [width, height]; give the picture's pixels"
            )
        boxes = boxes / np.tile(size.astype(np.float64), 2)
    if not np.isfinite(boxes).all() or (boxes < -SLACK).any() or (boxes > 1 + SLACK).any():
        cure = "mend them" if own.image_size is not None else "give image_size [width, height]"
        raise InputError(f"{where}: boxes lie outside of the picture; {cure}")
    if (boxes[:, :2] > boxes[:, 2:]).any():
        raise InputError(f"{where}: a box ends before it begins; give x1 y1 x2 y2")
    return boxes.clip(0, 1).astype(np.float32)
