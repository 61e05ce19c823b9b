"""Regions where images have different numbers of them: padded rows, told by ``real``.

``real`` is bool ``[B, R]``: True on an image's own regions, which come first, and False on padding.
Where it is None no region is padding. Regions are 0 on padding once the image encoder has read
them.
"""

from torch import Tensor


def mean_region(regions: Tensor, real: Tensor | None = None) -> Tensor:
    """mean_i h_i over an image's own regions (equation 2).

    Args:
        regions: 0 on padding
        real: False on padding; None where there is none

    Shape:
        regions ``[B, R, D]``, real ``[B, R]`` -> ``[B, D]``
    """
    if real is None:
        return regions.mean(dim=1)
    return regions.sum(dim=1) / real.sum(dim=1, keepdim=True).type_as(regions)


def select_real(real: Tensor | None, rows: Tensor) -> Tensor | None:
    """``real`` of the given rows, e.g. of each pair's image; None where there is no padding."""
    return None if real is None else real[rows]
