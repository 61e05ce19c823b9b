"""Pairs for the images of a data directory, by the features that are stored there."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from vqapg.data.directory import DataDirectory
from vqapg.data.feature_store import FeatureStore
from vqapg.data.input_image import InputImage, image_number
from vqapg.devices import chosen_device
from vqapg.errors import InputError
from vqapg.judges.judge import Judge
from vqapg.models.vqapg_model import FEATURE_IDENTITY
from vqapg.sampling.images import FoundImages
from vqapg.sampling.images_in_hand import OpenPicture
from vqapg.sampling.options import SamplingOptions
from vqapg.sampling.sampled_pair import Sampled
from vqapg.sampling.sampler import PairSampler
from vqapg.tasks.checkpoints import load_generation_model


class StoredImage(InputImage):
    """An image of a data directory. Its number is made of its id, and its picture is not read."""

    def number(self) -> int:
        return image_number(self.name.encode())


def images_of(data: DataDirectory, split: str) -> FoundImages:
    """The images of *split*; in output each is called as in *data*, which ``evaluate`` asks for."""
    found = FoundImages()
    for image in data.image_ids(split):
        found.append(StoredImage(image, os.fspath(data.image_path(image))))
    return found


class StoredSampler(PairSampler):
    """A :class:`~vqapg.sampling.sampler.PairSampler` without a backbone: it looks at no picture.

    An image's number in noise keys is made of its id, so a data directory without its pictures
    gives the same pairs.

    Args:
        checkpoint: of any model of task ``vqapg``
        data: a data directory with features like those the model was trained on
        judge: as PairSampler has it
        device: "cpu", "cuda", or "auto"

    Raises:
        InputError: if the features are others than those of the model
    """

    def __init__(
        self,
        checkpoint: str | os.PathLike[str],
        data: DataDirectory,
        judge: str | Judge | None = None,
        device: str = "auto",
    ) -> None:
        generator = load_generation_model(checkpoint)
        self.store = FeatureStore(data.features_path)
        theirs = {name: self.store.source[name] for name in FEATURE_IDENTITY}
        trained = {name: generator.features[name] for name in FEATURE_IDENTITY}
        if theirs != trained:
            raise InputError(
                f"{self.store.path}: features by {theirs['backbone']}, but the model was trained "
                f"on features by {trained['backbone']}; give a data directory with such features"
            )
        if self.store.shape[2] != generator.model.state_dict()[_mean_of(generator)].numel():
            raise InputError(
                f"{self.store.path}: has {self.store.shape[2]:,} channels, and the model reads "
                "another number; give features by the same network"
            )
        super().__init__(generator, judge, chosen_device(device))

    @property
    def grid(self) -> tuple[int, int] | None:
        return self.store.grid

    def boxes(self, name: str) -> NDArray[np.float32] | None:
        return self.store.boxes(name)

    def pictures(self, images: Sequence[InputImage]) -> Dataset[tuple[Tensor, int] | str]:
        return _Rows(images, self.store)

    def features(self, pixels: Tensor) -> Tensor:
        # What pictures() gives are rows already.
        return pixels

    def sample_batch(
        self,
        features: Any,
        numbers: Sequence[int],
        options: SamplingOptions,
        rows_at_once: int = 256,
        pictures: Mapping[str, OpenPicture] | None = None,
        region_counts: NDArray[np.int64] | None = None,
    ) -> list[Sampled]:
        """As PairSampler; *features* are rows of the features file, ``[U]``."""
        rows = features.numpy()
        counts = self.store.region_counts
        return super().sample_batch(
            self.store.read(rows),
            numbers,
            options,
            rows_at_once,
            pictures,
            None if counts is None else counts[rows],
        )


def _mean_of(generator: Any) -> str:
    names = generator.model.state_dict()
    return next(name for name in names if name.endswith("feature_mean"))


class _Rows(Dataset[tuple[Tensor, int] | str]):
    """The row and the number of each image, as Pictures gives pixels and number."""

    def __init__(self, images: Sequence[InputImage], store: FeatureStore) -> None:
        self.images, self.rows, self.path = images, store.rows, store.path

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int] | str:
        image = self.images[index]
        if image.name not in self.rows:
            return f"{self.path}: {image.name} has no features; make them anew"
        return torch.tensor(self.rows[image.name]), image.number()
