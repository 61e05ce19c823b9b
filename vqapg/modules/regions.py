"""Regions where images have different numbers of them, and where pairs share an image.

``real`` is bool ``[B, R]``: True on an image's own regions, which come first, and False on padding.
Where it is None no region is padding. Regions are 0 on padding once the image encoder has read
them.

Whoever attends to regions gets them as :data:`Regions`: a tensor ``[B, R, D]``, or
:class:`SharedRegions`, which says the same of B pairs without a copy for each.
"""

from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor


class SharedRegions(NamedTuple):
    """The regions of B pairs, kept once for up to K pairs of an image.

    The K places of an image stand side by side. A pair fills one of them, and some stay empty.
    All pairs of an image then ask its regions in one matrix product.

    Attributes:
        values: ``[N, R, D]``, an image's regions; twice where it has more than K pairs
        place: ``[B]``, which of the N * K places a pair fills
        pair: ``[N * K]``, the pair in each place; any pair in an empty one
        weights: ``[B, R]``, what scales the regions of each pair (equation 5); None: nothing
    """

    values: Tensor
    place: Tensor
    pair: Tensor
    weights: Tensor | None = None

    def by_image(self, rows: Tensor) -> Tensor:
        """What stands for each pair, brought to its place: ``[B, T, X] -> [N, K * T, X]``."""
        return rows.index_select(0, self.pair).reshape(self.values.size(0), -1, rows.size(2))

    def by_pair(self, rows: Tensor, steps: int) -> Tensor:
        """The other way round: ``[N, K * T, X] -> [B, T, X]``, where *steps* is T."""
        return rows.reshape(-1, steps, rows.size(2)).index_select(0, self.place)


Regions: TypeAlias = Tensor | SharedRegions


def share_regions(image: Tensor, image_index: Tensor) -> SharedRegions:
    """The regions of each pair's image, without a copy for each pair.

    K is the mean number of pairs of an image, rounded up: at most half of the places are empty.

    Args:
        image: the regions of the distinct images
        image_index: which of them each pair is of

    Shape: image ``[U, R, D]``, image_index ``[B]``
    """
    images, pairs = image.size(0), image_index.size(0)
    size = -(-pairs // images)
    of_image = image_index.bincount(minlength=images)
    copies = (of_image + size - 1) // size
    # A pair's number among those of its image, in the order of the batch
    order = image_index.argsort(stable=True)
    numbers = torch.arange(pairs, device=image_index.device)
    number = torch.empty_like(numbers)
    number[order] = numbers - (of_image.cumsum(0) - of_image)[image_index[order]]
    place = (copies.cumsum(0) - copies)[image_index] * size + number
    if not bool(copies.eq(1).all()):
        image = image.repeat_interleave(copies, dim=0)
    pair = place.new_zeros(image.size(0) * size)
    pair[place] = numbers
    return SharedRegions(image, place, pair)


def count_rows(regions: Regions) -> int:
    """B, of how many pairs they are."""
    return len(regions if isinstance(regions, Tensor) else regions.place)


def select_rows(regions: Regions, rows: Tensor) -> Regions:
    """The regions of the given pairs."""
    if isinstance(regions, Tensor):
        return regions[rows]
    size = len(regions.pair) // len(regions.values)
    selected = share_regions(regions.values, regions.place[rows] // size)
    return selected._replace(weights=None if regions.weights is None else regions.weights[rows])


def dot(queries: Tensor, regions: Regions) -> Tensor:
    """q^T (w_i h_i) of each query and region, w being 1 where nothing scales the regions.

    It is w_i (q^T h_i), so that no pair needs scaled regions of its own.

    Shape: queries ``[B, T, D]``, regions of B pairs -> ``[B, T, R]``
    """
    if isinstance(regions, Tensor):
        return queries @ regions.transpose(1, 2)
    scores = regions.by_image(queries) @ regions.values.transpose(1, 2)
    scores = regions.by_pair(scores, queries.size(1))
    return scores if regions.weights is None else regions.weights.unsqueeze(1) * scores


def weighted_sum(shares: Tensor, regions: Regions) -> Tensor:
    """sum_i a_i (w_i h_i), by the *shares* a: (a_i w_i) h_i, as in :func:`dot`.

    Shape: shares ``[B, T, R]``, regions of B pairs -> ``[B, T, D]``
    """
    if isinstance(regions, Tensor):
        return shares @ regions
    if regions.weights is not None:
        shares = shares * regions.weights.unsqueeze(1)
    return regions.by_pair(regions.by_image(shares) @ regions.values, shares.size(1))


def scale(regions: Regions, weights: Tensor) -> Regions:
    """w_i h_i (equation 5).

    Shape: regions of B pairs, weights ``[B, R]``
    """
    if isinstance(regions, Tensor):
        return weights.unsqueeze(2) * regions
    return regions._replace(weights=weights)


def mean_region(regions: Regions, real: Tensor | None = None) -> Tensor:
    """mean_i h_i over an image's own regions (equation 2).

    Args:
        regions: 0 on padding
        real: False on padding; None where there is none

    Shape:
        regions of B pairs, real ``[B, R]`` -> ``[B, D]``
    """
    if isinstance(regions, Tensor):
        sums, count = regions.sum(dim=1), regions.size(1)
    else:
        count = regions.values.size(1)
        ones = regions.values.new_ones(regions.place.size(0), 1, count)
        sums = weighted_sum(ones, regions).squeeze(1)
    if real is None:
        return sums / count
    return sums / real.sum(dim=1, keepdim=True).type_as(sums)


def select_real(real: Tensor | None, rows: Tensor) -> Tensor | None:
    """``real`` of the given rows, e.g. of each pair's image; None where there is no padding."""
    return None if real is None else real[rows]
