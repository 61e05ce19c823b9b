"""How much less a file's triples tell of other images, because those of one image are alike.

A file is a sample of the images that it could have been made for. The share right of a file varies
more from one set of images to the next where the triples of an image are right or wrong together.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vqapg.evaluation.stratified import Stratum, columns, stratified_estimate

# A share that is 0 or 1 may miss it by so much, as a sum over strata.
ROUNDING = 1e-12


def file_design_effect(
    strata: Sequence[Stratum],
    stratum: Sequence[int],
    image: Sequence[object],
    right: Sequence[bool],
) -> float:
    """How many times the variance of a whole file's share grows because images are sampled.

    It is 1 + (m - 1) r. Here m is the mean number of triples that share a triple's image, itself
    among them, and r the correlation of two triples of one image, at least 0. Both come from the
    judged triples. Two judged ones of one image stand for as many pairs of triples as their strata
    have for each pair that was drawn. Where nothing varies r is unknown, and is taken to be 1.

    Args:
        strata: of the whole file; together they are the file
        stratum: of each judged triple, an index into *strata*
        image: of each judged triple
        right: of each judged triple; "cannot tell" is left out

    Shape:
        *stratum*, *image* and *right* ``[n]``

    Returns:
        at least 1, and 1 where no two judged triples are of one image

    Raises:
        InputError: if nothing is judged

    Source:
        Kish, 1965, "Survey Sampling", section 5.4; Horvitz and Thompson, 1952, for the sums
    """
    share = stratified_estimate(strata).value
    sizes, judged, _ = columns(strata)
    # [H, H]: how many pairs of the file one judged pair stands for, by the strata of its two.
    each = sizes / np.maximum(judged, 1)
    stands_for = np.outer(each, each)
    others = each * (sizes - 1) / np.maximum(judged - 1, 1)
    np.fill_diagonal(stands_for, others)
    which = np.asarray(stratum, dtype=np.int64)
    numbers: dict[object, int] = {}
    number = np.array([numbers.setdefault(name, len(numbers)) for name in image], dtype=np.int64)

    def pairs_of_image(values: NDArray[np.float64]) -> float:
        """The sum over the file's ordered pairs of triples of one image of their product."""
        of_image = np.zeros((len(numbers), len(strata)))
        np.add.at(of_image, (number, which), values)
        squares = np.bincount(which, values**2, minlength=len(strata))
        products = np.einsum("ih,hg,ig->", of_image, stands_for, of_image)
        return float(products - (others * squares).sum())

    size = sizes.sum()
    shared = pairs_of_image(np.ones(len(which))) / size
    variance = share * (1 - share)
    if variance < ROUNDING:
        return 1 + max(0.0, shared)
    together = pairs_of_image(np.asarray(right, dtype=np.float64) - share) / (size * variance)
    return 1 + min(max(0.0, together), max(0.0, shared))
