"""The share of right triples from judgements whose images were drawn, not their triples.

An earlier round may have judged all pairs of some images. Pairs of one image are then right or
wrong together more often than others, so each judgement counts for less than one.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vqapg.errors import InputError
from vqapg.evaluation.proportions import student_t, weighted_sum
from vqapg.evaluation.stratified import Estimate, Stratum, estimate_of


def design_effect(deviations: ArrayLike, image: Sequence[object]) -> float:
    """How many times the variance of a mean grows because images were drawn; at least 1.

    Args:
        deviations: what each judgement adds to the mean, less its expectation: its weight times
            its value minus the mean. Only their ratios matter
        image: of each judgement

    Shape:
        ``[M]`` each

    Returns:
        I / (I - 1) times the sum of squares of the images' sums, over the sum of squares. Where
        nothing deviates or all is of one image, the most it can be, which is the mean number of
        judgements that share one's image

    Source:
        Kish, 1965, "Survey Sampling"; the ultimate cluster estimate of the variance
    """
    deviations = np.asarray(deviations, dtype=np.float64)
    number, counts = _numbered(image)
    squares, images = (deviations**2).sum(), len(counts)
    if images < 2 or squares == 0:
        return float((counts**2).sum() / counts.sum())
    sums = np.bincount(number, deviations, minlength=images)
    return max(1.0, float(images / (images - 1) * (sums**2).sum() / squares))


def estimate_drawn_by_image(
    sizes: Sequence[int],
    stratum: Sequence[int],
    image: Sequence[object],
    right: Sequence[bool],
) -> Estimate:
    """Estimates the share of right triples, post-stratified by the judge's score.

    The judged triples are weighted so that each stratum counts as in the whole file. In Wilson's
    intervals ``n_h / design effect`` takes the place of ``n_h``, and Student's t that of 1.96. The
    images are taken as drawn at random from the file's.

    Args:
        sizes: of the strata of the whole file
        stratum: of each judgement, an index into *sizes*
        image: of each judgement
        right: of each judgement; "cannot tell" is left out

    Shape:
        ``[H]`` and three times ``[M]``

    Returns:
        the estimate; its interval is 0 to 1 where all judgements are of one image

    Raises:
        InputError: if nothing is judged
    """
    if not len(right):
        raise InputError("no pair is judged right or wrong yet; judge some, then estimate")
    which, is_right = np.asarray(stratum, dtype=np.int64), np.asarray(right, dtype=np.float64)
    judged = np.bincount(which, minlength=len(sizes))
    rights = np.bincount(which, is_right, minlength=len(sizes))
    strata = tuple(
        Stratum(size, int(n), int(r)) for size, n, r in zip(sizes, judged, rights) if size
    )
    weights = np.asarray(sizes, dtype=np.float64) / sum(sizes)
    share = rights / np.maximum(judged, 1)
    effect = design_effect(
        (weights / np.maximum(judged, 1))[which] * (is_right - share[which]), image
    )
    t = student_t(len(_numbered(image)[1]) - 1)
    if math.isinf(t):
        return Estimate(float(weights @ share), 0.0, 1.0, strata)
    interval = weighted_sum(weights, sizes, judged, rights, z=t, design_effect=effect)
    return estimate_of(interval, strata)


def _numbered(image: Sequence[object]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The image of each judgement as a number ``[M]``, and the judgements of each image ``[I]``."""
    numbers: dict[object, int] = {}
    number = np.array([numbers.setdefault(name, len(numbers)) for name in image], dtype=np.int64)
    return number, np.bincount(number)
