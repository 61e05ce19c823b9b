"""Pictures through a frozen network, a batch at a time: the features as they are stored."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vqapg.backbones.backbone import Backbone, Preprocessing
from vqapg.data.pictures import open_rgb
from vqapg.data.shared_memory import share
from vqapg.errors import InputError
from vqapg.memory import keep_freed_memory

FLOAT16_MAX = float(np.finfo(np.float16).max)


class Encoded(NamedTuple):
    """The features of some images, one after another.

    Attributes:
        features: float16 ``[n, R, C]``, 0 for an image that was left out
        errors: what is wrong with each of those, by its place
    """

    features: np.ndarray
    errors: dict[int, str]


def encode_pictures(
    backbone: Backbone,
    paths: Sequence[Path],
    *,
    device: str,
    batch_size: int,
    num_workers: int,
    skip_bad_images: bool,
) -> Iterator[Encoded]:
    """Yields the features of the pictures *paths*, *batch_size* at a time and in their order.

    Raises:
        InputError: if a picture cannot be read, unless *skip_bad_images*; or its features are not
            finite
    """
    backbone = backbone.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    keep_freed_memory()
    loader = DataLoader(
        _Images(paths, backbone.preprocessing),
        batch_size=batch_size,
        num_workers=num_workers,
        collate_fn=collate,
        pin_memory=torch.device(device).type == "cuda",
    )
    begin = 0
    for images, errors in loader:
        check_left_out(errors, skip_bad_images)
        count = len(errors) + (0 if images is None else len(images))
        features = np.zeros((count, backbone.grid[0] * backbone.grid[1], backbone.channels), "<f2")
        if images is not None:
            read = [place for place in range(count) if place not in errors]
            with torch.inference_mode():
                features[read] = encode_images(backbone, images.to(device, non_blocking=True))
        if not np.isfinite(features).all():
            place = int(np.argmin(np.isfinite(features).all(axis=(1, 2))))
            raise InputError(
                f"{paths[begin + place]}: {backbone.name} gives no finite features; check --weights"
            )
        yield Encoded(features, errors)
        begin += count


def check_left_out(errors: Mapping[int, str], skip_bad_images: bool) -> None:
    """Raises InputError for an image that is left out, unless it may be."""
    if errors and not skip_bad_images:
        raise InputError(
            f"{next(iter(errors.values()))}; or leave such images out: --skip-bad-images"
        )


def encode_images(backbone: Backbone, images: Tensor) -> np.ndarray:
    """Bytes ``[N, 3, H, W]`` -> float16 ``[N, R, C]`` on the CPU: the features as they are stored.

    Args:
        backbone: the network
        images: resized, on its device
    """
    images = backbone.preprocessing.normalise(images.contiguous(memory_format=torch.channels_last))
    features: np.ndarray = backbone(images).clamp(-FLOAT16_MAX, FLOAT16_MAX).half().cpu().numpy()
    return features


class _Images(Dataset[Tensor | str]):
    """Decodes in the loader's workers. An error travels as text: raised there it would end in a
    traceback.
    """

    def __init__(self, paths: Sequence[Path], preprocessing: Preprocessing) -> None:
        self.paths = paths
        self.preprocessing = preprocessing

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor | str:
        try:
            # Bytes: a quarter of the numbers' size on the way to this process, and on to the
            # device.
            return self.preprocessing.resize(open_rgb(self.paths[index]))
        except InputError as error:
            return str(error)


def collate(items: Sequence[Tensor | str]) -> tuple[Tensor | None, dict[int, str]]:
    """A batch of a loader: the images that could be read, and the errors of the others by place.

    Shape:
        ``[3, H, W]`` or an error each -> ``[n, 3, H, W]``, None where none could be read
    """
    errors = {place: item for place, item in enumerate(items) if isinstance(item, str)}
    images = [item for item in items if not isinstance(item, str)]
    batch: tuple[Tensor | None, dict[int, str]] = share(
        (torch.stack(images) if images else None, errors)
    )
    return batch
