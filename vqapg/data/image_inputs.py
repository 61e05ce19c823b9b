"""The images of a batch, as models read them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


def image_inputs(features: Any, rows: Sequence[int] | np.ndarray) -> dict[str, Tensor]:
    """What a model reads of the images in *rows*.

    Args:
        features: a :class:`~vqapg.data.feature_store.FeatureStore`, or what stands in for one. Its
            ``region_counts`` are how many regions each image has; None, or none of that name, where
            all have equally many
        rows: of the distinct images, ``[U]``

    Returns:
        ``features [U, R, C]``; and bool ``regions_real [U, R]``, False on padding, but only where
        images of the batch have different numbers of regions
    """
    inputs = {"features": torch.from_numpy(features.read(rows))}
    counts = getattr(features, "region_counts", None)
    if counts is not None:
        # [U], [R] -> [U, R]
        own = counts[np.asarray(rows, np.int64)]
        real = np.arange(own.max(initial=0)) < own[:, None]
        if not real.all():
            inputs["regions_real"] = torch.from_numpy(real)
    return inputs
