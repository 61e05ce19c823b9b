"""Pairs for one image after the other: pictures are read ahead, and sampled in batches."""

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from PIL.Image import Image
from torch import Tensor
from torch.utils.data import DataLoader

from vqapg.data.input_image import InputImage
from vqapg.data.remote_files import is_remote
from vqapg.data.shared_memory import share
from vqapg.sampling.options import SamplingOptions
from vqapg.sampling.sampled_pair import Sampled

if TYPE_CHECKING:
    from vqapg.sampling.sampler import PairSampler


class Outcome(NamedTuple):
    """What came of an image.

    Attributes:
        image: which
        number: in noise keys
        sampled: its pairs
        error: what is wrong with an image that cannot be read; None of the others
    """

    image: InputImage
    number: int
    sampled: Sampled
    error: str | None = None


def sample_each(
    sampler: "PairSampler",
    images: Sequence[InputImage],
    options: SamplingOptions,
    *,
    batch_size: int = 256,
    num_workers: int = 0,
) -> Iterator[Outcome]:
    """Yields what comes of each image, in order.

    Args:
        sampler: draws and judges
        images: to be read
        options: checked
        batch_size: how many draws are decoded together; changes no pair
        num_workers: processes that read images; 0: this one does
    """
    workers = min(num_workers, len(images))
    # Connections to other machines do not survive a fork.
    spawn = workers and any(is_remote(image.path) for image in images)
    loader: DataLoader[Any] = DataLoader(
        sampler.pictures(images),
        batch_size=max(1, batch_size // sampler.draws(options)),
        num_workers=workers,
        collate_fn=collate_pictures,
        multiprocessing_context="spawn" if spawn else None,
    )
    coming = iter(images)
    for pixels, numbers, errors in loader:
        batch = list(zip(itertools.islice(coming, len(errors)), errors))
        pictures = {
            image.name: functools.partial(_picture, image)
            for image, error in batch
            if error is None
        }
        found: Sequence[Sampled] = ()
        if numbers:
            features = sampler.features(pixels)
            found = sampler.sample_batch(features, numbers, options, batch_size, pictures)
        sampled = zip(numbers, found, strict=True)
        for image, error in batch:
            if error is None:
                yield Outcome(image, *next(sampled))
            else:
                yield Outcome(image, 0, Sampled(), error)


def collate_pictures(
    items: Sequence[tuple[Tensor, int] | str],
) -> tuple[Tensor | None, list[int], list[str | None]]:
    """What a loader's worker sends of a batch.

    Args:
        items: of a dataset such as :class:`~vqapg.sampling.picture_reader.Pictures`

    Returns:
        pixels ``[n, 3, S, S]`` and numbers of those that could be read, and for every image its
        error or None
    """
    read = [item for item in items if not isinstance(item, str)]
    pixels = torch.stack([pixels for pixels, _ in read]) if read else None
    errors = [item if isinstance(item, str) else None for item in items]
    shared: tuple[Tensor | None, list[int], list[str | None]] = share(
        (pixels, [number for _, number in read], errors)
    )
    return shared


def _picture(image: InputImage) -> Image:
    return image.open()[0]
